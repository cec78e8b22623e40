"""Finding lines of a run's output by what a person reads, not by the escapes around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from operations.models import JournalChunk
from operations.plain_text import strip_escapes
from operations.runtime import lines
from operations.runtime.journal import OUTPUT

# Words of a line that is worth looking at first when a step failed.
_ERROR = re.compile(
    r"\b(?:error|fatal|failed|failure|cannot|can't|denied|refused|no such|not found|"
    r"unable|timed? ?out|aborting|exception)\b"
)
_STARTS_ESCAPE = re.compile("[\x1b\x80-\x9f]")


def containing(run_id: str, needle: str) -> Iterator[int]:
    """The numbers of the lines that contain `needle`, whatever the case."""
    low = needle.lower()
    return _matching(run_id, lambda text: low in text)


def errors(run_id: str, step: str = "") -> Iterator[int]:
    """The numbers of the lines that read like an error; of one step if it is named."""
    return _matching(run_id, lambda text: _ERROR.search(text) is not None, step)


def _matching(run_id: str, holds: Callable[[str], bool], step: str = "") -> Iterator[int]:
    """`holds` is asked with lower-case text; first about a whole chunk, most of which have nothing."""
    chunks = JournalChunk.objects.filter(run_id=run_id, kind=OUTPUT).order_by("first_line")
    if step:
        chunks = chunks.filter(step_key=step)
    for first, raw in chunks.values_list("first_line", "body").iterator(chunk_size=50):
        body = bytes(raw)
        if _may_hold(body.decode(errors="replace").lower(), holds):
            yield from _in_chunk(first, body, holds)


def _may_hold(text: str, holds: Callable[[str], bool]) -> bool:
    """An escape inside a word hides it from a look at the whole."""
    return holds(text) or _STARTS_ESCAPE.search(text) is not None


def _in_chunk(first: int, body: bytes, holds: Callable[[str], bool]) -> Iterator[int]:
    for number, line in enumerate(lines.split(body), first):
        if holds(strip_escapes(line.removesuffix(b"\n").decode(errors="replace")).lower()):
            yield number
