"""Signing in: name and password, then the second factor of those who have one. Nobody is signed in
before both were right."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.contrib.auth.views import LoginView, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from clusterpanel import audit
from clusterpanel.people import second_factor
from clusterpanel.people.models import Identity, Person
from nodes.domain.refusal import Refusal, Refused

_PENDING = "half_signed_in"
_PENDING_S = 300


class SignIn(LoginView):
    template_name = "sign_in.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except Refused as refused:  # a directory is away, or lets nobody in: no wrong password
            detail = {"way": Identity.LDAP, "code": refused.first.code, **refused.first.evidence}
            name = request.POST.get("username", "")
            audit.record(who=name or "?", action="sign_in.refused", detail=detail)
            return trouble(request, refused.first, request.POST.get("next", ""))

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        return let_in(self.request, form.get_user(), self.get_redirect_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "provider": settings.OIDC}


def let_in(request: HttpRequest, user: User, wanted: str) -> HttpResponse:
    """Somebody whose first factor was right, whichever way he came: in, or on to the second."""
    needs_code = second_factor.is_set(Person.objects.filter(user=user).first())
    if not needs_code or getattr(user, "factor_elsewhere", False):
        login(request, user)
        return redirect(safe_next(request, wanted))
    at = getattr(user, "password_at", None)
    request.session[_PENDING] = {
        "user": user.pk,
        "backend": user.backend,
        "at": time.time(),
        "next": wanted,
        "way": getattr(user, "came_by", "password"),
        "password_at": at.timestamp() if at else None,
    }
    return redirect("sign-in-code")


def trouble(request: HttpRequest, refusal: Refusal, wanted: str = "") -> HttpResponse:
    """The sign-in page with a sentence; names and passwords of this panel still open it."""
    context = {
        "form": AuthenticationForm(request),
        "trouble": refusal,
        "next": wanted,
        "provider": settings.OIDC,
    }
    status = {"directory_away": 503, "nobodys_answer": 400}.get(refusal.code, 403)
    return render(request, "sign_in.html", context, status=status)


def safe_next(request: HttpRequest, wanted: str) -> str:
    """Never to another host."""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return wanted if wanted and safe else resolve_url("home")


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The second step; without the first one it leads back to it."""
    pending = request.session.get(_PENDING) or {}
    user = get_user_model().objects.filter(pk=pending.get("user", 0), is_active=True).first()
    if user is None or time.time() - pending["at"] > _PENDING_S:
        request.session.pop(_PENDING, None)
        return redirect("login")
    if request.method != "POST":
        return _code_page(request, pending)
    return _check(request, user, pending)


def _check(request: HttpRequest, user: User, pending: dict[str, Any]) -> HttpResponse:
    """Wrong codes count like wrong passwords."""
    credentials = {"username": user.get_username()}
    if not AxesProxyHandler.is_allowed(request, credentials):
        return paused(request)
    person = Person.objects.filter(user=user).first()
    if person is None or not second_factor.opens(person, request.POST.get("code", "")[:64]):
        user_login_failed.send(sender=__name__, credentials=credentials, request=request)
        return _code_page(request, pending, wrong=True)
    del request.session[_PENDING]
    at = pending.get("password_at")
    user.came_by = pending.get("way", "password")  # type: ignore[attr-defined]
    user.password_at = datetime.fromtimestamp(at, UTC) if at else None  # type: ignore[attr-defined]
    login(request, user, backend=pending["backend"])
    return redirect(safe_next(request, pending["next"]))


def _code_page(
    request: HttpRequest, pending: dict[str, Any], *, wrong: bool = False
) -> HttpResponse:
    context = {"wrong": wrong, "way": pending.get("way"), "provider": settings.OIDC}
    return render(request, "people/code.html", context, status=403 if wrong else 200)


def paused(request: HttpRequest, *_: Any) -> HttpResponse:
    """Too many wrong ones: also the right one has to wait."""
    return render(request, "people/paused.html", status=429)


@method_decorator(login_not_required, name="dispatch")
class SetPassword(PasswordResetConfirmView):
    """By a link that an administrator gave. Nobody is signed in by it, and a second factor stays."""

    template_name = "people/set_password.html"
    success_url = reverse_lazy("login")

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        audit.record(who=form.user.get_username(), action="password.set_by_link")
        return answer
