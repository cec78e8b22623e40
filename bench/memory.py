"""How much memory processes hold at most while something is measured."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

EVERY_S = 0.1


class Peak:
    """Looks at some processes ten times a second; `mb` is the largest resident size of any one."""

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        self.mb = 0.0
        self._pids = list(pids())
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(EVERY_S):
            self.mb = max(self.mb, *map(resident_mb, self._pids))


def resident_mb(pid: int) -> float:
    """0 for a process that is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0
