"""The numbers of an observation that are kept for history."""

from __future__ import annotations

from nodes.domain.observation import (
    ClusterFacts,
    GaleraFacts,
    GlusterVolume,
    NodeFacts,
    Sample,
    Transfer,
    Unknown,
)
from nodes.domain.quorum import host_of


def numbers_of(facts: ClusterFacts) -> dict[str, Sample]:
    """By host, for every server that answered; the others have a gap there."""
    return {node.host: sample_of(node) for node in facts.nodes if node.ssh is True}


def sample_of(node: NodeFacts) -> Sample:
    """What is not known is None, never 0."""
    galera = node.galera if isinstance(node.galera, GaleraFacts) else None
    transfer = node.transfer if isinstance(node.transfer, Transfer) else None
    return Sample(
        at=node.taken_at,
        cluster_size=galera.cluster_size if galera and galera.wsrep_on else None,
        paused_ns=_counter(galera, "wsrep_flow_control_paused_ns"),
        recv_queue=_counter(galera, "wsrep_local_recv_queue"),
        heal_pending=_heal(node),
        disk_used_pct=max(used_percent(node).values(), default=None),
        load1=node.load1 if isinstance(node.load1, float) else None,
        memory_used_pct=_memory(node),
        transfer_bytes=transfer.bytes if transfer and transfer.role == "joiner" else None,
    )


def _counter(galera: GaleraFacts | None, name: str) -> int | None:
    told = galera.raw.get(name, "") if galera else ""
    return int(told) if told.isdecimal() and len(told) < 19 else None


def _heal(node: NodeFacts) -> int | None:
    """Entries that wait for healing from this server's bricks."""
    volumes: tuple[GlusterVolume, ...] = ()
    if not isinstance(node.gluster_volumes, Unknown):
        volumes = node.gluster_volumes
    own = [b.heal_pending for v in volumes for b in v.bricks if host_of(b.name) == node.host]
    known = [count for count in own if count is not None]
    return sum(known) if known and len(known) == len(own) else None


def _memory(node: NodeFacts) -> float | None:
    if isinstance(node.memory, Unknown) or not node.memory.get("total"):
        return None
    total, free = node.memory["total"], node.memory.get("available", 0)
    return round(100 * (total - free) / total, 1)


def used_percent(node: NodeFacts) -> dict[str, int]:
    """Path → how full its disk is; paths whose size is not known are missing."""
    sizes = node.extra.get("disk_total")
    if isinstance(node.disk_free, Unknown) or not isinstance(sizes, dict):
        return {}
    return {
        path: round(100 * (sizes[path] - free) / sizes[path])
        for path, free in node.disk_free.items()
        if sizes.get(path)
    }
