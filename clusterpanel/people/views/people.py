"""People, for administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clusterpanel.people import confirming, second_factor, selectors, services
from clusterpanel.people.models import Identity
from clusterpanel.people.roles import MEANING, WORDS, Role
from clusterpanel.people.standing import role_of
from clusterpanel.people.views.common import person as who
from clusterpanel.people.views.common import remember_password, shown_token
from nodes.domain.refusal import Refused


@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    by = who(request)
    if request.method != "POST":
        return _list(request)
    name, role = request.POST.get("name", "").strip(), request.POST.get("role", "")
    try:
        added = services.person_add(by=by, name=name, role=role)
    except Refused as refused:
        return _list(request, 422, problems=refused.refusals, typed={"name": name, "role": role})
    return _with_link(request, added)


def _list(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    found = selectors.people(by=who(request))
    rows = [
        {
            "user": user,
            "role": WORDS[_role(user)],
            "factor": _factor(user),
            "identity": _identity(user),
        }
        for user in found
    ]
    context = {"people": rows, "roles": _roles(), **more}
    return render(request, "people/people.html", context, status=status)


def _role(user: User) -> Role:
    """As it is when active; `standing` knows nothing of somebody who is not."""
    if user.is_superuser:
        return Role.ADMINISTRATOR
    return Role(user.person.role) if hasattr(user, "person") else Role.VIEWER


def _factor(user: User) -> bool:
    return second_factor.is_set(getattr(user, "person", None))


def _identity(user: User) -> Identity | None:
    return getattr(user, "identity", None)


def _roles() -> list[dict[str, Any]]:
    return [{"role": role, "word": WORDS[role], "meaning": MEANING[role]} for role in Role]


@require_safe
@never_cache
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    return _page(request, get_object_or_404(get_user_model(), pk=user_id))


def _page(request: HttpRequest, user: User, status: int = 200, **more: Any) -> HttpResponse:
    tokens = selectors.person_tokens(by=who(request), user=user)
    context = {
        "person": user,
        "role": _role(user),
        "roles": _roles(),
        "factor": _factor(user),
        "identity": _identity(user),
        "tokens": [shown_token(token) for token in tokens],
        "ask_password": not confirming.is_fresh(request.user),
        **more,
    }
    return render(request, "people/person.html", context, status=status)


@require_POST
@sensitive_post_parameters()
@never_cache
def act(request: HttpRequest, user_id: int, verb: str) -> HttpResponse:
    """One of the buttons of a person's page."""
    user = get_object_or_404(get_user_model(), pk=user_id)
    if verb == "link":
        return _link(request, user)
    done, said = _verbs(request, user)[verb]
    try:
        done()
    except Refused as refused:
        return _page(request, user, 422, problems={verb: refused.refusals})
    remember_password(request)
    messages.success(request, said)
    if role_of(request.user) is not Role.ADMINISTRATOR:  # he took it from himself
        return redirect("home")
    return redirect("person", user.pk)


def _verbs(request: HttpRequest, user: User) -> dict[str, tuple[Callable[[], object], str]]:
    words: dict[str, Any] = {"by": who(request), "user": user}
    typed = request.POST.get("password", "")
    role = request.POST.get("role", "")
    return {
        "role": (
            lambda: services.person_role_set(**words, role=role, password=typed),
            gettext("The role counts from now on."),
        ),
        "deactivate": (
            lambda: services.person_deactivate(**words),
            gettext("Signed out everywhere; no sign-in and no token opens any more."),
        ),
        "activate": (lambda: services.person_activate(**words), gettext("May sign in again.")),
        "sign-out": (lambda: services.person_sign_out(**words), gettext("Signed out everywhere.")),
        "factor": (
            lambda: services.person_factor_remove(**words, password=typed),
            gettext("The second factor is removed, and every session ended."),
        ),
        "unlock": (
            lambda: services.person_unlock(**words),
            gettext("The pause is over: a sign-in is possible at once."),
        ),
    }


def _link(request: HttpRequest, user: User) -> HttpResponse:
    try:
        return _with_link(request, user, also_here="also_here" in request.POST)
    except Refused as refused:
        return _page(request, user, 422, problems={"link": refused.refusals})


def _with_link(request: HttpRequest, user: User, *, also_here: bool = False) -> HttpResponse:
    """The link is on this one answer and nowhere else."""
    path = services.person_password_link(by=who(request), user=user, also_here=also_here)
    return _page(request, user, link=request.build_absolute_uri(path))
