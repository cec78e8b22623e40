"""Server-sent events of one run: every journal line once, in order, without a gap.

The journal is read after subscribing, so nothing falls between the two; ids are journal numbers, so
a browser that reconnects says where it was. An outage of Redis slows the stream to one look a second.
It ends without `end` when whoever watches may not any more (`people.admission`).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import close_old_connections
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils import translation
from django.views.decorators.http import require_safe

from clusterpanel.people.admission import Admission, admission, doorkeeper
from operations.live import live_end, message
from operations.models import Run
from operations.runtime.hub import hub

HEARTBEAT_S = 10.0


@require_safe
async def run_events(request: HttpRequest, run_id: str) -> StreamingHttpResponse:
    """GET; `Last-Event-ID` or `?after=` says which line the browser has already."""
    if not await Run.objects.filter(pk=run_id).aexists():
        raise Http404(run_id)
    language = translation.get_language() or "en"
    events = _events(run_id, _after(request), language, admission(request))
    response = StreamingHttpResponse(events, content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    response.headers["Content-Encoding"] = "identity"  # compressed pieces would be held back
    await _let_the_thread_go()
    return response


async def _let_the_thread_go() -> None:
    """The sign-in was read in a thread of this request's own, which would live as long as the
    stream: hundreds of pages would be hundreds of threads, each with a connection.
    """
    await sync_to_async(close_old_connections)()
    context = SyncToAsync.thread_sensitive_context.get(None)
    if context and (thread := SyncToAsync.context_to_thread_executor.pop(context, None)):
        thread.shutdown(wait=False)


def _after(request: HttpRequest) -> int:
    given = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    return int(given) if given.isdecimal() and len(given) < 12 else 0


async def _events(run_id: str, after: int, language: str, by: Admission) -> AsyncIterator[bytes]:
    live = live_end(run_id, language)
    with (
        hub().subscribe(run_id) as subscription,
        doorkeeper().watches(by, subscription.wake) as stay,
    ):
        state, newest = await live.state()
        yield state
        after, spoke = min(after, newest), time.monotonic()
        while not stay.over:
            frame = await live.next(after)
            after = frame.last
            if frame.message:
                yield frame.message
                spoke = time.monotonic()
            if frame.over:
                yield message("end", {}, after)
                return
            if frame.more:
                continue
            if time.monotonic() - spoke >= HEARTBEAT_S:
                yield b": still here\n\n"  # keeps proxies and the browser from giving up
                spoke = time.monotonic()
            await subscription.wait(HEARTBEAT_S)
