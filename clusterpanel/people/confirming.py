"""The password once more, before what cannot be taken back: an open page is not a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils import timezone

from clusterpanel import audit
from clusterpanel.people.models import Identity
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import Text, say

FIELD = "password"


def is_fresh(by: Any) -> bool:
    """Whether the password was typed a moment ago. `by.password_at` is set by the door: from the
    session, or from a token that was made for overrides; without it nobody typed anything."""
    at = getattr(by, "password_at", None)
    fresh = timedelta(minutes=settings.PASSWORD_FRESH_MIN)
    return at is not None and timezone.now() - at < fresh


def signs_in_elsewhere(by: Any) -> bool:
    """Whether there is no password that could be typed here: he came from a provider."""
    identity = getattr(by, "identity", None)
    return identity is not None and identity.way == Identity.OIDC and not by.has_usable_password()


def problem(by: Any, password: object) -> Refusal | None:
    """Why this does not confirm; None when it does. `by` None is the console: root is there.

    Raises Refused when the password is kept by a directory that is away."""
    if by is None or is_fresh(by):
        return None
    if signs_in_elsewhere(by):
        why = say("This asks you to show once more who you are.")
        fix = say("Sign in once more where you came from: the page has a link, then try again.")
        return Refusal("sign_in_again", why, fix)
    if not isinstance(password, str) or not password:
        why = say("This asks for your password once more.")
        return _refusal("password_needed", why, say("Enter the password that you sign in with."))
    return _typed(by, password)


def require(by: Any, password: object) -> None:
    if refusal := problem(by, password):
        raise Refused(refusal)


def _typed(by: Any, password: str) -> Refusal | None:
    """Checked as at the sign-in: wrong ones count, and too many of them make a pause."""
    name, request = by.get_username(), _request()
    if not AxesProxyHandler.is_allowed(request, {"username": name}):
        why = say("There were too many wrong passwords.")
        return _refusal("password_paused", why, say("Wait a quarter of an hour."))
    found = authenticate(request, username=name, password=password)
    if found is None or found.pk != by.pk:
        return _refusal("password_wrong", say("The password is wrong."), say("Enter it again."))
    by.password_at = timezone.now()
    return None


def _request() -> HttpRequest:
    """What the counting of wrong passwords looks at: from where."""
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = audit.origin().get("address", "127.0.0.1")
    return request


def _refusal(code: str, why: Text, fix: Text) -> Refusal:
    return Refusal(code, why, fix, field=FIELD)
