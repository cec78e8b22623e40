"""Signing in at a provider: away and back, and the same once more before an override.

Beginning is a GET that changes nothing here: what the answer has to fit lies in a signed cookie of
this browser. So the button is a link, and the policy of the pages (`form-action 'self'`, which
Chromium also applies to where a form is sent on to) stays as it is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clusterpanel import audit
from clusterpanel.people import confirming
from clusterpanel.people.directory import oidc
from clusterpanel.people.directory.configured import Oidc
from clusterpanel.people.middleware import PASSWORD_AT
from clusterpanel.people.models import Identity
from clusterpanel.people.services.arrivals import Arrival, person_admit
from clusterpanel.people.views import sign_in
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import say

_COOKIE, _COOKIE_S = "at_the_provider", 600
_SALT = "clusterpanel.oidc"


@login_not_required
@never_cache
@require_safe
def begin(request: HttpRequest) -> HttpResponseBase:
    """Off to the provider. `?again=1`: somebody who is signed in shows it once more who he is."""
    config = _config()
    again = request.user.pk if "again" in request.GET and request.user.is_authenticated else None
    back = request.build_absolute_uri(reverse("oidc-back"))
    try:
        url, pending = oidc.begin(config, back, again=again is not None)
    except Refused as refused:
        _record(request, refused.first)
        return sign_in.trouble(request, refused.first)
    kept = {**pending, "next": request.GET.get("next", "")[:2000], "again": again}
    answer = redirect(url)
    answer.set_cookie(
        _COOKIE,
        signing.dumps(kept, salt=_SALT),
        max_age=_COOKIE_S,
        path=reverse("oidc-back"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",  # it comes back from another site
    )
    return answer


@login_not_required
@never_cache
@require_safe
def back(request: HttpRequest) -> HttpResponseBase:
    """Where the provider sends somebody back to. Without our cookie it is nobody's answer."""
    config, kept = _config(), _kept(request)
    if kept is None:
        return sign_in.trouble(request, _nobodys())
    try:
        claims = oidc.finish(config, kept["pending"], request.GET.dict())
        answer = _again(request, config, kept, claims) if kept["again"] else None
        answer = answer or _sign_in(request, config, kept, claims)
    except Refused as refused:
        _record(request, refused.first)
        answer = sign_in.trouble(request, refused.first)
    answer.delete_cookie(_COOKIE, path=reverse("oidc-back"), samesite="Lax")
    return answer


def _sign_in(
    request: HttpRequest, config: Oidc, kept: dict[str, Any], claims: dict[str, Any]
) -> HttpResponseBase:
    user = person_admit(arrival=_arrival(config, claims))
    if not AxesProxyHandler.is_allowed(request, {"username": user.get_username()}):
        return sign_in.paused(request)
    at = oidc.signed_in_at(claims)
    user.came_by = Identity.OIDC  # type: ignore[attr-defined]
    user.password_at = datetime.fromtimestamp(at, UTC) if at else None  # type: ignore[attr-defined]
    methods = claims.get("amr") or []
    user.factor_elsewhere = any(each in methods for each in config.factor_methods)  # type: ignore[attr-defined]
    user.backend = "django.contrib.auth.backends.ModelBackend"
    return sign_in.let_in(request, user, kept["next"])


def _again(
    request: HttpRequest, config: Oidc, kept: dict[str, Any], claims: dict[str, Any]
) -> HttpResponseBase:
    """The same person, and not somebody whom the provider remembered from before."""
    user = request.user
    identity = Identity.objects.filter(user_id=user.pk).first() if user.is_authenticated else None
    digest = Identity.digest_of(config.issuer, str(claims["sub"]))
    if identity is None or user.pk != kept["again"] or identity.digest != digest:
        why = say("This is not the person who is signed in here.")
        fix = say("Sign out, or choose the other account at %(name)s.", name=config.name)
        raise Refused(Refusal("other_person", why, fix))
    at = oidc.signed_in_at(claims)
    if at is None or at < kept["pending"]["at"] - oidc.SKEW_S:
        why = say("%(name)s did not ask you who you are.", name=config.name)
        fix = say("It has to follow prompt=login and to send auth_time. Ask who keeps it.")
        raise Refused(Refusal("not_asked_again", why, fix, {"detail": f"auth_time {at}"}))
    request.session[PASSWORD_AT] = timezone.now().timestamp()
    audit.record(who=user.get_username(), action="confirmed", detail={"way": Identity.OIDC})
    return redirect(sign_in.safe_next(request, kept["next"]))


def _arrival(config: Oidc, claims: dict[str, Any]) -> Arrival:
    """Raises Refused, naming the claim that is not as the settings say."""
    try:
        role = config.grants.role(oidc.values(claims, config.role_claim))
    except ValueError:
        raise Refused(_claim(config, config.role_claim)) from None
    login = claims.get(config.name_claim)
    if not isinstance(login, str) or not login:
        raise Refused(_claim(config, config.name_claim))
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise Refused(_claim(config, "sub"))
    return Arrival(Identity.OIDC, config.name, config.issuer, claims["sub"], login, role)


def _claim(config: Oidc, name: str) -> Refusal:
    why = say("%(at)s did not say your “%(claim)s” in words.", at=config.name, claim=name)
    fix = say("It has to send this claim in the ID token. Ask an administrator of the panel.")
    return Refusal("claim_unusable", why, fix, {"detail": name})


def _kept(request: HttpRequest) -> dict[str, Any] | None:
    try:
        found = signing.loads(request.COOKIES.get(_COOKIE, ""), salt=_SALT, max_age=_COOKIE_S)
    except signing.BadSignature:
        return None
    names = oidc.Pending.__required_keys__
    return {
        "pending": {name: found[name] for name in names},
        "next": found["next"],
        "again": found["again"],
    }


def _nobodys() -> Refusal:
    why = say("This answer belongs to no sign-in of this browser, or came too late.")
    return Refusal("nobodys_answer", why, say("Begin again."))


def _record(request: HttpRequest, refusal: Refusal) -> None:
    who = request.user.get_username() if isinstance(request.user, User) else "?"
    detail = {"way": Identity.OIDC, "code": refusal.code, **refusal.evidence}
    audit.record(who=who, action="sign_in.refused", detail=detail)


def _config() -> Oidc:
    config: Oidc | None = settings.OIDC
    if config is None:
        raise Http404
    return config


def again_url(request: HttpRequest) -> str:
    """For a page that asks somebody without a password of ours; "" for everybody else.

    It leads back to the page, or for the answer to a form to the page that the form was on.
    """
    if not settings.OIDC or not confirming.signs_in_elsewhere(request.user):
        return ""
    here = request.get_full_path()
    if request.htmx:  # type: ignore[attr-defined]
        here = request.htmx.current_url  # type: ignore[attr-defined]
    elif request.method not in ("GET", "HEAD"):
        here = request.META.get("HTTP_REFERER", "")
    return f"{reverse('oidc')}?{urlencode({'again': 1, 'next': here})}"
