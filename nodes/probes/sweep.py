"""One sweep: every node asked at the same time, glusterd one node at a time.

A node that hangs costs its own answer, never the others': what has not come by the deadline is
unknown.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass, replace
from secrets import token_hex

from nodes.domain import parse_galera
from nodes.domain.observation import ClusterFacts, GaleraFacts, NodeFacts, Unknown
from nodes.domain.parse_node import node_facts, unreachable
from nodes.domain.parse_sections import sections
from nodes.domain.text import say
from nodes.probes import gluster, sql
from nodes.probes.script import BEAT, MARK
from nodes.transport.base import CommandTimeout, Target, Transport, TransportError, script

DEADLINE_S = 10.0
BEAT_S = 8.0
PATIENCE_S = 4.0  # then the pool is asked without those that did not come

Connect = Callable[[Target], Transport]
_gluster_locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)


@dataclass(frozen=True)
class Sweep:
    """What to ask. `backlog` is one that is still fresh; None: it is counted anew."""

    cluster_id: int
    targets: Sequence[Target]
    app_dir: str
    monitor_password: str = ""
    backlog: gluster.Backlog | None = None

    def run(self, connect: Connect, deadline_s: float = DEADLINE_S) -> ClusterFacts:
        """Facts of every node, in the order of the targets."""
        until = time.monotonic() + deadline_s
        pool = ThreadPoolExecutor(max(1, len(self.targets)), "beat")
        try:
            beats = {pool.submit(self._beat, target, connect): target for target in self.targets}
            facts = self._collect(beats, connect, until)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return ClusterFacts(tuple(facts[target.host] for target in self.targets))

    def _collect(
        self, beats: Mapping[Future[NodeFacts], Target], connect: Connect, until: float
    ) -> dict[str, NodeFacts]:
        """Facts by host. glusterd is asked as the nodes come in; the question about the whole pool
        does not wait for a node that hangs."""
        found: dict[str, NodeFacts] = {}
        views: dict[str, gluster.View] = {}
        pool: gluster.PoolAnswer | None = None
        with _held(_gluster_locks[self.cluster_id], until) as ours:
            for moment in (min(until, time.monotonic() + PATIENCE_S), until):
                for beat in _as_they_come(beats, found, moment):
                    target = beats[beat]
                    found[target.host] = _result(beat, target)
                    if ours and found[target.host].ssh is True:
                        views[target.host] = gluster.view(connect, target, until)
                pool = pool or self._ask_pool(connect, views, until)
        for beat, target in beats.items():
            found.setdefault(target.host, _result(beat, target) if beat.done() else _late(target))
        return {host: _with_gluster(node, views.get(host), pool) for host, node in found.items()}

    def _ask_pool(
        self, connect: Connect, views: Mapping[str, gluster.View], until: float
    ) -> gluster.PoolAnswer | None:
        """From the first of two that answers: a glusterd that hangs makes all the others wait."""
        able = [t for t in self.targets if t.host in views and views[t.host].started]
        asked = (
            gluster.ask_pool(connect, target, views[target.host], self.backlog, until)
            for target in able[:2]
        )
        return next((answer for answer in asked if answer), None)

    def _beat(self, target: Target, connect: Connect) -> NodeFacts:
        try:
            transport = connect(target)
            galera = self._galera(transport, target)
            words = (self.app_dir, token_hex(8), "sql" if galera else "")
            asked_at = time.time()
            output = transport.run(script(BEAT, *words, timeout_s=BEAT_S))
        except TransportError as error:
            why = Unknown(error.why, fix=error.fix, code=error.code)
            slow = isinstance(error, CommandTimeout)
            return unreachable(target.host, time.time(), why, ssh=slow)
        parts = sections(output.text, MARK)
        return node_facts(
            target.host, parts, asked_at=asked_at, answered_at=time.time(), galera=galera
        )

    def _galera(self, transport: Transport, target: Target) -> GaleraFacts | None:
        """By the database's own protocol where we have an account; None: use the shell's answer."""
        if not self.monitor_password:
            return None
        status = sql.wsrep_status(transport, target, self.monitor_password)
        facts = parse_galera.galera_facts(status) if status else None
        return facts if isinstance(facts, GaleraFacts) else None


def _with_gluster(
    node: NodeFacts, view: gluster.View | None, pool: gluster.PoolAnswer | None
) -> NodeFacts:
    if view is None:
        return node
    view = view.with_pool(pool) if pool else view
    extra = {**node.extra, "heal_at": view.heal_at} if view.heal_at else node.extra
    return replace(node, gluster_peers=view.peers, gluster_volumes=view.volumes, extra=extra)


def _result(beat: Future[NodeFacts], target: Target) -> NodeFacts:
    """A fault of our own in one node's thread must not hide the others from the admin."""
    error = beat.exception()
    if error is None:
        return beat.result()
    why = say("The panel could not read %(host)s: %(error)s", host=target.host, error=repr(error))
    return unreachable(target.host, time.time(), Unknown(why, code="internal"))


def _late(target: Target) -> NodeFacts:
    why = say("%(host)s did not answer in time.", host=target.host)
    fix = say("Look whether the server is up and whether it is overloaded.")
    return unreachable(target.host, time.time(), Unknown(why, fix=fix, code="late"))


def _as_they_come(
    beats: Mapping[Future[NodeFacts], Target], found: Mapping[str, NodeFacts], until: float
) -> Iterator[Future[NodeFacts]]:
    """Those that are not found yet, until the moment has come."""
    awaited = [beat for beat, target in beats.items() if target.host not in found]
    try:
        yield from as_completed(awaited, timeout=max(0.0, until - time.monotonic()))
    except Late:
        return


class _held:
    """Holds a lock if it can be had by the deadline; the value says whether."""

    def __init__(self, lock: threading.Lock, until: float) -> None:
        self._lock, self._until = lock, until
        self._ours = False

    def __enter__(self) -> bool:
        self._ours = self._lock.acquire(timeout=max(0.0, self._until - time.monotonic()))
        return self._ours

    def __exit__(self, *_: object) -> None:
        if self._ours:
            self._lock.release()
