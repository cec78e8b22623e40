"""Bearer tokens of the API: shown once, hashed, never more than their owner."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from clusterpanel import audit
from clusterpanel.api import digest
from clusterpanel.models import ApiToken
from clusterpanel.people import confirming
from clusterpanel.people.roles import Role, missing
from clusterpanel.people.rules import needs
from clusterpanel.people.standing import role_of
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import say
from nodes.models import Cluster

LONGEST_D = 730


@needs(Role.VIEWER)
def token_create(
    *,
    by: User | None,
    user: User,
    name: str,
    role: str,
    scope: Cluster | None = None,
    days: int | None = 90,
    overrides: bool = False,
    password: str = "",
) -> tuple[ApiToken, str]:
    """A token for `user` and its text, which is kept nowhere. `days` None: it does not end, which
    only the console may say. `overrides`: it may go on without a backup.

    Raises Refused: role_missing, days_invalid, not_yours, or that the password is asked for.
    """
    _allowed(by, user, role, days)
    confirming.require(by, password)
    token = ApiToken(user=user, name=name.strip()[:60], role=role, cluster=scope)
    token.overrides = overrides and role == Role.ADMINISTRATOR
    token.expires_at = timezone.now() + timedelta(days=days) if days is not None else None
    return token, _save(by, token)


@needs(Role.VIEWER)
def token_revoke(*, by: User | None, token: ApiToken) -> None:
    """Its row stays, so that the page can say what it was. Own ones; administrators all."""
    if by is not None and token.user_id != by.pk and role_of(by) is not Role.ADMINISTRATOR:
        raise Refused(_not_yours())
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            _record(by, "token.revoke", token)


def _save(by: User | None, token: ApiToken) -> str:
    text = secrets.token_urlsafe(32)
    token.digest = digest(text)
    with transaction.atomic():
        token.save()
        _record(by, "token.create", token)
    return text


def _allowed(by: User | None, user: User, role: str, days: int | None) -> None:
    if by is not None and by.pk != user.pk:
        raise Refused(_not_yours())
    if role not in list(Role):
        why = say("There is no role “%(role)s”.", role=role[:40])
        fix = say("Choose viewer, operator or administrator.")
        raise Refused(Refusal("role_unknown", why, fix, field="role"))
    if not role_of(user).may_as(Role(role)):
        raise Refused(missing(role_of(user), Role(role)))
    if (days is None and by is not None) or (days is not None and not 1 <= days <= LONGEST_D):
        why = say("A token is good for 1 to %(most)s days.", most=LONGEST_D)
        fix = say("Enter a number of days.")
        raise Refused(Refusal("days_invalid", why, fix, field="days"))


def _not_yours() -> Refusal:
    return Refusal(
        "not_yours", say("This is somebody else's token."), say("Everybody makes his own.")
    )


def _record(by: User | None, action: str, token: ApiToken) -> None:
    detail = {
        "token": token.pk,
        "name": token.name,
        "role": token.role,
        "cluster": token.cluster.name if token.cluster else None,
        "expires_at": token.expires_at,
        "overrides": token.overrides,
    }
    who = by.get_username() if by else "console"
    audit.record(who=who, action=action, subject=token.user.get_username(), detail=detail)
