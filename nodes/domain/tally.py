""" "Galera 3/3": how many servers are well, how many are not, and how many we could not ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nodes.domain.observation import (
    ClusterFacts,
    GaleraFacts,
    GlusterBrick,
    GlusterVolume,
    NodeFacts,
    Unknown,
)
from nodes.domain.peers import PeerSettings


@dataclass(frozen=True)
class Tally:
    """`well` of `total` are well, of `unknown` nothing is known, the rest are not well."""

    well: int
    unknown: int
    total: int

    @property
    def state(self) -> str:
        if self.unknown == self.total:
            return "unknown"
        if self.well == self.total:
            return "ok"
        return "failed" if self.well == 0 and not self.unknown else "attention"


def _tally(answers: Iterable[bool | None]) -> Tally:
    found = list(answers)
    return Tally(found.count(True), found.count(None), len(found))


def galera(settings: PeerSettings, facts: ClusterFacts | None) -> Tally:
    """Servers of `GALERA_PEER_HOSTS` that are Synced."""
    return _tally(_synced(node_of(facts, host)) for host in settings.galera_peer_hosts)


def gluster(settings: PeerSettings, facts: ClusterFacts | None) -> Tally:
    """Servers of `CLUSTER_FS_PEER_HOSTS` whose bricks are all online."""
    volumes = known_volumes(facts)
    return _tally(bricks_up(host, volumes) for host in settings.cluster_fs_peer_hosts)


def node_of(facts: ClusterFacts | None, host: str) -> NodeFacts | None:
    return next((node for node in facts.nodes if node.host == host), None) if facts else None


def _synced(node: NodeFacts | None) -> bool | None:
    if node is None:
        return None
    if isinstance(node.galera, GaleraFacts):
        return node.galera.synced
    # SQL did not answer. Only a server that was seen without mariadbd is known not to be synced.
    return False if node.mysqld_running is False else None


def known_volumes(facts: ClusterFacts | None) -> tuple[GlusterVolume, ...] | None:
    """The newest view that has any; volumes are the same from every peer."""
    empty: tuple[GlusterVolume, ...] | None = None
    nodes = sorted(facts.nodes if facts else (), key=lambda n: -n.group_read_at("gluster"))
    for node in nodes:
        if isinstance(node.gluster_volumes, Unknown):
            continue
        if node.gluster_volumes:
            return node.gluster_volumes
        empty = ()
    return empty


def bricks_of(host: str, volumes: Iterable[GlusterVolume]) -> list[GlusterBrick]:
    return [b for v in volumes for b in v.bricks if b.name.rpartition(":")[0] == host]


def bricks_up(host: str, volumes: tuple[GlusterVolume, ...] | None) -> bool | None:
    """None when nobody could tell; False when the server has no brick at all."""
    if volumes is None:
        return None
    states = [brick.online for brick in bricks_of(host, volumes)]
    if False in states or not states:
        return False
    return None if None in states else True
