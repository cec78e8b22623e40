"""Cutting a job's bytes into journal lines: whole ones, and nothing is ever changed."""

from __future__ import annotations

# One row of the journal holds at most this much, and a longer line becomes several numbered ones.
LONGEST_CHUNK = 256 * 1024


class LineBuffer:
    """Cuts what arrives into rows. The rest is small and stays in the processor's cache."""

    def __init__(self) -> None:
        self._rest = bytearray()

    @property
    def waiting(self) -> bool:
        return bool(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The rows that became full."""
        self._rest += data
        found = []
        while len(self._rest) > LONGEST_CHUNK:
            found.append(self._take(_row_end(self._rest)))
        return found

    def whole(self) -> list[bytes]:
        """The whole lines that wait; an unfinished last line is kept back until its end comes."""
        end = self._rest.rfind(b"\n") + 1
        return [self._take(end)] if end else []

    def drain(self) -> list[bytes]:
        """Everything that waits, finished or not."""
        return [*self.whole(), *([self._take(len(self._rest))] if self._rest else [])]

    def _take(self, end: int) -> bytes:
        row = bytes(memoryview(self._rest)[:end])
        del self._rest[:end]
        return row


def _row_end(data: bytearray) -> int:
    """Where a row may end: behind its last whole line, else within a line that is too long."""
    return data.rfind(b"\n", 0, LONGEST_CHUNK) + 1 or _before_character(data, LONGEST_CHUNK)


def _before_character(data: bytearray, end: int) -> int:
    """A place to cut at or a little before `end` that does not part a UTF-8 character."""
    for place in range(end, end - 4, -1):
        if data[place] & 0xC0 != 0x80:
            return place
    return end


def split(body: bytes) -> list[bytes]:
    """The lines of a chunk, each with its newline if it has one."""
    return body.splitlines(keepends=True) if b"\r" not in body else _split(body)


def _split(body: bytes) -> list[bytes]:
    *lines, last = body.split(b"\n")
    return [line + b"\n" for line in lines] + ([last] if last else [])


def count(body: bytes) -> int:
    return body.count(b"\n") + (not body.endswith(b"\n"))
