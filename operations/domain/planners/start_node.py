"""Start what is stopped on one server: GlusterFS with its bricks and the mount, then the database.

For a brick that stayed down after a boot this is the known remedy: `volume start force` starts what
is missing and touches nothing that runs.
"""

from __future__ import annotations

from nodes.domain.observation import Grastate
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from operations.domain import safety
from operations.domain.invariants import check_plan
from operations.domain.known import unknown
from operations.domain.plan import Gate, Plan, Stage, Step
from operations.domain.planners import power_steps
from operations.domain.planners.common import unexpected_params
from operations.domain.planners.node_state import database_stopped, storage_well
from operations.domain.power import HOST, NAMES, Target, target, view_of
from operations.domain.situation import Situation

_WHY = say("GlusterFS first, since dpiui2 needs its files; then the database joins the others.")


def plan(situation: Situation) -> Plan | Refusal:
    """params: {"node": host, "service": mariadb, glusterd or host (both, as far as stopped)}."""
    if refusal := unexpected_params(situation, "node", "service"):
        return refusal
    one = target(situation)
    if isinstance(one, Refusal):
        return one
    if refusal := power_steps.ready(situation, one.host):
        return refusal
    steps = _steps(situation, one)
    if isinstance(steps, Refusal):
        return steps
    return check_plan(_plan(situation, one, steps), situation.hosts)


def _steps(situation: Situation, one: Target) -> tuple[Step, ...] | Refusal:
    view, host = view_of(situation), one.host
    found: list[Step] = []
    if one.storage and host in situation.settings.cluster_fs_peer_hosts:
        if refusal := unknown(view.node(host), "units", "mount"):
            return refusal
        if not storage_well(situation, host):
            found.append(power_steps.start_storage(situation, host))
    wanted = one.database and host in situation.settings.galera_peer_hosts
    if wanted and (one.service != HOST or database_stopped(situation, host)):
        if refusal := safety.may_start_database(view, host):
            return refusal
        found.append(power_steps.start_database(situation, host))
        if view.node(host).extra.get("stop_note"):
            found.append(power_steps.give_back(situation, host))
    return tuple(found) or _nothing(one)


def _nothing(one: Target) -> Refusal:
    why = say("%(service)s runs on %(host)s.", service=NAMES[one.service], host=one.host)
    return Refusal("already_running", why, say("Nothing has to be started."), {"node": one.host})


def _plan(situation: Situation, one: Target, steps: tuple[Step, ...]) -> Plan:
    stage = Stage("start", title(one), _WHY, steps)
    return Plan(
        "start_node", title(one), situation.revision, (stage,), _replaced(situation, one, steps)
    )


def title(one: Target) -> Text:
    if one.service == HOST:
        return say("Start the services of %(host)s", host=one.host)
    return say("Start %(service)s on %(host)s", service=NAMES[one.service], host=one.host)


def _replaced(situation: Situation, one: Target, steps: tuple[Step, ...]) -> tuple[Gate, ...]:
    """Data of another origin is replaced as a whole by the transfer that a join begins with."""
    view = view_of(situation)
    state = view.node(one.host).grastate
    uuid = next((member.uuid for member in view.primary), "")
    joins = any(step.proof.name == "member_back" for step in steps)
    own = state.uuid if isinstance(state, Grastate) and state.present else ""
    if not joins or not own.strip("0-") or own.lower() == uuid.lower():
        return ()
    why = say(
        "The data of %(host)s has another origin than the cluster's; joining replaces it as a"
        " whole.",
        host=one.host,
    )
    return (Gate("data-replaced", "accept", one.host, why),)
