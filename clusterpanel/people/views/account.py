"""One's own account: password, second factor, sessions, tokens."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clusterpanel.models import ApiToken
from clusterpanel.people import confirming, open_sessions, second_factor, selectors, services
from clusterpanel.people.roles import MEANING, WORDS, Role
from clusterpanel.people.standing import role_of
from clusterpanel.people.views.common import person, remember_password, shown_token
from clusterpanel.typed import number_in
from nodes.domain.refusal import Refused
from nodes.models import Cluster

_SECRET = "factor_secret"  # in the session while the second factor is being set up


@require_safe
@never_cache
def account(request: HttpRequest) -> HttpResponse:
    return _page(request)


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    by = person(request)
    role = role_of(by)
    context = {
        "role": role,
        "meaning": MEANING[role],
        "words": WORDS,
        "factor": second_factor.is_set(selectors.person_row(by)),
        "tokens": [shown_token(token) for token in selectors.own_tokens(by)],
        "roles": [each for each in Role if role.may_as(each)],
        "clusters": Cluster.objects.order_by("name"),
        "ask_password": not confirming.is_fresh(by),
        "sessions": open_sessions.open_ones(by),
        "this_session": open_sessions.id_of(request.session),
        **more,
    }
    return render(request, "people/account.html", context, status=status)


def _try(request: HttpRequest, where: str, act: Callable[[], object], said: str) -> HttpResponse:
    """Do it and say so, or show the refusal in the section `where`."""
    try:
        act()
    except Refused as refused:
        return _page(request, 422, problems={where: refused.refusals})
    remember_password(request)
    messages.success(request, said)
    return redirect("account")


@require_POST
@sensitive_post_parameters()
def password(request: HttpRequest) -> HttpResponse:
    by = person(request)
    old, new = (request.POST.get(name, "") for name in ("old", "new"))

    def change() -> None:
        services.password_change(by=by, old=old, new=new)
        update_session_auth_hash(request, by)

    return _try(request, "password", change, gettext("The password is changed."))


@require_POST
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """Also here: the next page asks for the password."""
    services.own_sign_out_everywhere(by=person(request))
    return redirect("login")


@require_POST
@sensitive_post_parameters()
def session_end(request: HttpRequest, session: str) -> HttpResponse:
    by, typed = person(request), request.POST.get("password", "")
    said = gettext("The session is ended.")
    end = partial(services.own_session_end, by=by, session=session, password=typed)
    return _try(request, "sessions", end, said)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters()
def factor(request: HttpRequest) -> HttpResponse:
    """Set up, or replace: the secret waits in the session until a code of it was typed."""
    by = person(request)
    secret = request.session.get(_SECRET)
    if request.method != "POST":
        secret = request.session[_SECRET] = services.factor_begin(by=by)
        return _factor_page(request, secret)
    try:
        codes = services.factor_confirm(
            by=by,
            secret=secret or "",
            code=request.POST.get("code", ""),
            password=request.POST.get("password", ""),
        )
    except Refused as refused:
        if not secret:
            return redirect("account-factor")
        return _factor_page(request, secret, refused.refusals)
    del request.session[_SECRET]
    remember_password(request)
    return render(request, "people/recovery_codes.html", {"codes": codes})


def _factor_page(request: HttpRequest, secret: str, problems: Any = ()) -> HttpResponse:
    by = person(request)
    context = {
        "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        "picture": mark_safe(second_factor.picture(by, secret)),
        "problems": problems,
        "ask_password": not confirming.is_fresh(by),
        "must": second_factor.is_missing(role_of(by), selectors.person_row(by)),
    }
    return render(request, "people/factor.html", context, status=422 if problems else 200)


@require_POST
@sensitive_post_parameters()
def factor_drop(request: HttpRequest) -> HttpResponse:
    by, typed = person(request), request.POST.get("password", "")
    said = gettext("Signing in asks for the password alone now.")
    return _try(request, "factor", lambda: services.factor_drop(by=by, password=typed), said)


@require_POST
@sensitive_post_parameters()
@never_cache
def token_create(request: HttpRequest) -> HttpResponse:
    """The text of the token is on this one answer and nowhere else."""
    by, form = person(request), request.POST
    cluster = number_in(form.get("cluster", ""))
    try:
        _, text = services.token_create(
            by=by,
            user=by,
            name=form.get("name", ""),
            role=form.get("role", ""),
            scope=None if cluster is None else get_object_or_404(Cluster, pk=cluster),
            days=number_in(form.get("days", "")) or 0,
            overrides="overrides" in form,
            password=form.get("password", ""),
        )
    except Refused as refused:
        return _page(request, 422, problems={"token": refused.refusals}, typed=form)
    remember_password(request)
    return _page(request, new_token=text)


@require_POST
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=token_id)
    try:
        services.token_revoke(by=person(request), token=token)
    except Refused as refused:
        return _page(request, 403, problems={"token": refused.refusals})
    messages.success(request, gettext("The token opens nothing any more."))
    mine = token.user_id == request.user.pk
    return redirect("account") if mine else redirect("person", token.user_id)
