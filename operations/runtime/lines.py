"""Cutting a job's bytes into journal lines: whole ones, and nothing is ever changed."""

from __future__ import annotations

LONGEST_LINE = 256 * 1024  # a longer line becomes several numbered ones
LONGEST_CHUNK = 256 * 1024  # one row of the journal holds about this much


class LineBuffer:
    """Keeps an unfinished last line back until its end comes, or until `drain`."""

    def __init__(self) -> None:
        self._rest = bytearray()

    @property
    def waiting(self) -> bool:
        return bool(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The chunks that are ready; together with what is kept back they are all bytes so far."""
        self._rest += data
        end = self._rest.rfind(b"\n", len(self._rest) - len(data)) + 1
        if end == 0 and len(self._rest) <= LONGEST_LINE:
            return []
        ready = bytes(self._rest[:end])
        del self._rest[:end]
        chunks = list(_chunks(ready))
        while len(self._rest) > LONGEST_LINE:
            chunks.append(self._cut())
        return chunks

    def drain(self) -> list[bytes]:
        """Everything that is kept back, finished or not."""
        rest = bytes(self._rest)
        self._rest.clear()
        return list(_chunks(rest))

    def _cut(self) -> bytes:
        end = _before_character(self._rest, LONGEST_LINE)
        piece = bytes(self._rest[:end])
        del self._rest[:end]
        return piece


def _before_character(data: bytes | bytearray, end: int) -> int:
    """A place to cut at or a little before `end` that does not part a UTF-8 character."""
    for place in range(end, end - 4, -1):
        if data[place] & 0xC0 != 0x80:
            return place
    return end


def _chunks(data: bytes) -> list[bytes]:
    """Rows of about LONGEST_CHUNK bytes; each ends with a whole line or is a piece of a long one."""
    found: list[bytes] = []
    start = 0
    while start < len(data):
        end = _row_end(data, start)
        found.append(data[start:end])
        start = end
    return found


def _row_end(data: bytes, start: int) -> int:
    limit = min(start + LONGEST_CHUNK, len(data))
    if last := data.rfind(b"\n", start, limit) + 1:
        return last
    if limit == len(data):
        return limit
    return _before_character(data, limit)


def split(body: bytes) -> list[bytes]:
    """The lines of a chunk, each with its newline if it has one."""
    return body.splitlines(keepends=True) if b"\r" not in body else _split(body)


def _split(body: bytes) -> list[bytes]:
    *lines, last = body.split(b"\n")
    return [line + b"\n" for line in lines] + ([last] if last else [])


def count(body: bytes) -> int:
    return body.count(b"\n") + (not body.endswith(b"\n"))
