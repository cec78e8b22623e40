"""What signing in and out leaves behind: in the session, and in the audit (law 14)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from axes.signals import user_locked_out
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from clusterpanel import audit
from clusterpanel.people import notices, open_sessions
from clusterpanel.people.middleware import EPOCH, FACTOR_ELSEWHERE, PASSWORD_AT, WAY
from clusterpanel.people.models import Identity, Person
from clusterpanel.words import translated


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: Any, **_: Any) -> None:
    """The session ends at a fixed time, however busy it is, and whatever it began with.

    Whoever came from a provider brings the moment when he showed it who he is, if it says so: it
    may have known him from the morning. A password was typed just now.
    """
    person = Person.objects.filter(user=user).first()
    now = timezone.now()
    way = getattr(user, "came_by", "password")
    at = getattr(user, "password_at", None) if way == Identity.OIDC else now
    request.session[EPOCH] = person.epoch if person else 0
    request.session[WAY] = way
    request.session[FACTOR_ELSEWHERE] = getattr(user, "factor_elsewhere", False)
    request.session[PASSWORD_AT] = at.timestamp() if at else 0
    request.session.set_expiry(now + timedelta(hours=settings.SESSION_HOURS))
    open_sessions.note(request)
    for told in notices.since_last_sign_in(user):  # not where there is no page to show it
        messages.warning(request, translated(told) or "", fail_silently=True)
    audit.record(who=user.get_username(), action="sign_in", detail={"way": way})


@receiver(user_logged_out)
def signed_out(user: Any, **_: Any) -> None:
    if user is not None and user.is_authenticated:
        audit.record(who=user.get_username(), action="sign_out")


@receiver(user_login_failed)
def failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """The name as it was typed; never the password."""
    way = Identity.LDAP if getattr(request, "asked_ldap", False) else "password"
    who = str(credentials.get("username") or "?")
    audit.record(who=who, action="sign_in.failed", detail={"way": way})


@receiver(user_locked_out)
def locked_out(username: str, ip_address: str, **_: Any) -> None:
    detail = {"address": ip_address, "failures": settings.AXES_FAILURE_LIMIT}
    audit.record(who=str(username or "?"), action="sign_in.paused", detail=detail)
