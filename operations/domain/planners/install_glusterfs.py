"""Install GlusterFS by the manual's four stages; each needs the one before it."""

from __future__ import annotations

from collections.abc import Sequence

from nodes.domain.peers import gluster_too_small
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from operations.domain.invariants import check_plan
from operations.domain.plan import Gate, Plan
from operations.domain.planners.common import (
    all_facts,
    listed,
    not_ready,
    params_invalid,
    unexpected_params,
)
from operations.domain.planners.gluster_stages import SCRIPT, STAGES, stage
from operations.domain.planners.gluster_state import Progress, progress
from operations.domain.situation import Situation

_MOUNT = "mount"


def plan(situation: Situation) -> Plan | Refusal:
    """params: {"stages": [...]} limits the plan to some of the four, in the manual's order."""
    peers = situation.order(situation.settings.cluster_fs_peer_hosts)
    if refusal := unexpected_params(situation, "stages"):
        return refusal
    if len(peers) < 3:
        return gluster_too_small(len(peers))
    nodes = all_facts(situation, peers)
    if isinstance(nodes, Refusal):
        return nodes
    done = progress(situation, nodes)
    if isinstance(done, Refusal):
        return done
    asked = _asked(situation, peers, done)
    if isinstance(asked, Refusal):
        return asked
    if refusal := not_ready(situation, nodes, SCRIPT):
        return refusal
    return check_plan(_plan(situation, peers, done, asked), situation.hosts)


def _asked(situation: Situation, peers: Sequence[str], done: Progress) -> tuple[str, ...] | Refusal:
    """The stages to run: those asked for when nothing before them is missing, else what is left."""
    asked = listed(situation, "stages")
    if asked is None:
        rest = tuple(name for name in STAGES if not _finished(name, peers, done))
        return rest or _already_installed(done)
    if not asked or not set(asked) <= set(STAGES) or len(set(asked)) != len(asked):
        named = ", ".join(STAGES)
        return params_invalid(
            "stages", say("stages must be a list out of: %(names)s.", names=named)
        )
    for i, name in enumerate(asked):
        if refusal := _order(name, asked[:i], peers, done):
            return refusal
    return _repeated(asked, peers, done) or asked


def _finished(name: str, peers: Sequence[str], done: Progress) -> bool:
    """Whether the stage's own proof holds now, by what was read."""
    return {
        "init_gluster": set(done.active) >= set(peers),
        "init_peers": done.acquainted,
        "init_volume": done.volume is not None,
        _MOUNT: set(done.mounted) >= set(peers),
    }[name]


def _order(
    name: str, before: Sequence[str], peers: Sequence[str], done: Progress
) -> Refusal | None:
    """The stage that must come first and is neither done nor asked for before this one."""
    place = STAGES.index(name)
    if place == 0:
        return None
    needed = STAGES[place - 1]
    if needed in before or _finished(needed, peers, done):
        return None
    code = {
        "init_peers": "order_gluster_missing",
        "init_volume": "order_peers_missing",
        _MOUNT: "order_volume_missing",
    }[name]
    why = {
        "init_peers": say("init_peers needs glusterd on every node; init_gluster is not done."),
        "init_volume": say("init_volume needs connected peers; init_peers is not done."),
        _MOUNT: say("mount needs a volume; init_volume is not done."),
    }[name]
    return Refusal(code, why, say("Run %(stage)s first.", stage=needed), {"stage": name})


def _repeated(asked: Sequence[str], peers: Sequence[str], done: Progress) -> Refusal | None:
    """A volume is made once, and a mounted storage is not mounted over."""
    if "init_volume" in asked and done.volume is not None:
        why = say("The volume %(name)s exists already.", name=done.volume.name)
        return Refusal("volume_exists", why, say("Go on with mount."), {"volume": done.volume.name})
    if _MOUNT in asked and _finished(_MOUNT, peers, done):
        return _already_installed(done)
    return None


def _already_installed(done: Progress) -> Refusal:
    why = say("The storage is mounted on %(hosts)s already.", hosts=", ".join(done.mounted))
    fix = say("Nothing has to be installed.")
    return Refusal("already_installed", why, fix, {"mounted": list(done.mounted)})


def _plan(situation: Situation, peers: Sequence[str], done: Progress, asked: Sequence[str]) -> Plan:
    stages = tuple(stage(situation, name, peers, done) for name in STAGES if name in asked)
    return Plan(
        "install_glusterfs",
        say("Install GlusterFS"),
        situation.revision,
        stages,
        _gates(situation, peers, done, asked),
        _warnings(situation, done, asked),
    )


def _gates(
    situation: Situation, peers: Sequence[str], done: Progress, asked: Sequence[str]
) -> tuple[Gate, ...]:
    why = say(
        "“Before running the script on the master node, be sure to back up the %(path)s directory.”",
        path=f"{situation.storage}/",
    )
    backup = Gate("backup-storage", "backup", "storage", why)
    losers = [host for host in peers if host != situation.primary and host not in done.mounted]
    if _MOUNT not in asked or not losers:
        return (backup,)
    hidden = say(
        "The files in %(path)s of %(hosts)s give way to those of the cluster and are no longer"
        " seen by dpiui2.",
        path=f"{situation.storage}/",
        hosts=", ".join(losers),
    )
    return (backup, Gate("storage-replaced", "accept", "storage", hidden))


def _warnings(situation: Situation, done: Progress, asked: Sequence[str]) -> tuple[Text, ...]:
    if _MOUNT not in asked or not done.mounted or situation.primary in done.mounted:
        return ()
    return (
        say(
            "The storage is mounted on %(hosts)s, but not on the primary %(primary)s: what is in"
            " the volume now may replace the primary's files.",
            hosts=", ".join(done.mounted),
            primary=situation.primary,
        ),
    )
