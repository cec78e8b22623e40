"""The live end of a run's journal, read and encoded once for everybody who watches it.

Five hundred pages that wait for the same line cost one look into the database, not five hundred.
Who is behind catches up alone, to exactly where the others are.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

from django.db import Error as DatabaseError
from django.db import connection
from django.utils import translation

from operations import selectors
from operations.domain.machine import ACTIVE
from operations.line_json import Names, line_json
from operations.models import Run
from operations.runtime import journal
from operations.runtime.journal import EVENT, Line

LINES_AT_ONCE = 500
_KEPT_BYTES = 512 * 1024  # of the newest frames, for those who are one or two behind
_RETRY_S = 1.0

# Every stream reads the database through these few threads, so a thousand open pages hold a few
# connections, not a thousand.
_readers = ThreadPoolExecutor(4, thread_name_prefix="stream")
T = TypeVar("T")


@dataclass(frozen=True)
class Frame:
    """The lines behind `after` up to `last` as messages, b"" if there are none.

    `more`: ask again at once. `over`: the run had ended before these lines were read, so they are
    the last ones.
    """

    after: int
    last: int
    message: bytes
    more: bool
    over: bool


def message(kind: str, data: object, number: int | None = None) -> bytes:
    id_line = "" if number is None else f"id: {number}\n"
    return f"event: {kind}\n{id_line}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


class Together(Generic[T]):
    """Asks once for everybody who waits. Each answer was looked up after its asker had asked."""

    def __init__(self, look_up: Callable[[], Awaitable[T]]) -> None:
        self._look_up = look_up
        self._now: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def ask(self) -> T:
        if self._next is None:
            self._next = asyncio.create_task(self._work(self._now))
        return await asyncio.shield(self._next)

    async def _work(self, earlier: asyncio.Task[T] | None) -> T:
        if earlier is not None:
            await asyncio.wait([earlier])
        self._now, self._next = self._next, None
        return await self._look_up()


class LiveEnd:
    """One run in one language. It lives as long as somebody holds it."""

    def __init__(self, run_id: str, language: str) -> None:
        self._run_id, self._language = run_id, language
        self._newest = 0  # where the farthest reader stands
        self._frames: OrderedDict[int, Frame] = OrderedDict()
        self._growing = Together(self._grow)
        self._state = Together(lambda: self._read(self._snapshot))
        self._names: Names | None = None

    async def state(self) -> tuple[bytes, int]:
        """How the run stands, as a message, and the number of its newest line."""
        return await self._state.ask()

    async def next(self, after: int) -> Frame:
        """What follows line `after`, which must not be beyond the newest one."""
        self._newest = max(self._newest, after)
        while after == self._newest:
            frame = await self._growing.ask()
            if frame.after == after:
                return frame
        if kept := self._frames.get(after):
            return kept
        return await self._catch_up(after, self._newest)

    async def _catch_up(self, after: int, newest: int) -> Frame:
        wanted = min(LINES_AT_ONCE, newest - after)
        frame = await self._read(lambda: self._frame(after, wanted))
        # Nothing there: old output is just being removed, and what is left stands at the end.
        last = frame.last if frame.message else newest
        return replace(frame, last=last, more=True, over=False)

    async def _grow(self) -> Frame:
        after = self._newest
        frame = await self._read(lambda: self._frame(after, LINES_AT_ONCE))
        if frame.last > after:
            self._newest = max(self._newest, frame.last)
            self._keep(frame)
        return frame

    def _keep(self, frame: Frame) -> None:
        # Not its end: a run that is over may be resumed, and a late reader asks anew.
        self._frames[frame.after] = replace(frame, more=True, over=False)
        while sum(len(each.message) for each in self._frames.values()) > _KEPT_BYTES:
            self._frames.popitem(last=False)

    def _frame(self, after: int, wanted: int) -> Frame:
        # Whether the run is over is read first: then no line can come after the ones we get.
        state = Run.objects.values_list("state", flat=True).get(pk=self._run_id)
        lines = journal.read(self._run_id, after=after, limit=wanted)
        full = len(lines) == wanted
        last = lines[-1].number if lines else after
        return Frame(after, last, self._encode(lines), full, state not in ACTIVE and not full)

    def _encode(self, lines: list[Line]) -> bytes:
        """The lines, and a new state behind events."""
        if not lines:
            return b""
        if self._names is None:
            self._names = Names.of(Run.objects.get(pk=self._run_id))
        names = self._names
        said = message("lines", {"lines": [line_json(x, names) for x in lines]}, lines[-1].number)
        return said + self._snapshot()[0] if any(x.kind == EVENT for x in lines) else said

    def _snapshot(self) -> tuple[bytes, int]:
        run = Run.objects.select_related("cluster", "started_by").get(pk=self._run_id)
        snapshot = selectors.run_snapshot(run)
        return message("state", snapshot), snapshot["last_line"]

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
            with translation.override(self._language):
                return work()
        except DatabaseError:
            connection.close()
            raise


_Ends = WeakValueDictionary[tuple[str, str], LiveEnd]
_ends: WeakKeyDictionary[asyncio.AbstractEventLoop, _Ends] = WeakKeyDictionary()


def live_end(run_id: str, language: str) -> LiveEnd:
    """The same one for everybody in this event loop who watches the run in this language."""
    ends = _ends.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    return ends.setdefault((run_id, language), LiveEnd(run_id, language))
