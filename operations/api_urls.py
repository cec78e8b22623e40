"""Addresses below /api/v1/: Ninja's, a run's stream, and an answer for every other."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path, re_path
from django.views.decorators.csrf import csrf_exempt

from clusterpanel.api import not_found, refusals_json, signed_in, unauthenticated
from clusterpanel.people.rules import Forbidden
from operations.api import api
from operations.models import Run
from operations.stream import run_events


@login_not_required
async def events(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """GET: the run's server-sent events. Not Ninja's: its sign-in cannot be asked from async code."""
    try:
        if await sync_to_async(signed_in)(request) is None:
            return JsonResponse(unauthenticated(), status=401)
    except Forbidden as error:
        return JsonResponse(refusals_json([error.refusal]), status=403)
    if not await Run.objects.filter(pk=run_id).aexists():
        return JsonResponse(not_found(), status=404)
    return await run_events(request, run_id)


@login_not_required
@csrf_exempt
def nowhere(request: HttpRequest, rest: str = "") -> JsonResponse:
    """Any other address below /api/v1/."""
    return JsonResponse(not_found(), status=404)


def _patterns() -> list[URLPattern | URLResolver]:
    """Ninja asks who is there itself and answers 401; the page's redirect to the sign-in is for people."""
    found, _, _ = api.urls
    for pattern in found:
        if isinstance(pattern, URLPattern):
            root = pattern.name == "api-root"  # a page of Ninja's own
            pattern.callback = nowhere if root else login_not_required(pattern.callback)
    return [
        path("runs/<str:run_id>/events", events),
        *found,
        re_path(r"^(?P<rest>(?s:.*))\Z", nowhere),
    ]


urls = (_patterns(), "ninja", "api")
