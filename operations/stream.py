"""Server-sent events of one run: every journal line once, in order, without a gap.

The journal is read after subscribing, so nothing falls between the two; ids are journal numbers, so
a browser that reconnects says where it was. An outage of Redis slows the stream to one look a second.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils import translation

from operations import selectors
from operations.domain.machine import ACTIVE
from operations.line_json import Names, line_json
from operations.models import Run
from operations.runtime import journal
from operations.runtime.hub import hub
from operations.runtime.journal import EVENT, Line

HEARTBEAT_S = 10.0
LINES_AT_ONCE = 500
_RETRY_S = 1.0

# Every stream reads the database through these few threads, so a thousand open pages hold a few
# connections, not a thousand.
_readers = ThreadPoolExecutor(4, thread_name_prefix="stream")
T = TypeVar("T")


async def run_events(request: HttpRequest, run_id: str) -> StreamingHttpResponse:
    """GET; `Last-Event-ID` or `?after=` says which line the browser has already."""
    if not await Run.objects.filter(pk=run_id).aexists():
        raise Http404(run_id)
    language = translation.get_language() or "en"
    response = StreamingHttpResponse(
        _events(run_id, _after(request), language), content_type="text/event-stream"
    )
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    response.headers["Content-Encoding"] = "identity"  # compressed pieces would be held back
    # The sign-in was read in a thread of this request, which lives as long as the stream does.
    await sync_to_async(close_old_connections)()
    return response


def _after(request: HttpRequest) -> int:
    given = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    return int(given) if given.isdecimal() and len(given) < 12 else 0


async def _events(run_id: str, after: int, language: str) -> AsyncIterator[bytes]:
    with hub().subscribe(run_id) as subscription:
        feed = _Feed(run_id, after, language)
        yield await feed.state()
        spoke = time.monotonic()
        while True:
            async for piece in feed.news():
                yield piece
                spoke = time.monotonic()
            if feed.over:
                yield _message("end", {}, feed.after)
                return
            if time.monotonic() - spoke >= HEARTBEAT_S:
                yield b": still here\n\n"  # keeps proxies and the browser from giving up
                spoke = time.monotonic()
            await subscription.wait(HEARTBEAT_S)


class _Feed:
    """Where one browser stands in one journal."""

    def __init__(self, run_id: str, after: int, language: str) -> None:
        self.run_id, self.after, self.language = run_id, after, language
        self.over = False
        self._names: Names | None = None

    async def state(self) -> bytes:
        return _message("state", await self._read(self._snapshot))

    async def news(self) -> AsyncIterator[bytes]:
        """All lines that are there now, and a new state after events."""
        while True:
            ended, lines, data = await self._read(self._lines)
            if lines:
                self.after = lines[-1].number
                yield _message("lines", {"lines": data}, self.after)
            if any(line.kind == EVENT for line in lines):
                yield await self.state()
            if len(lines) < LINES_AT_ONCE:
                self.over = ended
                return

    def _lines(self) -> tuple[bool, list[Line], list[dict[str, Any]]]:
        """Whether the run was over is read first: then no line can come after the ones we get."""
        run = Run.objects.get(pk=self.run_id)
        if self._names is None:
            self._names = Names.of(run)
        lines = journal.read(self.run_id, after=self.after, limit=LINES_AT_ONCE)
        names = self._names
        return run.state not in ACTIVE, lines, [line_json(line, names) for line in lines]

    def _snapshot(self) -> dict[str, Any]:
        return selectors.run_snapshot(Run.objects.select_related("cluster").get(pk=self.run_id))

    async def _read(self, work: Callable[[], T]) -> T:
        """In a reader thread; a database that is away for a while is waited for."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(_readers, self._in_language, work)
            except DatabaseError:
                await asyncio.sleep(_RETRY_S)

    def _in_language(self, work: Callable[[], T]) -> T:
        try:
            with translation.override(self.language):
                return work()
        except DatabaseError:
            connection.close()
            raise


def _message(kind: str, data: object, number: int | None = None) -> bytes:
    id_line = "" if number is None else f"id: {number}\n"
    return f"event: {kind}\n{id_line}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
