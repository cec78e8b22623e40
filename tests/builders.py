"""Facts, settings and situations for tests: plain functions with sensible defaults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nodes.domain.observation import (
    ClusterFacts,
    EnvFacts,
    GaleraFacts,
    GlusterBrick,
    GlusterPeer,
    GlusterVolume,
    MountFacts,
    NodeFacts,
    Unknown,
)
from nodes.domain.parse_node import unreachable
from nodes.domain.peers import PeerSettings
from nodes.domain.text import say
from operations.domain.situation import Situation

HOSTS = ("10.0.0.11", "10.0.0.12", "10.0.0.13")
UUID = "220dcdcb-1629-11e4-add3-aec059ad3734"
NOW = 1_800_000_000.0
NO_ANSWER = Unknown(say("10.0.0.12 did not answer."), code="ssh_unreachable")


def peers(*hosts: str) -> PeerSettings:
    chosen = hosts or HOSTS
    return PeerSettings(chosen, chosen, chosen[0])


def node(host: str = HOSTS[0], settings: PeerSettings | None = None, **changes: Any) -> NodeFacts:
    """A fresh server with dpiui2 on it: standalone database, no GlusterFS, settings applied."""
    facts = NodeFacts(
        host=host,
        taken_at=NOW,
        ssh=True,
        is_root=True,
        boot_id="b00t",
        hostname=host,
        addresses=(host,),
        units={"mariadb": "active", "mariadb.socket": "inactive", "glusterd": "inactive"},
        mysqld_running=True,
        databases={"dpiui2": 12},
        galera=GaleraFacts(wsrep_on=False),
        env=EnvFacts(True, "0" * 64, (settings or peers()).as_env()),
        scripts={"galera_setup.sh": True, "glusterfs_setup.sh": True},
        gluster_peers=(),
        gluster_volumes=(),
        mount=MountFacts(mounted=False),
        disk_free={"/": 10**12},
    )
    return replace(facts, **changes)


def silent(host: str) -> NodeFacts:
    return unreachable(host, NOW, NO_ANSWER)


def synced(size: int = 3, uuid: str = UUID, **changes: Any) -> GaleraFacts:
    facts = GaleraFacts(True, "Primary", size, uuid, 4, "Synced", True)
    return replace(facts, **changes)


def gluster_units() -> dict[str, str]:
    return {"mariadb": "active", "mariadb.socket": "inactive", "glusterd": "active"}


def friends(host: str, hosts: Sequence[str] = HOSTS) -> tuple[GlusterPeer, ...]:
    """What `host` says of the others when all are connected."""
    return tuple(
        GlusterPeer(f"uuid-{other}", other, True, 3, "Peer in Cluster")
        for other in hosts
        if other != host
    )


def volume(hosts: Sequence[str] = HOSTS, **changes: Any) -> GlusterVolume:
    bricks = tuple(GlusterBrick(f"{host}:/data/b1", f"uuid-{host}", False, True) for host in hosts)
    return replace(GlusterVolume("dpiui2", True, len(hosts), 0, bricks), **changes)


def mounted() -> MountFacts:
    return MountFacts(True, "fuse.glusterfs", "localhost:/dpiui2", True)


def well(host: str = HOSTS[0]) -> NodeFacts:
    """A member of a cluster that was installed and is in step."""
    return node(
        host,
        galera=synced(),
        gluster_peers=friends(host),
        gluster_volumes=(volume(),),
        mount=mounted(),
        units=gluster_units(),
    )


def cluster(*nodes: NodeFacts, settings: PeerSettings | None = None) -> ClusterFacts:
    """The given nodes, and fresh ones for the other hosts of the settings."""
    wanted = settings or peers()
    given = {each.host: each for each in nodes}
    return ClusterFacts(tuple(given.get(host) or node(host, wanted) for host in wanted.hosts))


def situation(
    *nodes: NodeFacts,
    settings: PeerSettings | None = None,
    params: dict[str, Any] | None = None,
) -> Situation:
    wanted = settings or peers()
    return Situation(
        cluster_name="Office",
        app_dir="/var/www/html/dpiui2",
        settings=wanted,
        revision=3,
        facts=cluster(*nodes, settings=wanted),
        params=params or {},
        now=NOW,
    )
