"""systemd: what a unit's state is, and how often it may be started."""

from __future__ import annotations

from collections.abc import Mapping

from nodes.simulation.world import Active, Node, Reply, World

# Starts within seconds: StartLimitBurst and StartLimitIntervalSec of each unit.
LIMITS: Mapping[str, tuple[int, float]] = {
    "mariadb.service": (5, 10.0),
    "glusterd.service": (6, 3600.0),
}


def too_often(world: World, node: Node, name: str) -> bool:
    burst, interval = LIMITS.get(name, (5, 10.0))
    recent = [at for at in node.unit(name).starts if at > world.now - interval]
    return len(recent) >= burst


def refuse(world: World, node: Node, name: str) -> tuple[World, Reply]:
    words = "Start request repeated too quickly."
    failed = node.with_unit(name, active=Active.FAILED, restart_at=None)
    return world.put(failed.said(world.now, name.split(".")[0], words)), failed_reply(name)


def begin(world: World, node: Node, name: str) -> Node:
    starts = (*node.unit(name).starts, world.now)[-10:]
    return node.with_unit(name, active=Active.ACTIVATING, restart_at=None, starts=starts)


def failed_reply(name: str) -> Reply:
    """What `systemctl start` says of a unit that did not start."""
    words = (
        f"Job for {name} failed because the control process exited with error code.\n"
        f'See "systemctl status {name}" and "journalctl -xeu {name}" for details.\n'
    )
    return Reply(1, "", words)


def reset_failed(node: Node, name: str) -> Node:
    """Also forgets the starts, so that the start limit begins anew."""
    rest = node.unit(name).active
    return node.with_unit(
        name, active=Active.INACTIVE if rest is Active.FAILED else rest, starts=()
    )
