"""The sessions that are open: each browser that is signed in as somebody."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from clusterpanel.people.middleware import EPOCH
from clusterpanel.people.models import Person

_ABOUT = "about"  # in the session: its name, when it began, from where, with what


@dataclass(frozen=True)
class Open:
    """`id` names it on a page and opens nothing; one that an older version made has none."""

    id: str
    since: datetime | None
    address: str
    agent: str


def note(request: HttpRequest) -> None:
    """At the sign-in: what its row in the list will say."""
    request.session[_ABOUT] = {
        "id": secrets.token_hex(8),
        "since": timezone.now().timestamp(),
        "address": request.META.get("REMOTE_ADDR", ""),
        "agent": request.headers.get("User-Agent", "")[:200],
    }


def id_of(session: Any) -> str:
    """Of a request's own session."""
    return str(session.get(_ABOUT, {}).get("id", ""))


def open_ones(user: User) -> list[Open]:
    """Newest first; those that a new password or "sign out everywhere" ended are not among them."""
    found = [_open(told) for _, told in _rows(user)]
    return sorted(found, key=lambda each: each.since.timestamp() if each.since else 0, reverse=True)


def end(user: User, session_id: str) -> bool:
    """Whether there was such a session of this person. Its next request asks for the sign-in."""
    for row, told in _rows(user):
        if session_id and id_of(told) == session_id:
            row.delete()
            return True
    return False


def forget_ended() -> None:
    """Rows of sessions that are over, and wrong passwords that do not count any more."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    pause = max(settings.AXES_COOLOFF_TIME, timedelta(days=1))
    AccessAttempt.objects.filter(attempt_time__lt=now - pause).delete()


def _rows(user: User) -> Iterator[tuple[Session, dict[str, Any]]]:
    """Whose a session is stands inside of it alone; there are never many."""
    epoch = Person.objects.filter(user=user).values_list("epoch", flat=True).first() or 0
    engine = import_module(settings.SESSION_ENGINE).SessionStore()
    for row in Session.objects.filter(expire_date__gt=timezone.now()):
        told = engine.decode(row.session_data)
        mine = told.get(SESSION_KEY) == str(user.pk) and told.get(EPOCH, 0) == epoch
        if mine and _password_is_the_same(user, told):
            yield row, told


def _password_is_the_same(user: User, told: dict[str, Any]) -> bool:
    """As Django asks at each request, also under a secret key that is being replaced."""
    known = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    given = told.get(HASH_SESSION_KEY, "")
    return any(constant_time_compare(given, each) for each in known)


def _open(told: dict[str, Any]) -> Open:
    about = told.get(_ABOUT, {})
    since = about.get("since")
    return Open(
        about.get("id", ""),
        datetime.fromtimestamp(since, UTC) if since else None,
        about.get("address", ""),
        about.get("agent", ""),
    )
