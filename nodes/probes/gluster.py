"""Asks glusterd. Its commands take locks that the whole pool shares, so: one question at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from nodes.domain import parse_gluster
from nodes.domain.observation import (
    ClusterFacts,
    GlusterPeer,
    GlusterVolume,
    NodeFacts,
    Unknown,
)
from nodes.domain.parse_gluster import HealCount
from nodes.domain.parse_sections import Section, read, sections
from nodes.domain.text import say
from nodes.probes.gluster_script import GLUSTER_OWN, GLUSTER_POOL
from nodes.probes.script import MARK
from nodes.transport.base import Target, Transport, TransportError, script

OWN_S = 5.0
POOL_S = 7.0
LEAST_S = 1.0  # with less time left the question is not asked

Connect = Callable[[Target], Transport]
T = TypeVar("T")


@dataclass(frozen=True)
class Backlog:
    """Brick to what waits for healing there, and when it was counted."""

    counts: Mapping[str, HealCount] = field(default_factory=dict)
    counted_at: float = 0.0


@dataclass(frozen=True)
class PoolAnswer:
    """Which bricks run and what waits for healing, as one node of the pool said it."""

    online: Mapping[str, bool] = field(default_factory=dict)
    backlog: Backlog = Backlog()


@dataclass(frozen=True)
class View:
    """One node's own view. Not installed, or installed and never used: known to be empty."""

    peers: tuple[GlusterPeer, ...] | Unknown
    volumes: tuple[GlusterVolume, ...] | Unknown
    heal_at: float = 0.0

    @property
    def started(self) -> tuple[str, ...]:
        if isinstance(self.volumes, Unknown):
            return ()
        return tuple(volume.name for volume in self.volumes if volume.started)

    def with_pool(self, answer: PoolAnswer) -> View:
        if isinstance(self.volumes, Unknown):
            return self
        volumes = tuple(
            parse_gluster.with_bricks(v, answer.online, answer.backlog.counts) for v in self.volumes
        )
        return replace(self, volumes=volumes, heal_at=answer.backlog.counted_at)


def views(
    connect: Connect, targets: Sequence[Target], backlog: Backlog | None, until: float
) -> dict[str, View]:
    """What glusterd of each node says, one after the other, and the pool as the first of two says it
    that answers: a glusterd that hangs makes all the others wait.

    `targets` are nodes that answer. `backlog`: one that is fresh; None: it is counted anew.
    `until` is a moment of time.monotonic(); whoever was not asked by then is missing.
    """
    found: dict[str, View] = {}
    for target in targets:
        if until - time.monotonic() >= LEAST_S:
            found[target.host] = view(connect, target, until)
    able = [t for t in targets if t.host in found and found[t.host].started]
    answers = (ask_pool(connect, t, found[t.host], backlog, until) for t in able[:2])
    pool = next((answer for answer in answers if answer), None)
    if pool is None:
        return found
    return {host: seen.with_pool(pool) for host, seen in found.items()}


def whole(
    connect: Connect, facts: ClusterFacts, targets: Sequence[Target], timeout_s: float
) -> ClusterFacts:
    """The facts with everything that glusterd says now, for whoever keeps nothing between looks."""
    reached = [t for t in targets if facts.node(t.host).ssh is True]
    found = views(connect, reached, None, time.monotonic() + timeout_s)
    return ClusterFacts(tuple(_with_view(node, found.get(node.host)) for node in facts.nodes))


def _with_view(node: NodeFacts, seen: View | None) -> NodeFacts:
    if seen is None:
        return node
    read_at = {**node.read_at, "gluster": time.time(), "heal": seen.heal_at}
    return replace(node, gluster_peers=seen.peers, gluster_volumes=seen.volumes, read_at=read_at)


def view(connect: Connect, target: Target, until: float) -> View:
    """Peers and volumes as this node has them. `until` is a moment of time.monotonic()."""
    parts = _ask(connect, target, GLUSTER_OWN, (), min(OWN_S, until - time.monotonic()))
    if isinstance(parts, Unknown):
        return View(parts, parts)
    state = read(parts, "own", parse_gluster.own)
    if not isinstance(state, Unknown) and not state[1]:
        return View((), ())
    peers = read(parts, "peers", parse_gluster.peers)
    return View(peers, read(parts, "volumes", parse_gluster.volumes))


def ask_pool(
    connect: Connect, target: Target, seen: View, known: Backlog | None, until: float
) -> PoolAnswer | None:
    """From this node; None when it has no started volume or gave no answer: ask the next.

    `known` is a backlog that is fresh enough to be kept.
    """
    names = seen.started
    if not names:
        return None
    words = ("" if known else "heal", *names)
    parts = _ask(connect, target, GLUSTER_POOL, words, min(POOL_S, until - time.monotonic()))
    if isinstance(parts, Unknown):
        return None
    online = _merged(parts, "status", parse_gluster.brick_status, names)
    return None if online is None else PoolAnswer(online, known or _backlog(parts, names))


def _backlog(parts: Mapping[str, Section], names: Sequence[str]) -> Backlog:
    counts = _merged(parts, "heal", parse_gluster.heal, names)
    return Backlog() if counts is None else Backlog(counts, time.time())


def _merged(
    parts: Mapping[str, Section],
    kind: str,
    parse: Callable[[Section], Mapping[str, T] | Unknown],
    names: Sequence[str],
) -> dict[str, T] | None:
    """The answers about all volumes together; None when none of them was answered."""
    answers = [read(parts, f"{kind} {name}", parse) for name in names]
    known = [answer for answer in answers if not isinstance(answer, Unknown)]
    return {key: value for answer in known for key, value in answer.items()} if known else None


def _ask(
    connect: Connect, target: Target, text: str, args: Sequence[str], timeout_s: float
) -> dict[str, Section] | Unknown:
    if timeout_s < LEAST_S:
        return Unknown(say("There was no time left to ask %(host)s.", host=target.host))
    try:
        output = connect(target).run(script(text, *args, timeout_s=timeout_s))
    except TransportError as error:
        return Unknown(error.why, fix=error.fix, code=error.code)
    return sections(output.text, MARK)
