"""A request's person: from where, how long signed in, and whether something is missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import logout
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.deprecation import MiddlewareMixin

from clusterpanel import audit
from clusterpanel.people import second_factor
from clusterpanel.people.models import Person
from clusterpanel.people.standing import role_from

EPOCH, PASSWORD_AT = "epoch", "password_at"  # in the session
WAY = "way"  # password, ldap or oidc
FACTOR_ELSEWHERE = "factor_elsewhere"  # the provider asked for a second one, and that counts here
# What somebody may open whose second factor is not set up yet.
_WITHOUT_FACTOR = frozenset(
    {"account-factor", "logout", "set_language", "healthz", "readyz", "oidc", "oidc-back"}
)


class Signed(MiddlewareMixin):
    """After Django knows the user, before a page asks for a sign-in."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        audit.begin(address=request.META.get("REMOTE_ADDR", ""))
        if not request.user.is_authenticated:
            return None
        person = Person.objects.filter(user_id=request.user.pk).first()
        if request.session.get(EPOCH, 0) != (person.epoch if person else 0):
            logout(request)  # "sign out everywhere" was said since
            return None
        role = role_from(request.user, person.role if person else None)
        request.panel_role = role  # type: ignore[attr-defined]  # for what the page offers
        if at := request.session.get(PASSWORD_AT):
            request.user.password_at = datetime.fromtimestamp(at, UTC)  # type: ignore[attr-defined]
        return _factor_first(request, person)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        audit.end()
        return response


def _factor_first(request: HttpRequest, person: Person | None) -> HttpResponseBase | None:
    match = request.resolver_match
    if (match and match.url_name in _WITHOUT_FACTOR) or "authorization" in request.headers:
        return None
    if request.session.get(FACTOR_ELSEWHERE, False):
        return None
    if not second_factor.is_missing(request.panel_role, person):  # type: ignore[attr-defined]
        return None
    if request.path.startswith("/api/"):
        return JsonResponse(second_factor.needed_json(), status=403)
    return redirect("account-factor")
