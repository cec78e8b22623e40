"""Stop one service of one server, or all of them before it is switched off for work on it."""

from __future__ import annotations

from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from operations.domain import safety
from operations.domain.invariants import check_plan
from operations.domain.plan import Gate, Guard, Plan, Stage, Step
from operations.domain.planners import power_steps
from operations.domain.planners.common import unexpected_params
from operations.domain.planners.node_state import database_stopped, storage_stopped
from operations.domain.power import NAMES, Target, target, view_of
from operations.domain.situation import Situation

_WHY = say("Each stops in order: it says goodbye to the others, so it is not counted any more.")


def plan(situation: Situation) -> Plan | Refusal:
    """params: {"node": host, "service": mariadb, glusterd or host (both of them)}."""
    if refusal := unexpected_params(situation, "node", "service"):
        return refusal
    one = target(situation)
    if isinstance(one, Refusal):
        return one
    if refusal := power_steps.ready(situation, one.host) or safety.may_stop(
        view_of(situation), one
    ):
        return refusal
    steps = _steps(situation, one)
    if isinstance(steps, Refusal):
        return steps
    return check_plan(_plan(situation, one, steps), situation.hosts)


def _steps(situation: Situation, one: Target) -> tuple[Step, ...] | Refusal:
    """What still runs of it."""
    guard = Guard("may_stop", (one.host, one.service))
    found = []
    if one.database and not database_stopped(situation, one.host):
        found.append(power_steps.guarded(power_steps.stop_database(situation, one.host), guard))
    if one.storage and not storage_stopped(situation, one.host):
        found.append(power_steps.guarded(power_steps.stop_storage(situation, one.host), guard))
    return tuple(found) or _nothing(one)


def _nothing(one: Target) -> Refusal:
    why = say("%(service)s is stopped on %(host)s.", service=NAMES[one.service], host=one.host)
    return Refusal("nothing_to_do", why, say("Nothing has to be stopped."), {"node": one.host})


def _plan(situation: Situation, one: Target, steps: tuple[Step, ...]) -> Plan:
    view = view_of(situation)
    accept = Gate("stays-stopped", "accept", one.host, _stays(one))
    pause = power_steps.pause_of_primary(situation, one)
    return Plan(
        "stop_node",
        title(one),
        situation.revision,
        (Stage("stop", title(one), _WHY, steps),),
        (accept, *pause, *power_steps.no_reserve(view, one)),
        power_steps.effects(one, situation),
    )


def title(one: Target) -> Text:
    if one.service == "host":
        return say("Stop both services of %(host)s", host=one.host)
    return say("Stop %(service)s on %(host)s", service=NAMES[one.service], host=one.host)


def _stays(one: Target) -> Text:
    if not one.storage:
        return say(
            "The database of %(host)s stays stopped until somebody starts it or the server boots;"
            " users who work on this server get errors.",
            host=one.host,
        )
    return say(
        "%(host)s stays without its storage until somebody starts it or the server boots: users who"
        " work on this server get errors, and what is written meanwhile is healed afterwards.",
        host=one.host,
    )
