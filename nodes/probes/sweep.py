"""One sweep: every node asked at the same time.

A node that hangs costs its own answer, never the others'. A steady beat does not even wait for it:
its question goes on, is not asked a second time, and its answer is taken by the sweep that finds it.
When its time is over the node is told to be late, whatever layer it is that still waits: a dead
connection takes many seconds until it is known to be dead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from secrets import token_hex

from nodes.domain import parse_galera
from nodes.domain.observation import ClusterFacts, GaleraFacts, NodeFacts, Unknown
from nodes.domain.page_url import of_host
from nodes.domain.parse_node import node_facts, unreachable
from nodes.domain.parse_sections import sections
from nodes.domain.text import say
from nodes.probes import sql
from nodes.probes.patience import Patience
from nodes.probes.script import BEAT, MARK
from nodes.transport.base import Command, CommandTimeout, Target, Transport, TransportError, script

DEADLINE_S = 8.0
QUICK_S, FULL_S = 4.0, 7.0  # for the answers of one node
PATIENCE_S = 1.0  # how long a steady beat waits for the slowest node

Connect = Callable[[Target], Transport]


@dataclass(frozen=True)
class Known:
    """What is known of a node already and need not be found out again. "" and (): nothing."""

    datadir: str = ""
    bricks: tuple[str, ...] = ()
    quick: bool = False  # leave out what hardly ever changes
    marker: bool = False  # but not what would start a new cluster
    answered_at: float = 0.0  # seconds since the epoch; 0: it did not answer last time
    write: bool = True  # test the storage by writing to it, not only by reading


@dataclass(frozen=True)
class Sweep:
    """What to ask. `page_url` may have `{host}` in it; `full_s` is the limit of a whole question."""

    targets: Sequence[Target]
    app_dir: str
    monitor_password: str = ""
    page_url: str = ""
    known: Mapping[str, Known] = field(default_factory=dict)
    full_s: float = FULL_S

    def run(self, connect: Connect, deadline_s: float = DEADLINE_S) -> ClusterFacts:
        """Facts of every node, in the order of the targets."""
        asked = Asked(len(self.targets))
        try:
            found = asked.facts(self, connect, deadline_s)
        finally:
            asked.close()
        late = (found.get(t.host) or _late(t) for t in self.targets)
        return ClusterFacts(tuple(late))

    def ask(self, target: Target, connect: Connect) -> NodeFacts:
        """One node's facts; never raises."""
        known = self.known.get(target.host, Known())
        try:
            transport = connect(target)
            galera = self._galera(transport, target)
            asked_at = time.time()
            output = transport.run(self._question(target, known, galera is not None))
        except TransportError as error:
            why = Unknown(error.why, fix=error.fix, code=error.code)
            slow = isinstance(error, CommandTimeout)
            return unreachable(target.host, time.time(), why, ssh=slow)
        return node_facts(
            target.host,
            sections(output.text, MARK),
            asked_at=asked_at,
            answered_at=time.time(),
            galera=galera,
            quick=known.quick,
            wrote=known.write,
        )

    def limit_s(self, target: Target) -> float:
        """Seconds that this node's answer may take."""
        return QUICK_S if self.known.get(target.host, Known()).quick else self.full_s

    def _question(self, target: Target, known: Known, sql_answered: bool) -> Command:
        return script(
            BEAT,
            self.app_dir,
            token_hex(8) if known.write else "",
            "sql" if sql_answered else "",
            _extent(known),
            known.datadir,
            of_host(self.page_url, target.host),
            *known.bricks,
            timeout_s=self.limit_s(target),
        )

    def _galera(self, transport: Transport, target: Target) -> GaleraFacts | None:
        """By the database's own protocol where we have an account; None: use the shell's answer."""
        if not self.monitor_password:
            return None
        status = sql.wsrep_status(transport, target, self.monitor_password)
        facts = parse_galera.galera_facts(status) if status else None
        return facts if isinstance(facts, GaleraFacts) else None


def _extent(known: Known) -> str:
    if not known.quick:
        return "all"
    return "quick marker" if known.marker else "quick"


@dataclass(frozen=True)
class _Question:
    """`late_at`: a moment of time.monotonic()."""

    answer: Future[NodeFacts]
    late_at: float


class Asked:
    """Questions under way, by target. A process whose beats are steady keeps one for all of them."""

    def __init__(self, threads: int, patience: Patience | None = None) -> None:
        self._pool = ThreadPoolExecutor(max(1, threads), "beat")
        self._patience = patience
        self._lock = threading.Lock()
        self._under_way: dict[Target, _Question] = {}

    def facts(self, sweep: Sweep, connect: Connect, patience_s: float) -> dict[str, NodeFacts]:
        """By host, of the nodes whose answer is there within `patience_s` seconds, and of those that
        are late."""
        found: dict[str, NodeFacts] = {}
        asked: dict[Target, _Question] = {}
        for target in sweep.targets:
            reason = self._reason(sweep, target)
            if reason is None:
                asked[target] = self._ask(sweep, target, connect)
            else:
                found[target.host] = reason
        wait([question.answer for question in asked.values()], timeout=patience_s)
        now = time.monotonic()
        for target, question in asked.items():
            if question.answer.done():
                found[target.host] = self._taken(target, question.answer)
            elif now >= question.late_at:
                found[target.host] = _late(target)
        return found

    def _reason(self, sweep: Sweep, target: Target) -> NodeFacts | None:
        """Why this node is left alone for now; None: it is asked."""
        if self._patience is None:
            return None
        return self._patience.instead(target, sweep.known.get(target.host, Known()).answered_at)

    def _ask(self, sweep: Sweep, target: Target, connect: Connect) -> _Question:
        with self._lock:
            if target not in self._under_way:
                late_at = time.monotonic() + sweep.limit_s(target)
                answer = self._pool.submit(sweep.ask, target, connect)
                self._under_way[target] = _Question(answer, late_at)
            return self._under_way[target]

    def _taken(self, target: Target, question: Future[NodeFacts]) -> NodeFacts:
        with self._lock:
            self._under_way.pop(target, None)
        facts = _result(question, target)
        if self._patience:
            self._patience.heard(target, facts)
        return facts

    def close(self) -> None:
        """Waits for nobody."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _result(question: Future[NodeFacts], target: Target) -> NodeFacts:
    """A fault of our own in one node's thread must not hide the others from the admin."""
    error = question.exception()
    if error is None:
        return question.result()
    why = say("The panel could not read %(host)s: %(error)s", host=target.host, error=repr(error))
    return unreachable(target.host, time.time(), Unknown(why, code="internal"))


def _late(target: Target) -> NodeFacts:
    why = say("%(host)s did not answer in time.", host=target.host)
    fix = say("Look whether the server is up and whether it is overloaded.")
    return unreachable(target.host, time.time(), Unknown(why, fix=fix, code="late"))
