"""What is wrong with the replicated files, worst first; None when nothing is."""

from __future__ import annotations

from collections.abc import Iterable

from nodes.domain.health_view import View, listed
from nodes.domain.observation import GlusterBrick, GlusterVolume, NodeFacts, Unknown
from nodes.domain.text import Text, say

Problem = tuple[str, Text, Text]


def problem(view: View) -> Problem | None:
    """State, sentence, action."""
    nodes = [view.node(host) for host in view.settings.cluster_fs_peer_hosts]
    volumes = _volumes(nodes)
    if volumes is None:
        return _unknown(nodes)
    if not volumes:
        return _absent(nodes)
    return (
        _stopped(volumes) or _bricks(volumes) or _peers(nodes) or _mounts(nodes) or _heal(volumes)
    )


def _volumes(nodes: Iterable[NodeFacts]) -> tuple[GlusterVolume, ...] | None:
    """As the first server that has any tells them; None when nobody could be asked."""
    answers = [n.gluster_volumes for n in nodes if not isinstance(n.gluster_volumes, Unknown)]
    return next((volumes for volumes in answers if volumes), () if answers else None)


def _unknown(nodes: list[NodeFacts]) -> Problem | None:
    first = next((n for n in nodes if isinstance(n.gluster_volumes, Unknown)), None)
    if first is None:
        return None
    assert isinstance(first.gluster_volumes, Unknown)
    sentence = say(
        "The database is well; GlusterFS could not be asked on %(host)s: %(why)s",
        host=first.host,
        why=first.gluster_volumes.why,
    )
    return "unknown", sentence, say("Look there: `systemctl status glusterd`")


def _absent(nodes: list[NodeFacts]) -> Problem | None:
    silent = [node for node in nodes if isinstance(node.gluster_volumes, Unknown)]
    if silent:
        return _unknown(silent)
    sentence = say("The database is well; GlusterFS has no volume yet.")
    return "degraded", sentence, say("Install GlusterFS.")


def _stopped(volumes: tuple[GlusterVolume, ...]) -> Problem | None:
    down = [volume.name for volume in volumes if not volume.started]
    if not down:
        return None
    return (
        "degraded",
        say("The GlusterFS volume %(name)s is stopped.", name=down[0]),
        say("Start it: `gluster volume start %(name)s`", name=down[0]),
    )


def _bricks(volumes: tuple[GlusterVolume, ...]) -> Problem | None:
    bricks = [brick for volume in volumes for brick in volume.bricks]
    bad = [brick for brick in bricks if brick.online is not True]
    if not bad:
        return None
    if all(brick.online is None for brick in bricks):
        sentence = say("The database is well; which bricks of GlusterFS run, nobody said in time.")
        return "unknown", sentence, say("Look on each server: `systemctl status glusterd`")
    sentence = say(
        "%(up)s of %(all)s bricks are known to be online; not %(names)s.",
        up=len(bricks) - len(bad),
        all=len(bricks),
        names=listed(brick.name for brick in bad),
    )
    return "degraded", sentence, _brick_action(bad[0], volumes)


def _brick_action(brick: GlusterBrick, volumes: tuple[GlusterVolume, ...]) -> Text:
    host = brick.name.partition(":")[0]
    if brick.online is None:
        return say("Bring %(host)s back.", host=host)
    name = next(volume.name for volume in volumes if brick in volume.bricks)
    return say("Start the brick again: `gluster volume start %(name)s force`", name=name)


def _peers(nodes: list[NodeFacts]) -> Problem | None:
    for node in nodes:
        known = () if isinstance(node.gluster_peers, Unknown) else node.gluster_peers
        for peer in known:
            if not peer.well:
                sentence = say(
                    "%(host)s sees %(peer)s as: %(state)s.",
                    host=node.host,
                    peer=peer.hostname,
                    state=peer.state_text if peer.connected else "disconnected",
                )
                return "degraded", sentence, say("Look at %(peer)s.", peer=peer.hostname)
    return None


def _mounts(nodes: list[NodeFacts]) -> Problem | None:
    for node in nodes:
        mount = node.mount
        if isinstance(mount, Unknown):
            sentence = say(
                "Whether the storage of %(host)s is mounted is not known: %(why)s",
                host=node.host,
                why=mount.why,
            )
            return "unknown", sentence, say("Look at %(host)s.", host=node.host)
        if not mount.mounted:
            return "degraded", _unmounted(node.host), _remount(node.host)
        if not mount.answers:
            sentence = say(
                "The storage of %(host)s is mounted but does not answer.", host=node.host
            )
            return "degraded", sentence, _remount(node.host)
    return None


def _unmounted(host: str) -> Text:
    return say(
        "The storage of %(host)s is not mounted: its directory looks normal, but what is written"
        " there stays on this one server.",
        host=host,
    )


def _remount(host: str) -> Text:
    return say("Mount the storage of %(host)s again.", host=host)


def _heal(volumes: tuple[GlusterVolume, ...]) -> Problem | None:
    pending = [b.heal_pending or 0 for volume in volumes for b in volume.bricks]
    if not any(pending):
        return None
    sentence = say("%(count)s files are still being healed.", count=max(pending))
    return "busy", sentence, say("Wait; restart nothing until it is over.")
