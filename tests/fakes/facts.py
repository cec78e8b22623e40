"""Facts of nodes that are well, to be bent by a test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nodes.domain.observation import (
    ClusterFacts,
    EnvFacts,
    GaleraFacts,
    GlusterBrick,
    GlusterPeer,
    GlusterVolume,
    Grastate,
    MountFacts,
    NodeFacts,
    Unknown,
)
from nodes.domain.parse_node import unreachable
from nodes.domain.peers import PeerSettings
from nodes.domain.text import say

NOW = 1_800_000_000.0
UUID = "c0ffee00-0000-11f1-8000-000000000001"
HOSTS = ("n1", "n2", "n3")
SETTINGS = PeerSettings(HOSTS, HOSTS, "n1")
SILENT = Unknown(say("It did not answer."), fix=say("Switch it on."), code="ssh_unreachable")


def galera(**changes: Any) -> GaleraFacts:
    conf_id = changes.pop("conf_id", "3")
    good = GaleraFacts(
        True, "Primary", 3, UUID, 4, "Synced", True, {"wsrep_cluster_conf_id": conf_id}
    )
    return replace(good, **changes)


def volume(**changes: Any) -> GlusterVolume:
    bricks = tuple(GlusterBrick(f"{host}:/b", f"u-{host}", False, True, 0) for host in HOSTS)
    return replace(GlusterVolume("files", True, 3, 0, bricks), **changes)


def peers_of(host: str) -> tuple[GlusterPeer, ...]:
    return tuple(
        GlusterPeer(f"u-{other}", other, True, 3, "Peer in Cluster")
        for other in HOSTS
        if other != host
    )


def node(host: str, **changes: Any) -> NodeFacts:
    good = NodeFacts(
        host=host,
        taken_at=NOW,
        ssh=True,
        is_root=True,
        boot_id=f"boot-{host}",
        hostname=host,
        addresses=("10.0.0.1",),
        units={"mariadb": "active", "mariadb.socket": "inactive", "glusterd": "active"},
        mysqld_running=True,
        databases={"dpiui2": 7},
        galera=galera(),
        env=EnvFacts(True, "0" * 64, SETTINGS.as_env()),
        scripts={"galera_setup.sh": True, "glusterfs_setup.sh": True},
        gluster_peers=peers_of(host),
        gluster_volumes=(volume(),),
        mount=MountFacts(True, "fuse.glusterfs", "localhost:/files", True, True),
        disk_free={"/var/lib/mysql": 50 * 1024**3},
        clock_offset_s=0.0,
        uptime_s=1000.0,
        load1=0.1,
        memory={"total": 8 * 1024**3, "available": 4 * 1024**3},
        bootstrap_marker="",
        grastate=Grastate(True, UUID, None, False),
        versions={"mariadb": "10.11.19", "gluster": "10.3"},
        extra={"enabled": {"mariadb": "enabled", "mariadb.socket": "disabled"}},
    )
    return replace(good, **changes)


def stopped(host: str, **changes: Any) -> NodeFacts:
    """The database is stopped, and that is certain."""
    down = {
        "units": {"mariadb": "inactive", "mariadb.socket": "inactive", "glusterd": "active"},
        "mysqld_running": False,
        "galera": Unknown(say("Can't connect")),
        "databases": Unknown(say("Can't connect")),
    }
    return node(host, **{**down, **changes})


def silent(host: str) -> NodeFacts:
    return unreachable(host, NOW, SILENT)


def cluster(*nodes: NodeFacts) -> ClusterFacts:
    """The given nodes, and well ones for the hosts that are not given."""
    given = {n.host: n for n in nodes}
    return ClusterFacts(tuple(given.get(host) or node(host) for host in HOSTS))
