"""Finding lines of a run's output by what a person reads, not by the escapes around it.

A journal may have a million lines, so whole rows of it are looked at; single lines only where
something was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from operations.domain import line_level
from operations.line_json import LONGEST
from operations.models import JournalChunk, Run
from operations.plain_text import bytes_without_escapes
from operations.runtime.journal import OUTPUT

MOST = 10_000  # numbers that one answer names
BEHIND = 1000  # of them before the line that was asked for, if there are so many


@dataclass(frozen=True)
class Found:
    """`total` of the lines up to `last` match; `numbers` are some of them in order, and `before` come
    before the first of those.
    """

    last: int
    total: int = 0
    before: int = 0
    numbers: list[int] = field(default_factory=list)


# The lines of one journal row that match, by their place in it.
Matcher = Callable[[bytes], list[int]]


def containing(run: Run, needle: str, near: int = 1) -> Found:
    """The lines that contain `needle`, whatever the case; the numbers are those around `near`."""
    return _around(run, _holding(needle.lower()), near)


def reading_like(run: Run, level: str, near: int = 1) -> Found:
    """The same for lines that read like an error, or a warning."""
    return _around(run, _of_level(level), near)


def first_error(run: Run, step: str = "") -> int | None:
    """The first line that reads like an error; of one step if it is named."""
    errors = _of_level(line_level.ERROR)
    rows = _rows(run.pk, range(1, run.next_line), step)
    return next((first + place for first, body in rows for place in errors(body)), None)


def _rows(run_id: str, lines: range, step: str = "") -> Iterator[tuple[int, bytes]]:
    """The journal's output: first line and bytes of each row, few of them in memory at a time."""
    rows = JournalChunk.objects.filter(
        run_id=run_id, kind=OUTPUT, first_line__gte=lines.start, first_line__lt=lines.stop
    )
    if step:
        rows = rows.filter(step_key=step)
    ordered = rows.order_by("first_line").values_list("first_line", "body")
    for first, body in ordered.iterator(chunk_size=8):
        yield first, bytes(body)


def _around(run: Run, matching: Matcher, near: int) -> Found:
    """All are counted; if there are more than MOST, the rows around `near` are looked at again.

    The run may still print: what comes while we look is for the next one who asks.
    """
    last = run.next_line - 1
    counts: list[tuple[int, int]] = []
    numbers: list[int] = []
    for first, body in _rows(run.pk, range(1, last + 1)):
        places = matching(body)
        counts.append((first, len(places)))
        if len(numbers) <= MOST:
            numbers += [first + place for place in places]
    total = sum(count for _, count in counts)
    if total <= MOST:
        return Found(last, total, 0, numbers)
    at = _first_row(counts, near)
    before = sum(count for _, count in counts[:at])
    lines = range(counts[at][0], last + 1)
    return Found(last, total, before, _numbers(run.pk, matching, lines, near))


def _first_row(counts: list[tuple[int, int]], near: int) -> int:
    """The row to begin with, so that enough is found before line `near` too."""
    at = max((at for at, (first, _) in enumerate(counts) if first <= near), default=0)
    behind = 0
    while at > 0 and behind < BEHIND:
        at -= 1
        behind += counts[at][1]
    return at


def _numbers(run_id: str, matching: Matcher, lines: range, near: int) -> list[int]:
    numbers: list[int] = []
    for first, body in _rows(run_id, lines):
        numbers += [first + place for place in matching(body)]
        if len(numbers) >= MOST and numbers[-1] > near:
            break
    return numbers


def _holding(needle: str) -> Matcher:
    """Only lines that are not ASCII have to be decoded, and only for a needle that is not."""
    if not needle.isascii():
        return lambda body: [
            place
            for place, line in enumerate(bytes_without_escapes(body).split(b"\n"))
            if not line.isascii() and needle in line.decode(errors="replace").lower()
        ]
    low = needle.encode()

    def lines(body: bytes) -> list[int]:
        text = bytes_without_escapes(body).lower()
        if low not in text:
            return []
        return [place for place, line in enumerate(text.split(b"\n")) if low in line]

    return lines


def _of_level(wanted: str) -> Matcher:
    def lines(body: bytes) -> list[int]:
        text = bytes_without_escapes(body)
        return [place for place, line in _hinted(text) if line_level.level(line) == wanted]

    return lines


def _hinted(text: bytes) -> Iterator[tuple[int, str]]:
    """The lines, with their places, that may read like an error."""
    low = text.lower()
    place = at = 0
    while at >= 0 and (hint := line_level.HINT.search(low, at)):
        start = low.rfind(b"\n", at, hint.start()) + 1 or at
        place += low.count(b"\n", at, start)
        at = low.find(b"\n", hint.end())
        line = text[start : at if at >= 0 else len(text)]
        yield place, line.decode(errors="replace")[:LONGEST]
