"""What somebody may do at this moment: asked anew each time, so that a change counts at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from clusterpanel.people.roles import Role


@dataclass(frozen=True)
class Standing:
    """`cluster_id`: the one cluster that a token is for; None: all of them."""

    role: Role
    cluster_id: int | None = None


def standing(user: Any) -> Standing | None:
    """None for somebody who is not signed in, or was deactivated meanwhile.

    Who comes with a token (`user.token`) has the lower one of the two roles.
    """
    own = _own_role(user)
    token = getattr(user, "token", None)
    if own is None or token is None:
        return None if own is None else Standing(own)
    return Standing(min(own, Role(token.role), key=lambda role: role.rank), token.cluster_id)


def _own_role(user: Any) -> Role | None:
    known = get_user_model().objects.filter(pk=getattr(user, "pk", None) or 0, is_active=True)
    found = known.values_list("is_superuser", "person__role").first()
    if found is None:
        return None
    superuser, role = found
    return Role.ADMINISTRATOR if superuser else Role(role or Role.VIEWER)


def tokens_open(user: Any) -> bool:
    """Whether the directory that somebody comes in by still stands for him. It is only asked when he
    signs in, so a token of somebody who does not any more ends after a while by itself."""
    identity = getattr(user, "identity", None)
    if identity is None:
        return True
    longest = timedelta(days=settings.DIRECTORY_TOKEN_DAYS)
    seen = user.last_login
    return identity.admitted and seen is not None and timezone.now() - seen < longest


def role_from(user: Any, role: str | None) -> Role:
    """`role`: what the person's row says, None without a row."""
    return Role.ADMINISTRATOR if user.is_superuser else Role(role or Role.VIEWER)


def role_of(user: Any) -> Role:
    """For pages that show what is offered; a stranger is a viewer who sees nothing."""
    found = standing(user)
    return found.role if found else Role.VIEWER
