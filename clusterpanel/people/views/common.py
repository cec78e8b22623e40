"""What these pages share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from clusterpanel.models import ApiToken
from clusterpanel.people import confirming
from clusterpanel.people.middleware import PASSWORD_AT


def person(request: HttpRequest) -> User:
    """Who asks; every page here needs a signed-in person, so there always is one."""
    assert isinstance(request.user, User)
    return request.user


def remember_password(request: HttpRequest) -> None:
    """After an act that asked for the password: it is not asked for again for a while."""
    at = getattr(request.user, "password_at", None)
    if confirming.is_fresh(request.user) and at is not None:
        request.session[PASSWORD_AT] = at.timestamp()


def shown_token(token: ApiToken) -> dict[str, Any]:
    """A row of the table of tokens, with the state in a word."""
    return {"token": token, "state": _state(token, timezone.now())}


def _state(token: ApiToken, now: datetime) -> str:
    if token.revoked_at:
        return "revoked"
    return "expired" if token.expires_at and token.expires_at <= now else "usable"
