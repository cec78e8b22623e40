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
from clusterpanel.people.middleware import EPOCH, PASSWORD_AT
from clusterpanel.people.models import Person
from clusterpanel.words import translated


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: Any, **_: Any) -> None:
    """The session ends at a fixed time, however busy it is."""
    person = Person.objects.filter(user=user).first()
    now = timezone.now()
    request.session[EPOCH] = person.epoch if person else 0
    request.session[PASSWORD_AT] = now.timestamp()
    request.session.set_expiry(now + timedelta(hours=settings.SESSION_HOURS))
    open_sessions.note(request)
    for told in notices.since_last_sign_in(user):  # not where there is no page to show it
        messages.warning(request, translated(told) or "", fail_silently=True)
    audit.record(who=user.get_username(), action="sign_in")


@receiver(user_logged_out)
def signed_out(user: Any, **_: Any) -> None:
    if user is not None and user.is_authenticated:
        audit.record(who=user.get_username(), action="sign_out")


@receiver(user_login_failed)
def failed(credentials: dict[str, Any], **_: Any) -> None:
    """The name as it was typed; never the password."""
    audit.record(who=str(credentials.get("username") or "?"), action="sign_in.failed")


@receiver(user_locked_out)
def locked_out(username: str, ip_address: str, **_: Any) -> None:
    detail = {"address": ip_address, "failures": settings.AXES_FAILURE_LIMIT}
    audit.record(who=str(username or "?"), action="sign_in.paused", detail=detail)
