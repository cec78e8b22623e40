"""Whether what a proof waits for gets on, and how fast. Pure: the caller brings the time."""

from __future__ import annotations

from nodes.domain.text import Text, say
from operations.domain.proofs.base import NotYet


class Progress:
    """Remembers the last count of bytes, and the fewest files that ever waited for healing.

    Bytes count when they change at all: a joiner first throws its old data away. Files count only
    when they become fewer than ever: a backlog that goes up and down under load is not healing.
    """

    def __init__(self, now: float) -> None:
        self._at = now
        self._received: int | None = None
        self._fewest: int | None = None
        self._rate: float | None = None

    def moved(self, seen: NotYet, now: float) -> bool:
        """`now` in seconds of any steady clock."""
        return self._bytes(seen.received, now) or self._files(seen.left)

    def _bytes(self, received: int | None, now: float) -> bool:
        before, since = self._received, self._at
        if received is None:
            self._received = self._rate = None
            return before is not None  # a transfer that has ended is a step forward, too
        if received == before:
            return False
        self._received, self._at = received, now
        fits = before is not None and received > before and now > since
        self._rate = (received - before) / (now - since) if fits and before is not None else None
        return True

    def _files(self, left: int | None) -> bool:
        if left is None or (self._fewest is not None and left >= self._fewest):
            return False
        self._fewest = left
        return True

    def told(self, seen: NotYet) -> Text:
        """The proof's sentence, with the rate of a transfer where one is known."""
        if seen.received is None or self._rate is None:
            return seen.sentence
        rate = f"{self._rate / 1e6:.1f}"
        return say("%(what)s %(rate)s MB/s.", what=seen.sentence, rate=rate)
