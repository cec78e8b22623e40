"""Headers that every answer carries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

JSON = "application/json"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class ContentSecurityPolicy:
    """No inline script or style, nothing from another host; nothing is kept by who stands between."""

    sync_capable = True
    async_capable = True

    def __init__(
        self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]
    ) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        response = self.get_response(request)
        if isinstance(response, HttpResponseBase):
            return _with_headers(request, response)
        return _later(request, response)


async def _later(request: HttpRequest, response: Awaitable[HttpResponseBase]) -> HttpResponseBase:
    return _with_headers(request, await response)


def _with_headers(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    # Neither a proxy nor the "back" of a browser shows a page after the sign-out. Sheets and scripts
    # have their own word about it.
    headers.setdefault("Cache-Control", "no-store")
    if request.path.startswith("/api/") and headers.get("Content-Type", "").startswith(JSON):
        headers.setdefault("Content-Disposition", 'attachment; filename="api.json"')
    if settings.SIMULATED_NODES:  # for scripts, as the notice on every page is for people
        response.headers["Panel-Servers"] = "simulated"
    return response
