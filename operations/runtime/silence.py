"""A node that does not answer: wait, try again, say so once, and give up after a long time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.utils import timezone

from nodes.domain.text import Text, say
from nodes.transport.base import (
    AuthFailed,
    ConnectionLost,
    HostKeyChanged,
    HostKeyUnknown,
    TransportError,
)
from operations.runtime.lease import Lease, LeaseLost

FINAL = (HostKeyChanged, HostKeyUnknown, AuthFailed)  # trying again cannot help
_FIRST_PAUSE_S = 0.25
_CUT_AGAIN_S = (0.0, 0.25, 1.0)

Answer = TypeVar("Answer")


def through_cuts(ask: Callable[[], Answer]) -> Answer:
    """Ask again when the connection was cut under the question; only for what may be done twice.

    Raises the TransportError of the last try, and any other one at once.
    """
    for length in _CUT_AGAIN_S:
        try:
            return ask()
        except ConnectionLost:
            time.sleep(length)
    return ask()


class Silence:
    """Counts from the first failure to the first answer."""

    def __init__(
        self, node: str, patience_s: float, longest_s: float, tell: Callable[[str, Text], None]
    ) -> None:
        self._node, self._patience_s, self._longest_s = node, patience_s, longest_s
        self._tell = tell
        self._since: float | None = None
        self._failures = 0

    def broken(self, error: TransportError) -> float:
        """The pause before the next try. Raises `error` when the patience is over."""
        now = time.monotonic()
        self._failures += 1
        if self._since is None:
            self._since = now
            return 0  # most cuts are short: the first try comes at once, without a word
        if now - self._since > self._patience_s:
            raise error
        if self._failures == 2:
            self._tell("silent", self._sentence(error))
        return float(min(_FIRST_PAUSE_S * 2 ** min(self._failures - 2, 10), self._longest_s))

    def _sentence(self, error: TransportError) -> Text:
        return say(
            "%(node)s does not answer since %(since)s; nothing is lost, trying again. (%(why)s)",
            node=self._node,
            since=f"{timezone.now():%H:%M:%S} UTC",
            why=error.why,
        )

    def answered(self) -> None:
        if self._failures > 1:
            self._tell("answers", say("%(node)s answers again.", node=self._node))
        self._since, self._failures = None, 0


def pause(lease: Lease, seconds: float, *, until_cancelled: bool = True) -> bool:
    """Wait. True if a person asked to cancel meanwhile. Raises LeaseLost."""
    deadline = time.monotonic() + seconds
    while True:
        if lease.lost.is_set():
            raise LeaseLost(lease.run_id)
        if until_cancelled and lease.cancel.is_set():
            return True
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, 0.1))
