"""The three roles. Each may do what the one before it may."""

from __future__ import annotations

from enum import StrEnum

from nodes.domain.refusal import Refusal
from nodes.domain.text import say


class Role(StrEnum):
    """viewer sees; operator runs planned procedures; administrator also settings, keys, people and
    overrides."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def may_as(self, needed: Role) -> bool:
        return self.rank >= needed.rank


WORDS = {
    Role.VIEWER: say("viewer"),
    Role.OPERATOR: say("operator"),
    Role.ADMINISTRATOR: say("administrator"),
}
MEANING = {
    Role.VIEWER: say("Sees everything about the clusters, and changes nothing."),
    Role.OPERATOR: say("Also runs planned procedures, checks and backups, and acknowledges."),
    Role.ADMINISTRATOR: say(
        "Also settings, access and host keys, people, the audit, and going on without a backup."
    ),
}
_WHO = {
    Role.OPERATOR: say("Ask somebody with the role operator or administrator."),
    Role.ADMINISTRATOR: say("Ask an administrator."),
}


def missing(have: Role, needed: Role) -> Refusal:
    """Why somebody with the role `have` may not do what needs `needed`."""
    why = say(
        "This needs the role %(needed)s; yours is %(have)s.",
        needed=WORDS[needed],
        have=WORDS[have],
    )
    evidence = {"needed": str(needed), "role": str(have)}
    return Refusal("role_missing", why, _WHO[needed], evidence)
