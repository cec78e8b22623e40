"""What every part of the HTTP API shares: who is asking, and how a "no" looks.

A "no" is `{code, why, fix, evidence}`; when there are several, the first of them carries all in
`errors`, each with the `field` it is about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from ninja import NinjaAPI
from ninja import Schema as NinjaSchema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser
from ninja.security import HttpBearer, SessionAuth
from pydantic import ConfigDict, SecretStr, field_validator

from clusterpanel import audit, storable
from clusterpanel.models import ApiToken
from clusterpanel.people.rules import Forbidden, other_cluster
from clusterpanel.people.standing import tokens_open
from clusterpanel.words import translated
from nodes.domain.refusal import Refusal, Refused
from nodes.transport.base import TransportError

BAD_INPUT = frozenset({"params_invalid", "procedure_unknown"})
_SEEN_EVERY = timedelta(minutes=1)


class Body(NinjaSchema):
    """A request body; a misspelt name is refused and not ignored, and so is what cannot be kept."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*")
    @classmethod
    def _is_storable(cls, value: Any) -> Any:
        storable.check(value.get_secret_value() if isinstance(value, SecretStr) else value)
        return value


class NotJson(Exception):
    """A body that does not call itself JSON."""


class JsonBody(Parser):
    """Only what says that it is JSON is read as JSON: a form of another site can say other things."""

    def parse_body(self, request: HttpRequest) -> Any:
        if request.content_type != "application/json":
            raise NotJson
        return super().parse_body(request)


class InvalidInput(Refused):
    """What was sent cannot be accepted as it stands: 422 instead of 409."""


def digest(token: str) -> str:
    """What is kept of a bearer token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Token(HttpBearer):
    """`Authorization: Bearer TOKEN`, made on the page of an account or by `manage.py panel_token`.

    The user carries it as `token`: services look there for what it may (`people.standing`).
    """

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        now = timezone.now()
        usable = ApiToken.objects.filter(
            Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None
        )
        found = usable.select_related("user__identity").filter(digest=digest(token)).first()
        if found is None or not found.user.is_active or not tokens_open(found.user):
            return None
        if not _names_its_cluster(request, found):
            raise Forbidden(other_cluster())
        if found.last_used_at is None or now - found.last_used_at > _SEEN_EVERY:
            ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
        audit.begin(token=found.name or str(found.pk))
        found.user.token = found  # type: ignore[attr-defined]
        found.user.password_at = now if found.overrides else None  # type: ignore[attr-defined]
        request.user = found.user
        return found.user


def _names_its_cluster(request: HttpRequest, token: ApiToken) -> bool:
    """A token for one cluster opens only addresses that name that cluster, a run of it, or its runs."""
    match = request.resolver_match
    if token.cluster_id is None or match is None:
        return True
    if "run_id" in match.kwargs:
        # By name: what `nodes` needs of this module may not lead to `operations`.
        runs = apps.get_model("operations", "Run")._default_manager
        return runs.filter(pk=match.kwargs["run_id"], cluster=token.cluster_id).exists()
    asked = match.kwargs.get("cluster_id")
    if request.path.rstrip("/").endswith("/runs") and asked is None:
        asked = request.GET.get("cluster")
    return str(asked) == str(token.cluster_id)


class Session(SessionAuth):
    """The browser's sign-in; writes need the CSRF token, and only then is it asked for."""

    def _get_key(self, request: HttpRequest) -> str | None:
        return super()._get_key(request) if request.user.is_authenticated else None


def answer_with_refusals(api: NinjaAPI) -> None:
    """Every error of `api` has the one shape."""

    def handle(kind: type[Exception], answer: Callable[[Any], tuple[int, dict[str, Any]]]) -> None:
        def handler(request: HttpRequest, error: Any) -> HttpResponse:
            status, body = answer(error)
            return api.create_response(request, body, status=status)

        api.add_exception_handler(kind, handler)

    handle(Forbidden, lambda error: (403, refusals_json([error.refusal])))
    handle(Refused, _refused)
    handle(TransportError, _transport)
    handle(ValidationError, lambda error: (422, _validation_json(error.errors)))
    handle(Http404, lambda error: (404, not_found()))
    handle(AuthenticationError, lambda error: (401, unauthenticated()))
    handle(HttpError, _http)


def _refused(error: Refused) -> tuple[int, dict[str, Any]]:
    bad = isinstance(error, InvalidInput) or error.first.code in BAD_INPUT
    return 422 if bad else 409, refusals_json(error.refusals)


def _transport(error: TransportError) -> tuple[int, dict[str, Any]]:
    return 502, _error(error.code, translated(error.why), translated(error.fix))


def _http(error: HttpError) -> tuple[int, dict[str, Any]]:
    """Ninja's own: 403 is the CSRF check of a session, anything else a body that is no JSON."""
    if error.status_code == 403:
        why = gettext("The CSRF token is missing or wrong.")
        fix = gettext("Send it as X-CSRFToken, or use a bearer token.")
        return 403, _error("csrf", why, fix)
    if isinstance(error.__cause__, NotJson):
        why = gettext("The request does not say that it is JSON.")
        fix = gettext("Send it with “Content-Type: application/json”.")
        return 415, _error("not_json", why, fix)
    return 422, _error(
        "bad_json", gettext("The request is not valid JSON."), gettext("Correct the request.")
    )


def signed_in(request: HttpRequest) -> Any:
    """The user of a token or of the browser's session, else None; for views that Ninja does not run."""
    return Token()(request) or (request.user if request.user.is_authenticated else None)


def not_found() -> dict[str, Any]:
    why, fix = gettext("There is no such thing here."), gettext("Look at the address.")
    return _error("not_found", why, fix)


def unauthenticated() -> dict[str, Any]:
    why = gettext("Nobody is signed in.")
    fix = gettext("Send “Authorization: Bearer TOKEN”; manage.py panel_token makes one.")
    return _error("unauthenticated", why, fix)


def refusals_json(refusals: Sequence[Refusal]) -> dict[str, Any]:
    first, *others = refusals
    found = _refusal(first)
    return found | {"errors": [_refusal(each) for each in refusals]} if others else found


def _refusal(refusal: Refusal) -> dict[str, Any]:
    why, fix = translated(refusal.why), translated(refusal.fix)
    found = _error(refusal.code, why, fix, dict(refusal.evidence))
    return found | {"field": refusal.field} if refusal.field else found


def _error(
    code: str, why: str | None, fix: str | None, evidence: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"code": code, "why": why, "fix": fix, "evidence": evidence or {}}


def _validation_json(errors: Sequence[Any]) -> dict[str, Any]:
    """Pydantic's findings, one for each field; what was sent is not repeated, it may be secret."""
    fix = gettext("Correct the request.")
    found = []
    for error in errors:
        field = ".".join(
            str(part) for part in error["loc"] if part not in ("body", "data", "query")
        )
        why = f"{field}: {error['msg']}" if field else str(error["msg"])
        found.append(_error("invalid", why, fix) | {"field": field})
    return found[0] | {"errors": found} if len(found) > 1 else found[0]
