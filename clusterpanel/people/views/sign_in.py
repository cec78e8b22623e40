"""Signing in: name and password, then the second factor of those who have one. Nobody is signed in
before both were right."""

from __future__ import annotations

import time
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
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
from clusterpanel.people.models import Person

_PENDING = "half_signed_in"
_PENDING_S = 300


class SignIn(LoginView):
    template_name = "sign_in.html"

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        if not second_factor.is_set(Person.objects.filter(user=user).first()):
            return super().form_valid(form)
        self.request.session[_PENDING] = {
            "user": user.pk,
            "backend": user.backend,
            "at": time.time(),
            "next": self.get_redirect_url(),
        }
        return redirect("sign-in-code")


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
        return render(request, "people/code.html")
    return _check(request, user, pending)


def _check(request: HttpRequest, user: User, pending: dict[str, Any]) -> HttpResponse:
    """Wrong codes count like wrong passwords."""
    credentials = {"username": user.get_username()}
    if not AxesProxyHandler.is_allowed(request, credentials):
        return paused(request)
    person = Person.objects.filter(user=user).first()
    if person is None or not second_factor.opens(person, request.POST.get("code", "")[:64]):
        user_login_failed.send(sender=__name__, credentials=credentials, request=request)
        return render(request, "people/code.html", {"wrong": True}, status=403)
    del request.session[_PENDING]
    login(request, user, backend=pending["backend"])
    wanted = pending["next"]
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return redirect(wanted if wanted and safe else resolve_url("home"))


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
