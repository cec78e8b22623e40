"""Everything that can be done to people and their tokens: one function each."""

from clusterpanel.people.services.accounts import (
    factor_begin,
    factor_confirm,
    factor_drop,
    own_session_end,
    own_sign_out_everywhere,
    password_change,
)
from clusterpanel.people.services.arrivals import person_admit
from clusterpanel.people.services.persons import (
    person_activate,
    person_add,
    person_deactivate,
    person_factor_remove,
    person_password_link,
    person_role_set,
    person_sign_out,
    person_unlock,
)
from clusterpanel.people.services.tokens import token_create, token_revoke

__all__ = [
    "factor_begin",
    "factor_confirm",
    "factor_drop",
    "own_session_end",
    "own_sign_out_everywhere",
    "password_change",
    "person_activate",
    "person_add",
    "person_admit",
    "person_deactivate",
    "person_factor_remove",
    "person_password_link",
    "person_role_set",
    "person_sign_out",
    "person_unlock",
    "token_create",
    "token_revoke",
]
