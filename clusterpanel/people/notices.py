"""What became of somebody's sign-in since he was last here: told at the next sign-in, as there is no
mail. Read from the audit, so that whoever did it cannot have removed it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db.models import Q

from clusterpanel.models import AuditEntry
from nodes.domain.text import Text, say

# What he did, or somebody in his name, and what was done to him.
_OWN = {
    "password.change": say("the password was changed"),
    "password.set_by_link": say("the password was set by a link"),
    "factor.set_up": say("the second factor was set up"),
    "factor.drop": say("the second factor was removed"),
    "session.end": say("a session was ended"),
}
_BY_OTHERS = {
    "person.factor_remove": say("the second factor was removed"),
    "person.password_link": say("a link to set the password was made"),
    "person.role": say("the role was changed"),
    "token.create": say("an API token was made"),
    "person.unlock": say("the pause after wrong passwords was ended"),
}
_FAILED = "sign_in.failed"
MOST = 8


def since_last_sign_in(user: User) -> list[Text]:
    """A sentence each, oldest first; nothing at the first sign-in."""
    name = user.get_username()
    signed_in = AuditEntry.objects.filter(who=name, action="sign_in").order_by("-id")
    last = signed_in.values_list("pk", flat=True).first()
    if last is None:
        return []
    mine = Q(who=name, action__in=[*_OWN]) | Q(subject=name, action__in=[*_BY_OTHERS])
    about = mine | Q(who__iexact=name, action=_FAILED)  # a directory knows no capitals
    found = list(AuditEntry.objects.filter(about, pk__gt=last).order_by("id"))
    wrong = [entry for entry in found if entry.action == _FAILED]
    acts = [entry for entry in found if entry.action != _FAILED]
    return [*_failures(wrong), *_acts(acts[-MOST:])]


def _failures(found: list[AuditEntry]) -> Iterator[Text]:
    if not found:
        return
    addresses = Counter(_address(entry) for entry in found)
    yield say(
        "Since your last sign-in a wrong password or code was given %(count)s times, from %(addresses)s.",
        count=len(found),
        addresses=", ".join(sorted(addresses)[:MOST]),
    )


def _acts(found: list[AuditEntry]) -> Iterator[Text]:
    for entry in found:
        yield say(
            "Since your last sign-in %(what)s: %(at)s, by %(who)s, from %(address)s.",
            what=(_OWN | _BY_OTHERS)[entry.action],
            at=f"{entry.at:%Y-%m-%d %H:%M} UTC",
            who=entry.who,
            address=_address(entry),
        )


def _address(entry: AuditEntry) -> str:
    return str(entry.detail.get("from", {}).get("address") or "the console")
