"""Whether what a proof waits for gets on, and how fast. Pure: the caller brings the time."""

from __future__ import annotations

from nodes.domain.text import Text, say
from operations.domain.proofs.base import NotYet

# A brick starts within a minute of its server, if it does. Then a person has something better to do
# than to wait: no other run can begin before this one ends.
REMEDY_S = 180.0


class Progress:
    """Remembers the last count of bytes, and the fewest files that ever waited for healing.

    Bytes count when they change at all: a joiner first throws its old data away. Files count only
    when they become fewer than ever: a backlog that goes up and down under load is not healing.
    """

    def __init__(self, now: float) -> None:
        self._at = now
        self._bytes: tuple[int, int] | None = None
        self._fewest: int | None = None
        self._rate: float | None = None
        self._stuck_at: float | None = None

    def moved(self, seen: NotYet, now: float) -> bool:
        """`now` in seconds of any steady clock."""
        if not seen.remedy:
            self._stuck_at = None
        elif self._stuck_at is None:
            self._stuck_at = now
        return self._transfer(seen, now) or self._files(seen.left)

    def hopeless(self, now: float) -> bool:
        """The same kind of thing was missing for long, and a person can mend it."""
        return self._stuck_at is not None and now - self._stuck_at >= REMEDY_S

    def _transfer(self, seen: NotYet, now: float) -> bool:
        before = self._bytes
        if seen.received is None:
            self._bytes = self._rate = None
            return before is not None  # a transfer that has ended is a step forward, too
        found = (seen.received, seen.written or 0)
        if found == before:
            return False
        self._rate = self._measured(before, found, now - self._at)
        self._bytes, self._at = found, now
        return True

    @staticmethod
    def _measured(
        before: tuple[int, int] | None, found: tuple[int, int], seconds: float
    ) -> float | None:
        """Bytes a second. A file that grows is also written: the larger one is what came."""
        if before is None or seconds <= 0:
            return None
        grown = max(found[0] - before[0], found[1] - before[1])
        return grown / seconds if grown > 0 else None

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
