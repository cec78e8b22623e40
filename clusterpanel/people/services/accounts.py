"""What everybody does for himself: password, second factor, ending his sessions."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from clusterpanel import audit
from clusterpanel.people import confirming, open_sessions, second_factor
from clusterpanel.people.models import Person
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs
from clusterpanel.people.services.persons import row
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import Text, say


@needs(Role.VIEWER)
def password_change(*, by: User, old: str, new: str) -> None:
    """All other sessions end. Raises Refused: password_elsewhere, or every rule that the new one breaks."""
    if not by.has_usable_password():
        why = say("Your password is not kept by this panel.")
        fix = say("Change it where you sign in with it.")
        raise Refused(Refusal("password_elsewhere", why, fix, field="old"))
    by.password_at = None  # type: ignore[attr-defined]  # however fresh: it is asked for here
    confirming.require(by, old)
    _follow_rules(by, new)
    by.set_password(new)
    with transaction.atomic():
        by.save(update_fields=["password"])
        audit.record(who=by.get_username(), action="password.change")


def _follow_rules(by: User, new: str) -> None:
    try:
        validate_password(new, by)
    except ValidationError as error:
        fix = say("Choose another one.")
        found = [Refusal("password_weak", Text(str(m)), fix, field="new") for m in error.messages]
        raise Refused(*found) from None


@needs(Role.VIEWER)
def own_sign_out_everywhere(*, by: User) -> None:
    with transaction.atomic():
        Person.objects.filter(pk=row(by).pk).update(epoch=F("epoch") + 1)
        audit.record(who=by.get_username(), action="sign_out.everywhere")


@needs(Role.VIEWER)
def own_session_end(*, by: User, session: str, password: str = "") -> None:
    """One of his own, as `open_sessions` names it. Raises Refused session_gone, or for the password."""
    confirming.require(by, password)
    with transaction.atomic():
        if not open_sessions.end(by, session):
            why = say("This session is over already.")
            raise Refused(Refusal("session_gone", why, say("Load the page again.")))
        audit.record(who=by.get_username(), action="session.end")


@needs(Role.VIEWER)
def factor_begin(*, by: User) -> str:
    """A new secret for the app. Nothing counts until a code of it was typed."""
    return second_factor.new_secret()


@needs(Role.VIEWER)
def factor_confirm(*, by: User, secret: str, code: str, password: str = "") -> list[str]:
    """Set up, or replace; returns the recovery codes. Raises Refused code_wrong, or for the password."""
    confirming.require(by, password)
    step = second_factor.step_of(secret, code, newer_than=0) if secret else None
    if step is None:
        why = say("This is not the code that the app shows for this secret now.")
        fix = say(
            "Type the six digits that it shows, and look whether the clock of the phone is right."
        )
        raise Refused(Refusal("code_wrong", why, fix, field="code"))
    codes = second_factor.set_up(row(by), secret, step)
    audit.record(who=by.get_username(), action="factor.set_up")
    return codes


@needs(Role.VIEWER)
def factor_drop(*, by: User, password: str = "") -> None:
    confirming.require(by, password)
    second_factor.remove(row(by))
    audit.record(who=by.get_username(), action="factor.drop")
