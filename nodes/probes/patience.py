"""How soon a node that could not be asked is tried again: soon at first, then more rarely.

A refused login is repeated once a minute only: servers lock out whoever knocks too often.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from nodes.domain.observation import NodeFacts, Unknown
from nodes.transport.base import Target

LONGEST_S = 10.0
REFUSED_S = 60.0
_REFUSED = frozenset({"ssh_auth", "host_key_unknown", "host_key_changed"})


def wait_s(failures: int, code: str) -> float:
    """Seconds until the next try after so many failures in a row, the last one of this code."""
    if code in _REFUSED:
        return REFUSED_S
    return 0.0 if failures < 2 else min(LONGEST_S, 2.0 ** (failures - 1))


@dataclass(frozen=True)
class _Failed:
    facts: NodeFacts
    failures: int
    again_at: float


class Patience:
    """What happened to each target last. `clock` gives seconds, `wall` the time of day."""

    def __init__(self, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self._clock, self._wall = clock, wall
        self._lock = threading.Lock()
        self._failed: dict[Target, _Failed] = {}

    def instead(self, target: Target, answered_at: float = 0.0) -> NodeFacts | None:
        """The reason that still holds, dated now; None: ask the node.

        `answered_at`: when the node last answered anybody, this process or another (seconds since
        the epoch). An answer later than the reason ends it: a person has put it right.
        """
        with self._lock:
            last = self._failed.get(target)
            if last is not None and answered_at > last.facts.taken_at:
                del self._failed[target]
                return None
        if last is None or self._clock() >= last.again_at:
            return None
        return replace(last.facts, taken_at=self._wall())

    def heard(self, target: Target, facts: NodeFacts) -> None:
        """Whatever came of asking."""
        with self._lock:
            if not isinstance(facts.ssh, Unknown):
                self._failed.pop(target, None)
                return
            last = self._failed.get(target)
            failures = last.failures + 1 if last else 1
            again_at = self._clock() + wait_s(failures, facts.ssh.code)
            self._failed[target] = _Failed(facts, failures, again_at)
