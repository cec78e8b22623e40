"""Copying a job's log into the journal until the job is over, through any number of cut connections."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from nodes.domain.text import Text, say
from nodes.transport.base import TransportError
from operations.runtime import journal, store
from operations.runtime.jobs import RUNS, Begun, Following, Head, Job, Tail, following, silent
from operations.runtime.lease import Lease, LeaseLost
from operations.runtime.lines import LineBuffer
from operations.runtime.ports import Ports
from operations.runtime.silence import FINAL, Silence, pause

BATCH_S = 0.02  # what arrives within it is stored in one transaction
BATCH_BYTES = 4 * 1024 * 1024  # or so much, however fast it comes
UNFINISHED_S = 2.0  # a last line without its end is shown after so much silence
_AGAIN_S = 0.05  # between two attachments to a node that answers
_TICK_S = 0.2  # how soon a wish to cancel is seen


class Cancelled(Exception):
    """A person asked to cancel while the job was followed."""


class Copy:
    """The journal's side of one job: knows how many bytes it has and stores them in small batches."""

    def __init__(self, lease: Lease, ports: Ports, job: Job, offset: int) -> None:
        self._lease, self._ports, self._job = lease, ports, job
        self.offset = offset
        self._buffer = LineBuffer()
        self._rows: list[bytes] = []
        self._fresh = (
            0  # bytes that came since it was stored last: many small pieces become one row
        )
        self._stored_at = self._fed_at = 0.0

    def feed(self, data: bytes) -> None:
        self.offset += len(data)
        self._fed_at = time.monotonic()
        self._fresh += len(data)
        self._rows += self._buffer.feed(data)
        if self._fed_at - self._stored_at >= BATCH_S or self._fresh >= BATCH_BYTES:
            self._store()

    def wait_s(self) -> float:
        """How long reading may wait before `idle` has to be called."""
        if self._fresh:
            return max(0.001, self._stored_at + BATCH_S - time.monotonic())
        return _TICK_S

    def idle(self) -> None:
        """Nothing came within `wait_s`."""
        silent = time.monotonic() - self._fed_at >= UNFINISHED_S
        self._store(unfinished=silent and self._buffer.waiting)

    def finish(self) -> None:
        self._store(unfinished=True)

    def _store(self, *, unfinished: bool = False) -> None:
        ready = self._rows + (self._buffer.drain() if unfinished else self._buffer.whole())
        self._rows, self._fresh = [], 0
        if not ready:
            return
        newest = journal.append_output(
            run_id=self._job.run,
            fence=self._lease.fence,
            step=self._job.step,
            attempt=self._job.attempt,
            chunks=ready,
        )
        self._stored_at = time.monotonic()
        self._ports.notify(self._job.run, newest)


class Follower:
    """Starts one job or attaches to it, and stays with it to the end."""

    def __init__(
        self,
        lease: Lease,
        ports: Ports,
        job: Job,
        offset: int,
        *,
        expected_s: float = math.inf,
        allowed: Callable[[], bool] = lambda: True,
    ) -> None:
        """`allowed` is asked again before every try to start: a silent node may cost minutes."""
        self._lease, self._ports, self._job = lease, ports, job
        self._allowed = allowed
        self._copy = Copy(lease, ports, job, offset)
        self._long_at = time.monotonic() + expected_s
        self._silence = Silence(job.node, ports.patience_s, ports.longest_pause_s, self._tell)
        self._attached = self._heard = False
        self._wanted = -1  # size of the log when the job was seen to be over

    def to_the_end(self, *, may_start: bool) -> Head | Tail:
        """A Head that is not in RUNS: nothing was started. A Tail: the job is over.

        Raises TransportError when the node is given up, Cancelled, LeaseLost.
        """
        while True:
            self._heard = False
            try:
                found = self._once(may_start)
                if found is None and not self._heard:
                    raise silent(self._job.node, b"")
            except FINAL:
                self._copy.finish()
                raise
            except TransportError as error:
                if pause(self._lease, self._silence.broken(error)):
                    raise Cancelled from error
                continue
            if found is not None:
                return found
            pause(self._lease, _AGAIN_S)

    def _once(self, may_start: bool) -> Head | Tail | None:
        self._look_up()
        transport = self._ports.transport(self._job.node)
        with following(
            transport,
            self._ports.place,
            self._ports.panel,
            self._job,
            offset=self._copy.offset,
            may_start=may_start and self._allowed(),
        ) as attached:
            return self._read(attached, may_start)

    def _read(self, attached: Following, may_start: bool) -> Head | Tail | None:
        while not attached.over:
            self._look_up()
            parts = attached.read(self._copy.wait_s())
            for part in parts:
                if isinstance(part, bytes):
                    self._copy.feed(part)
                elif isinstance(part, Head):
                    self._heard = part.begun is not Begun.SHORT
                    self._silence.answered()
                    if part.begun not in RUNS:
                        return None if part.begun is Begun.SHORT else part
                    self._say_attached(part, may_start)
                elif (tail := self._judge(part)) is not None:
                    return tail
            if not parts:
                self._copy.idle()
        return None

    def _look_up(self) -> None:
        if self._lease.lost.is_set():
            raise LeaseLost(self._job.run)
        if self._lease.cancel.is_set():
            self._copy.finish()
            raise Cancelled
        if time.monotonic() > self._long_at:
            self._say_long()

    def _judge(self, tail: Tail) -> Tail | None:
        """The tail if the job is over and everything it printed until then is here."""
        if tail.state == "running":
            return None
        if self._wanted < 0:
            self._wanted = tail.size
        if self._copy.offset < self._wanted:
            return None
        self._copy.finish()
        return tail

    def _say_attached(self, head: Head, may_start: bool) -> None:
        """Once, when this worker took over from another; not for every cut connection."""
        heard = self._lease.heard
        if heard is None or may_start or self._attached or head.begun is not Begun.ATTACHED:
            return
        self._attached = True
        event = {"type": "attached", "step": self._job.step, "node": self._job.node}
        text = _attached_again(self._job.node, heard)
        newest = store.say_event(self._lease, {**event, "text": text.to_json()})
        self._ports.notify(self._job.run, newest)

    def _say_long(self) -> None:
        """A long step is never killed by a clock: a half-done transfer would be worse. A person decides."""
        self._long_at = math.inf
        self._tell(
            "long",
            say(
                "The step on %(node)s takes longer than expected. It goes on; cancel it if it hangs.",
                node=self._job.node,
            ),
        )

    def _tell(self, state: str, text: Text) -> None:
        event = {"type": "node", "node": self._job.node, "state": state, "text": text.to_json()}
        newest = store.say_event(self._lease, {**event, "step": self._job.step})
        self._ports.notify(self._job.run, newest)


def _attached_again(node: str, heard: datetime) -> Text:
    """Nothing is lost because the log is read on from the byte where the journal ends."""
    return say(
        "The worker was last heard of at %(heard)s UTC. Another one took over and attached again to"
        " the job on %(node)s at %(now)s UTC. No lines lost.",
        heard=f"{heard:%H:%M:%S}",
        node=node,
        now=f"{timezone.now():%H:%M:%S}",
    )
