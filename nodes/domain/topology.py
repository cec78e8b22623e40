"""Who sees whom: every pair of servers with the link of each layer between them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from nodes.domain.observation import ClusterFacts, GlusterPeer, NodeFacts, Unknown
from nodes.domain.peers import PeerSettings
from nodes.domain.text import Text, say
from nodes.domain.view import Member, View

GALERA, GLUSTER = "galera", "gluster"


@dataclass(frozen=True)
class Link:
    """`state`: ok, failed (cut, `why` says it), waiting (not set up yet), unknown."""

    layer: str
    state: str
    word: Text
    why: Text | None = None


@dataclass(frozen=True)
class Edge:
    """Two servers, in the order of the peer lists, and what joins them."""

    one: str
    other: str
    links: tuple[Link, ...]


def edges(settings: PeerSettings, facts: ClusterFacts | None, now: float) -> list[Edge]:
    """`now` in seconds since the epoch. Without facts every link is unknown."""
    view = View(settings, facts, now) if facts and facts.nodes else None
    pairs = combinations(settings.hosts, 2)
    return [Edge(a, b, tuple(_links(settings, view, a, b))) for a, b in pairs]


def _links(settings: PeerSettings, view: View | None, a: str, b: str) -> Iterator[Link]:
    if a in settings.galera_peer_hosts and b in settings.galera_peer_hosts:
        yield _galera(view, a, b) if view else _unknown(GALERA)
    if a in settings.cluster_fs_peer_hosts and b in settings.cluster_fs_peer_hosts:
        yield _gluster(view, a, b) if view else _unknown(GLUSTER)


def _unknown(layer: str, why: Text | None = None) -> Link:
    return Link(layer, "unknown", say("Unknown"), why or say("The servers were not asked yet."))


def _cut(layer: str, why: Text) -> Link:
    return Link(layer, "failed", say("Cut"), why)


def _galera(view: View, a: str, b: str) -> Link:
    one, other = Member(view.node(a)), Member(view.node(b))
    for member in (one, other):
        if member.stopped or member.without_quorum:
            return _cut(GALERA, member.reason)
    for member in (one, other):
        if not member.known:
            return _unknown(GALERA, member.reason)
    if one.standalone or other.standalone:
        return Link(GALERA, "waiting", say("Not set up"))
    if one.uuid != other.uuid:
        why = say("%(one)s and %(other)s belong to different clusters.", one=a, other=b)
        return _cut(GALERA, why)
    if one.conf_id != other.conf_id:
        why = say("%(one)s and %(other)s count different members.", one=a, other=b)
        return _cut(GALERA, why)
    return Link(GALERA, "ok", say("Connected"))


def _gluster(view: View, a: str, b: str) -> Link:
    one, other = view.node(a), view.node(b)
    seen = [found for found in (_sight(one, other), _sight(other, one)) if found is not None]
    bad = [peer for peer in seen if peer and not peer.well]
    if bad:
        text = say(
            "%(one)s and %(other)s: %(state)s.",
            one=a,
            other=b,
            state=bad[0].state_text if bad[0].connected else "disconnected",
        )
        return _cut(GLUSTER, text)
    if any(seen):
        return Link(GLUSTER, "ok", say("Connected"))
    if seen:
        return Link(GLUSTER, "waiting", say("Not set up"))
    return _unknown(GLUSTER, _why_unknown(one) or _why_unknown(other))


def _sight(one: NodeFacts, other: NodeFacts) -> GlusterPeer | Literal[False] | None:
    """What the one's glusterd says of the other; False: it does not know it; None: not told."""
    if isinstance(one.gluster_peers, Unknown):
        return None
    names = _names(other)
    return next((peer for peer in one.gluster_peers if peer.hostname in names), False)


def _names(node: NodeFacts) -> set[str]:
    known = {node.host}
    if isinstance(node.hostname, str):
        known.add(node.hostname)
    return known if isinstance(node.addresses, Unknown) else known | set(node.addresses)


def _why_unknown(node: NodeFacts) -> Text | None:
    return node.gluster_peers.why if isinstance(node.gluster_peers, Unknown) else None
