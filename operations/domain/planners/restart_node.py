"""Restart one service of one server, or the server itself, without costing anybody the quorum."""

from __future__ import annotations

from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from nodes.domain.view import View
from operations.domain import safety
from operations.domain.invariants import check_plan
from operations.domain.known import unknown
from operations.domain.plan import Guard, Plan, Stage
from operations.domain.planners import power_steps
from operations.domain.planners.common import unexpected_params
from operations.domain.power import DATABASE, NAMES, STORAGE, Target, target, view_of
from operations.domain.situation import Situation

_DOES = {
    "mariadb": say("It leaves the cluster in order, starts again and joins."),
    "glusterd": say("Its bricks go away for a moment; what was written meanwhile is healed."),
    "host": say("Its services stop in order, the server starts again, and everything comes back."),
}


def plan(situation: Situation) -> Plan | Refusal:
    """params: {"node": host, "service": mariadb, glusterd or host}."""
    if refusal := unexpected_params(situation, "node", "service"):
        return refusal
    one = target(situation)
    if isinstance(one, Refusal):
        return one
    view = view_of(situation)
    if refusal := (
        power_steps.ready(situation, one.host)
        or safety.may_stop(view, one)
        or _comes_back(view, one)
    ):
        return refusal
    return check_plan(_plan(situation, one, view), situation.hosts)


def _comes_back(view: View, one: Target) -> Refusal | None:
    """What is down cannot be restarted, and a marker would make the start a second cluster."""
    node = view.node(one.host)
    if one.database and one.host in view.settings.galera_peer_hosts:
        if refusal := unknown(node, "bootstrap_marker") or safety.marked(node):
            return refusal
        member = next(m for m in view.galera if m.host == one.host)
        if one.service == DATABASE and not member.member:
            return _is_down(one)
    if refusal := unknown(node, "units"):
        return refusal
    down = one.service == STORAGE and dict(node.units).get("glusterd") != "active"  # type: ignore[arg-type]
    return _is_down(one) if down else None


def _is_down(one: Target) -> Refusal:
    why = say("%(service)s does not run on %(host)s.", service=NAMES[one.service], host=one.host)
    return Refusal("not_running", why, say("Start it instead."), {"node": one.host})


def _plan(situation: Situation, one: Target, view: View) -> Plan:
    guard = Guard("may_stop", (one.host, one.service))
    stage = Stage("restart", title(one), _DOES[one.service], steps(situation, one, guard))
    return Plan(
        "restart_node",
        title(one),
        situation.revision,
        (stage,),
        (*power_steps.pause_of_primary(situation, one), *power_steps.no_reserve(view, one)),
        power_steps.effects(one, situation),
    )


def title(one: Target) -> Text:
    if one.service == "host":
        return say("Restart the server %(host)s", host=one.host)
    return say("Restart %(service)s on %(host)s", service=NAMES[one.service], host=one.host)


steps = power_steps.restart
