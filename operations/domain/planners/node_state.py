"""What runs on one server, as certain as it was read."""

from __future__ import annotations

from nodes.domain.observation import MountFacts, Unknown
from operations.domain.power import view_of
from operations.domain.situation import Situation


def database_stopped(situation: Situation, host: str) -> bool:
    """True when it is certain, or when the server has no part in Galera."""
    view = view_of(situation)
    member = next((m for m in view.galera if m.host == host), None)
    return member is None or member.stopped


def storage_stopped(situation: Situation, host: str) -> bool:
    """glusterd is down and nothing is mounted; also true where GlusterFS has no part."""
    if host not in situation.settings.cluster_fs_peer_hosts:
        return True
    node = view_of(situation).node(host)
    if isinstance(node.units, Unknown) or isinstance(node.mount, Unknown):
        return False
    mounted = isinstance(node.mount, MountFacts) and node.mount.mounted
    return node.units.get("glusterd") != "active" and not mounted


def bricks_down(situation: Situation, host: str) -> list[str]:
    """Bricks of this server that are known not to run."""
    view = view_of(situation)
    bricks = [b for v in view.volumes or () if v.started for b in v.bricks]
    return [b.name for b in bricks if b.online is False and view.owner(b) == host]


def storage_well(situation: Situation, host: str) -> bool:
    """glusterd runs, every brick of this server is known to run, and the mount answers."""
    view = view_of(situation)
    node = view.node(host)
    if isinstance(node.units, Unknown) or not isinstance(node.mount, MountFacts):
        return False
    mine = [b for v in view.volumes or () if v.started for b in v.bricks if view.owner(b) == host]
    runs = node.units.get("glusterd") == "active" and all(b.online for b in mine)
    return runs and node.mount.mounted and node.mount.answers
