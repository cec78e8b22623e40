"""A run's numbered journal: what the jobs printed, byte for byte, and what the panel did about it.

Every line has a number; numbers have no gap; a line is in the database before anyone is told (law 7).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from operations.models import JournalChunk, Run, RunStep
from operations.runtime import lines
from operations.runtime.lease import LeaseLost

OUTPUT, EVENT = "output", "event"
_ROWS_AT_ONCE = 8  # a row may hold a quarter of a megabyte


@dataclass(frozen=True)
class Line:
    """One numbered line. `data` is what the node has, with its newline if it has one."""

    number: int
    kind: str
    step: str
    attempt: int
    data: bytes
    at: datetime

    @property
    def text(self) -> str:
        """For a person's eyes: bytes that are not UTF-8 replaced, without the newline."""
        return self.data.removesuffix(b"\n").decode(errors="replace")

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.data)
        return found


def append_output(
    *, run_id: str, fence: int, step: str, attempt: int, chunks: Sequence[bytes]
) -> int:
    """Add to a step's log where it ended so far; the number of the newest line.

    Raises LeaseLost, and then nothing was written.
    """
    counts = [lines.count(body) for body in chunks]
    with transaction.atomic():
        first = _take_numbers(run_id, fence, sum(counts))
        row = RunStep.objects.filter(run_id=run_id, key=step)
        offset = row.values_list("log_bytes", flat=True).get()
        row.update(log_bytes=F("log_bytes") + sum(map(len, chunks)))
        common = {"run_id": run_id, "step_key": step, "attempt": attempt}
        JournalChunk.objects.bulk_create(_rows(common, first, offset, chunks, counts))
    return first + sum(counts) - 1


def _rows(
    common: Mapping[str, Any],
    first: int,
    offset: int,
    chunks: Iterable[bytes],
    counts: Iterable[int],
) -> Iterator[JournalChunk]:
    now = timezone.now()
    for body, count in zip(chunks, counts, strict=True):
        yield JournalChunk(
            **common,
            kind=OUTPUT,
            first_line=first,
            line_count=count,
            byte_offset=offset,
            body=body,
            at=now,
        )
        first += count
        offset += len(body)


def append_event(*, run_id: str, fence: int | None, event: Mapping[str, Any]) -> int:
    """Add one event; its line number. `fence` None: a person's doing, not a worker's.

    Keys used by readers: type, step, node, state, attempt, exit_code, text (a Text as JSON).
    """
    return append_events(run_id=run_id, fence=fence, events=[event])


def append_events(*, run_id: str, fence: int | None, events: Sequence[Mapping[str, Any]]) -> int:
    """Several events, one line each; the number of the newest. Raises LeaseLost."""
    with transaction.atomic():
        first = _take_numbers(run_id, fence, len(events))
        now = timezone.now()
        JournalChunk.objects.bulk_create(
            JournalChunk(
                run_id=run_id,
                first_line=first + place,
                line_count=1,
                kind=EVENT,
                step_key=event.get("step") or "",
                attempt=event.get("attempt") or 0,
                body=json.dumps({**event, "at": now.isoformat()}, ensure_ascii=False).encode(),
                at=now,
            )
            for place, event in enumerate(events)
        )
    return first + len(events) - 1


def _take_numbers(run_id: str, fence: int | None, wanted: int) -> int:
    """The first of `wanted` line numbers. The update locks the row: two writers never share one."""
    ours = Run.objects.filter(pk=run_id) if fence is None else fenced(run_id, fence)
    if not ours.update(next_line=F("next_line") + wanted):
        raise LeaseLost(run_id)
    return ours.values_list("next_line", flat=True).get() - wanted


def fenced(run_id: str, fence: int) -> Any:
    """The run's row, for a write that a stale worker must not make."""
    return Run.objects.filter(pk=run_id, fence=fence)


def read(run_id: str, *, after: int = 0, limit: int = 1000, step: str = "") -> list[Line]:
    """The lines with numbers above `after`, at most `limit`; of one step only if it is named."""
    rows = JournalChunk.objects.filter(run_id=run_id)
    # The chunk that holds the first wanted line: found by the index, however long the journal is.
    held = rows.filter(first_line__lte=after + 1).order_by("-first_line")
    start = held.values_list("first_line", flat=True).first() or 0
    chunks = rows.filter(first_line__gte=start).order_by("first_line")
    narrow = {"step_key": step} if step else {"first_line__lte": after + limit}
    found: list[Line] = []
    for chunk in chunks.filter(**narrow).iterator(chunk_size=_ROWS_AT_ONCE):
        found += _lines(chunk, after, limit - len(found))
        if len(found) >= limit:
            break
    return found


def _lines(chunk: JournalChunk, after: int, most: int) -> list[Line]:
    """The chunk's lines above `after`, at most so many."""
    skip = max(0, after + 1 - chunk.first_line)
    wanted = lines.split(bytes(chunk.body))[skip : skip + most]
    return [
        Line(number, chunk.kind, chunk.step_key, chunk.attempt, data, chunk.at)
        for number, data in enumerate(wanted, chunk.first_line + skip)
    ]


def last_line(run_id: str) -> int:
    """The number of the newest line, 0 if there is none."""
    return Run.objects.values_list("next_line", flat=True).get(pk=run_id) - 1


def log_bytes(run_id: str, step: str, attempt: int) -> Iterator[bytes]:
    """A job's log exactly as the node has it, in pieces."""
    chunks = JournalChunk.objects.filter(
        run_id=run_id, kind=OUTPUT, step_key=step, attempt=attempt
    ).order_by("byte_offset")
    bodies = chunks.values_list("body", flat=True)
    yield from map(bytes, bodies.iterator(chunk_size=_ROWS_AT_ONCE))
