"""Telling our scripts' own answers from a job's bytes in one stream.

An answer is one line that begins with a word drawn for this one call, so no log can hold it. Where a
job's log is in the stream, half of the word is sent where no list of processes shows it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """One answer line: its kind (HEAD, TAIL, STOP, LOCK) and the words behind it."""

    kind: str
    words: tuple[str, ...]

    def word(self, place: int) -> str:
        return self.words[place] if place < len(self.words) else ""

    def rest(self, place: int) -> str:
        return " ".join(self.words[place:])


def new_nonce() -> str:
    return f"clusterpanel:{secrets.token_hex(12)}:"


class Frames:
    """Takes a stream apart: `feed` returns log bytes and answers in order of arrival."""

    def __init__(self, nonce: str) -> None:
        self._mark = nonce.encode()
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes | Answer]:
        self._rest += data
        found: list[bytes | Answer] = []
        while (part := self._next()) is not None:
            found.append(part)
        return found

    def _next(self) -> bytes | Answer | None:
        place = self._rest.find(self._mark)
        if place == 0:
            return self._answer()
        return self._take(place if place > 0 else len(self._rest) - self._held_back())

    def _answer(self) -> Answer | None:
        line, newline, rest = self._rest.partition(b"\n")
        if not newline:
            return None
        self._rest = rest
        kind, *words = line[len(self._mark) :].decode(errors="replace").split(" ")
        return Answer(kind, tuple(words))

    def _take(self, count: int) -> bytes | None:
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken or None

    def _held_back(self) -> int:
        """How many of the last bytes may be the beginning of an answer."""
        for count in range(min(len(self._mark) - 1, len(self._rest)), 0, -1):
            if self._mark.startswith(self._rest[-count:]):
                return count
        return 0


def first_answer(nonce: str, output: bytes) -> Answer | None:
    """The first answer in a whole output; what a login script printed before it is skipped."""
    return next((part for part in Frames(nonce).feed(output) if isinstance(part, Answer)), None)
