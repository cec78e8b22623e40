"""Mount the storage of one server again: it was not mounted after a boot, or the mount hangs."""

from __future__ import annotations

from nodes.domain.observation import MountFacts
from nodes.domain.quorum import has_storage, online
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from nodes.domain.view import View
from operations.domain import safety
from operations.domain.invariants import check_plan
from operations.domain.known import params_invalid, unknown
from operations.domain.plan import Gate, Plan, Stage
from operations.domain.planners import power_steps
from operations.domain.planners.common import unexpected_params
from operations.domain.power import node_of, view_of
from operations.domain.situation import Situation


def plan(situation: Situation) -> Plan | Refusal:
    """params: {"node": host}."""
    if refusal := unexpected_params(situation, "node"):
        return refusal
    host = node_of(situation)
    if isinstance(host, Refusal):
        return host
    if host not in situation.settings.cluster_fs_peer_hosts:
        why = say("%(host)s has no storage of this cluster.", host=host)
        return params_invalid("node", why)
    view = view_of(situation)
    refusal = power_steps.ready(situation, host) or _mount(view, host) or _bricks(view)
    return refusal or check_plan(_plan(situation, host), situation.hosts)


def _mount(view: View, host: str) -> Refusal | None:
    node = view.node(host)
    if refusal := unknown(node, "mount"):
        return refusal
    assert isinstance(node.mount, MountFacts)
    if not (node.mount.mounted and node.mount.answers):
        return None
    why = say("The storage of %(host)s is mounted and answers.", host=host)
    return Refusal("nothing_to_do", why, say("Nothing has to be mounted."), {"node": host})


def _bricks(view: View) -> Refusal | None:
    """Mounting is of no use while the volume itself answers nobody."""
    volumes = view.volumes
    if volumes is None:
        return safety.no_answer(view)
    if volumes and has_storage(volumes, online(volumes)):
        return None
    why = say("The volume has too few bricks that run; a mount would not answer.")
    fix = say("Start GlusterFS on the servers whose bricks are down first.")
    return Refusal("storage_quorum", why, fix)


def _plan(situation: Situation, host: str) -> Plan:
    title = say("Mount the storage of %(host)s again", host=host)
    why = say("Until then what dpiui2 writes there stays on this one server, or fails.")
    stage = Stage("mount", title, why, (power_steps.remount(situation, host),))
    gates = _hidden(situation, host)
    return Plan("remount_storage", title, situation.revision, (stage,), gates)


def _hidden(situation: Situation, host: str) -> tuple[Gate, ...]:
    mount = view_of(situation).node(host).mount
    assert isinstance(mount, MountFacts)
    if mount.mounted:
        return ()
    why = say(
        "What was written to %(path)s of %(host)s while it was not mounted is hidden below the mount"
        " and missing on the others.",
        path=situation.storage,
        host=host,
    )
    return (Gate("files-hidden", "accept", host, why),)
