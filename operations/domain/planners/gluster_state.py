"""How far GlusterFS is installed: which daemon runs, who knows whom, is there a volume, a mount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nodes.domain.observation import GlusterVolume, MountFacts, NodeFacts, Unknown
from nodes.domain.parse_gluster import NOT_RUNNING
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from operations.domain.planners.common import unknown
from operations.domain.situation import Situation

GLUSTERFS = "fuse.glusterfs"


@dataclass(frozen=True)
class Progress:
    """Hosts by what is done on them; `volume` is the one that stands, if there is one."""

    active: tuple[str, ...]  # glusterd runs
    acquainted: bool  # every node sees every other one connected, state 3
    volume: GlusterVolume | None
    mounted: tuple[str, ...]


def progress(situation: Situation, nodes: Sequence[NodeFacts]) -> Progress | Refusal:
    for node in nodes:
        if refusal := _unread(node):
            return refusal
    active = tuple(node.host for node in nodes if _active(node))
    volume = _volume(situation, nodes)
    if isinstance(volume, Refusal):
        return volume
    mounted = tuple(node.host for node in nodes if _mounted(node))
    acquainted = all(_sees_all(node, len(nodes)) for node in nodes)
    return Progress(active, acquainted, volume, mounted)


def _unread(node: NodeFacts) -> Refusal | None:
    """A node without glusterd knows no peers; with it, peers that cannot be read are unknown."""
    if refusal := unknown(node, "units", "mount"):
        return refusal
    if _active(node) and (refusal := unknown(node, "gluster_peers")):
        return refusal
    assert isinstance(node.mount, MountFacts)
    if node.mount.mounted and node.mount.fstype == GLUSTERFS and not node.mount.answers:
        why = say("The storage mount on %(host)s hangs.", host=node.host)
        fix = say(
            "Bring GlusterFS back on %(host)s, or unmount it, then plan again.", host=node.host
        )
        return Refusal("mount_dead", why, fix, {"node": node.host})
    return None


def _active(node: NodeFacts) -> bool:
    assert not isinstance(node.units, Unknown)
    return node.units.get("glusterd") == "active"


def _mounted(node: NodeFacts) -> bool:
    assert isinstance(node.mount, MountFacts)
    return node.mount.mounted and node.mount.fstype == GLUSTERFS


def _sees_all(node: NodeFacts, count: int) -> bool:
    if not _active(node) or isinstance(node.gluster_peers, Unknown):
        return False
    return len(node.gluster_peers) == count - 1 and all(peer.well for peer in node.gluster_peers)


def _volume(situation: Situation, nodes: Sequence[NodeFacts]) -> GlusterVolume | Refusal | None:
    """The volume as the primary tells it, else any node that was asked; one answer is enough.

    A stopped glusterd that was never used is known to have none; one that was used cannot tell,
    and then nobody may conclude that there is none.
    """
    told = sorted(nodes, key=lambda node: node.host != situation.primary)
    if refusal := _untold(told):
        return refusal
    volumes = [
        volume
        for node in told
        if not isinstance(node.gluster_volumes, Unknown)
        for volume in node.gluster_volumes
    ]
    if not volumes:
        return None
    best = next((volume for volume in volumes if _unfit(volume) is None), volumes[0])
    return _unfit(best) or best


def _untold(nodes: Sequence[NodeFacts]) -> Refusal | None:
    """Refuses when somebody could not say which volumes there are and no running glusterd did."""
    silent = [node for node in nodes if isinstance(node.gluster_volumes, Unknown)]
    if not silent or any(_active(node) for node in nodes if node not in silent):
        return None
    if unread := next((n for n in silent if n.gluster_volumes != NOT_RUNNING), None):
        return unknown(
            unread, "gluster_volumes"
        )  # it did not answer: nobody knows that it is stopped
    host = silent[0].host
    why = say("glusterd was set up on %(host)s before, but it is stopped.", host=host)
    fix = say("Start it on %(host)s: systemctl start glusterd", host=host)
    return Refusal("glusterd_stopped", why, fix, {"node": host})


def _unfit(volume: GlusterVolume) -> Refusal | None:
    """A volume that exists but cannot carry the storage is for a person to look at."""
    if volume.replica < 3 and not volume.arbiters:
        why = say(
            "The volume %(name)s has replica %(replica)s: “if you restart any of the 2 nodes, you"
            " will lose data”.",
            name=volume.name,
            replica=volume.replica,
        )
        fix = say("Add a third brick or an arbiter to %(name)s by hand.", name=volume.name)
        return Refusal("volume_replica_small", why, fix, {"volume": volume.name})
    if volume.started and any(brick.online is None for brick in volume.bricks):
        why = say("Whether the bricks of %(name)s are online could not be read.", name=volume.name)
        fix = say("Make every node answer, look at the checks, and plan again.")
        evidence = {"volume": volume.name, "fact": "gluster_volumes"}
        return Refusal("node_unknown", why, fix, evidence)
    return None if volume.well else _not_well(volume)


def _not_well(volume: GlusterVolume) -> Refusal:
    down = [brick.name for brick in volume.bricks if not brick.online]
    why = say(
        "The volume %(name)s exists but is not well: started %(started)s, bricks not online:"
        " %(down)s.",
        name=volume.name,
        started="yes" if volume.started else "no",
        down=", ".join(down) or "—",
    )
    fix = say("Start it with: gluster volume start %(name)s force", name=volume.name)
    return Refusal("volume_not_well", why, fix, {"volume": volume.name, "down": down})
