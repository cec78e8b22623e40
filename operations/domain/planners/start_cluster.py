"""Start a cluster that was stopped in order: the last one stopped first, then the others.

“You must first start the server that was stopped last.” Only a proven order counts: remembered by
the panel or by every server, the same positions as then, safe_to_bootstrap on that one alone, and
nobody running anywhere (law 10). Otherwise it is a case for `recover_galera`. Bricks are judged
only when glusterd runs on every server: alone it starts none.
"""

from __future__ import annotations

from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from nodes.domain.view import View
from operations.domain import power_scripts, safety
from operations.domain.guards import nobody_runs
from operations.domain.invariants import check_plan
from operations.domain.known import unknown
from operations.domain.plan import Gate, Guard, Plan, Proof, Stage, Step
from operations.domain.planners import agreement, power_steps
from operations.domain.planners.common import step_key, unexpected_params
from operations.domain.planners.node_state import storage_well
from operations.domain.planners.rolling_restart import primary_last
from operations.domain.power import view_of
from operations.domain.situation import Situation
from operations.domain.stop_order import First, first_to_start


def plan(situation: Situation) -> Plan | Refusal:
    """With members alive nobody is bootstrapped: the others join them."""
    if refusal := unexpected_params(situation):
        return refusal
    view = view_of(situation)
    for node in view.nodes:
        if refusal := power_steps.ready(situation, node.host) or unknown(
            node, "units", "mount", "bootstrap_marker"
        ):
            return refusal
    first = _first(situation, view)
    if isinstance(first, Refusal):
        return first
    stages = _stages(situation, view, first)
    if not stages:
        why = say("Every member is in the cluster and the storage answers everywhere.")
        return Refusal("already_running", why, say("Nothing has to be started."))
    return check_plan(_plan(situation, first, stages), situation.hosts)


def _first(situation: Situation, view: View) -> First | Refusal | None:
    """None: a cluster lives, and nobody may begin another one."""
    if view.primary:
        marks = (safety.marked(member.node) for member in view.galera)
        return safety.database_quiet(view) or next((mark for mark in marks if mark), None)
    if view.without_quorum:
        return safety.database_quiet(view)
    if refusal := nobody_runs(situation):
        return refusal
    nodes = [view.node(host) for host in situation.settings.galera_peer_hosts]
    return first_to_start(nodes, situation.memory.stopped)


def _plan(situation: Situation, first: First | None, stages: tuple[Stage, ...]) -> Plan:
    title = say("Start the cluster")
    return Plan("start_cluster", title, situation.revision, stages, _gates(situation, first))


def _gates(situation: Situation, first: First | None) -> tuple[Gate, ...]:
    if first is None:
        return ()
    why = say(
        "%(host)s was stopped last (order: %(order)s), at %(seqno)s, which no other server is"
        " ahead of, and safe_to_bootstrap is 1 there alone. The cluster begins from its data.",
        host=first.host,
        order=", ".join(first.order),
        seqno=first.seqno,
    )
    return (Gate("bootstrap", "typed", situation.cluster_name, why),)


def _stages(situation: Situation, view: View, first: First | None) -> tuple[Stage, ...]:
    found = (
        *storage_stages(situation, view),
        *_database(situation, view, first),
        *mount_stages(situation, view),
    )
    work = background_work(situation, view)
    whole = whole_stage(situation) if found else ()
    ends = agreement.stages(situation, work) if found or work else ()
    return (*found, *whole, *ends)


def storage_stages(situation: Situation, view: View) -> tuple[Stage, ...]:
    """glusterd everywhere, then the bricks."""
    hosts = [host for host in situation.hosts if host in situation.settings.cluster_fs_peer_hosts]
    down = [h for h in hosts if _unit(view, h) != "active"]
    if not hosts or all(storage_well(situation, host) for host in hosts):
        return ()
    steps = tuple(_glusterd(situation, host) for host in down)
    why = say("A glusterd that is alone starts no brick: it waits for one of the others.")
    daemons = Stage("glusterd", say("GlusterFS on every server"), why, steps)
    bricks = Stage("bricks", say("The bricks"), why, (_bricks(situation, hosts[0]),))
    return (daemons, bricks) if steps else (bricks,)


def _unit(view: View, host: str) -> str:
    units = view.node(host).units
    return units.get("glusterd", "") if isinstance(units, dict) else ""


def _glusterd(situation: Situation, host: str) -> Step:
    return Step(
        key=step_key(situation, "glusterd", host),
        node=host,
        title=say("Start glusterd on %(host)s", host=host),
        argv=(*power_steps.SHELL, power_scripts.START_GLUSTERD, "clusterpanel"),
        proof=Proof("glusterd_active", (host,)),
    )


def _bricks(situation: Situation, host: str) -> Step:
    return Step(
        key=step_key(situation, "bricks", host),
        node=host,
        title=say("Start the bricks that do not run yet"),
        argv=(*power_steps.SHELL, power_scripts.START_BRICKS, "clusterpanel"),
        proof=Proof("volume_well", (host,)),
        proof_timeout_s=300,
    )


def _database(situation: Situation, view: View, first: First | None) -> tuple[Stage, ...]:
    """The first by bootstrap, the others in the reverse of the order in which they stopped."""
    order = first.order if first else primary_last(situation, situation.settings.galera_peer_hosts)
    waiting = [m.host for m in view.galera if not m.member]
    stages, size = [], len(view.primary)
    for host in reversed(order):
        if host not in waiting:
            continue
        size += 1
        begins = first is not None and host == first.host
        step = (
            _bootstrap(situation, first)
            if first and begins
            else _join(situation, first, host, size)
        )
        number = situation.hosts.index(host) + 1
        why = say("Members join one after the other: a joiner may need all data from another.")
        stages.append(
            Stage(f"database-{number}", say("The database of %(host)s", host=host), why, (step,))
        )
    return tuple(stages)


def _join(situation: Situation, first: First | None, host: str, size: int) -> Step:
    return power_steps.start_database(situation, host, size, first.uuid if first else "")


def _bootstrap(situation: Situation, first: First) -> Step:
    host, seqno = first.host, str(first.seqno)
    argv = (power_steps.datadir(situation, host), first.uuid, seqno)
    return Step(
        key=step_key(situation, "first", host),
        node=host,
        title=say("Begin the cluster from %(host)s, which was stopped last", host=host),
        argv=(*power_steps.SHELL, power_scripts.BOOTSTRAP, "clusterpanel", *argv),
        proof=Proof("member_back", (host, "1", first.uuid)),
        proof_timeout_s=900,
        guard=Guard("may_bootstrap", (host, first.uuid, seqno)),
    )


def mount_stages(situation: Situation, view: View) -> tuple[Stage, ...]:
    hosts = [host for host in situation.hosts if host in situation.settings.cluster_fs_peer_hosts]
    steps = tuple(
        power_steps.remount(situation, h) for h in hosts if not storage_well(situation, h)
    )
    if not steps:
        return ()
    why = say("A mount needs its volume: it comes after the bricks.")
    return (Stage("mounts", say("The storage on every server"), why, steps),)


def whole_stage(situation: Situation) -> tuple[Stage, ...]:
    host, galera = situation.primary, situation.settings.galera_peer_hosts
    why = say("Only then the background work begins.")
    step = power_steps.wholly(situation, host, galera)
    return (Stage("whole", say("Both layers whole"), why, (step,)),)


def background_work(situation: Situation, view: View) -> tuple[Stage, ...]:
    """What the stop put off. The primary's comes last: by then everything it works with is there."""
    noted = [n.host for n in view.nodes if n.extra.get("stop_note")]
    why = say("Everything that it works with is there by now; the primary is the last.")
    stages = []
    for host in primary_last(situation, tuple(noted)):
        number = situation.hosts.index(host) + 1
        title = say("The background work of %(host)s", host=host)
        stages.append(
            Stage(f"work-{number}", title, why, (power_steps.give_back(situation, host),))
        )
    return tuple(stages)
