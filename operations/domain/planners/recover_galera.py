"""Bring Galera back from what is known of every node: `decide` chooses, the steps carry it out.

Between plan and bootstrap nothing may have been started: the marks of all files are in the plan, so
they are part of what was shown, and the guard reads them again in the moment of the start.
"""

from __future__ import annotations

from nodes.domain.observation import EnvFacts
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from operations.domain.invariants import check_plan
from operations.domain.plan import Gate, Plan, Stage
from operations.domain.planners import agreement
from operations.domain.planners import recovery_steps as steps
from operations.domain.planners.common import (
    env_difference,
    listed,
    params_invalid,
    unexpected_params,
)
from operations.domain.planners.power_steps import ready
from operations.domain.planners.start_cluster import background_work
from operations.domain.power import view_of
from operations.domain.recovery import decide
from operations.domain.recovery_choice import Choice, Doubt
from operations.domain.recovery_evidence import Evidence, Life
from operations.domain.recovery_facts import evidence_of
from operations.domain.situation import Situation

TITLE = say("Bring the Galera cluster back")


def plan(situation: Situation) -> Plan | Refusal:
    """params: {"accept": [tokens]} the doubts that a person accepts; {"copy": "yes"} keeps a copy of
    the chosen node's data before anything starts."""
    if refusal := unexpected_params(situation, "accept", "copy"):
        return refusal
    accepted = listed(situation, "accept")
    if situation.params.get("copy", "yes") != "yes":
        return params_invalid("copy", say("copy can only be “yes”."))
    evidence = evidence_of(situation)
    choice = decide(evidence, accepted or ())
    if isinstance(choice, Doubt):
        return choice
    for host in (*((choice.host,) if choice.host else ()), *choice.starts):
        if refusal := ready(situation, host):
            return refusal
    return check_plan(_plan(situation, evidence, choice), situation.hosts)


def _plan(situation: Situation, evidence: Evidence, choice: Choice) -> Plan:
    stages = (
        *_first(situation, evidence, choice),
        *_others(situation, evidence, choice),
        *steps.storage(situation),
        *agreement.stages(situation, background_work(situation, view_of(situation))),
    )
    return Plan(
        "recover_galera",
        TITLE,
        situation.revision,
        stages,
        _gates(situation, choice),
        (*choice.warnings, *_settings(situation), *_storage_left(situation)),
    )


def _first(situation: Situation, evidence: Evidence, choice: Choice) -> tuple[Stage, ...]:
    match choice.kind:
        case "together":
            return steps.together(situation, choice)
        case "bootstrap":
            copy = (steps.copy(situation, choice),) if situation.params.get("copy") else ()
            return (*copy, steps.bootstrap(situation, evidence, choice))
        case "force_primary":
            return (steps.force_primary(situation, evidence, choice),)
    return ()


def _others(situation: Situation, evidence: Evidence, choice: Choice) -> tuple[Stage, ...]:
    if choice.kind == "together" or choice.position is None:
        return ()
    alive = evidence.living(Life.PRIMARY)
    running = evidence.living(Life.NON_PRIMARY) if choice.kind == "force_primary" else ()
    size = len(alive or running) or 1
    return tuple(
        steps.join(situation, host, size + number, choice.position.uuid)
        for number, host in enumerate(choice.starts, start=1)
    )


def _gates(situation: Situation, choice: Choice) -> tuple[Gate, ...]:
    overrides = tuple(
        Gate(f"override-{number}", "override", each.token, each.loss)
        for number, each in enumerate(choice.accepted, start=1)
    )
    return (*overrides, *_replaced(choice), *_typed(situation, choice))


def _replaced(choice: Choice) -> tuple[Gate, ...]:
    told = [say("%(host)s: %(what)s", host=f.host, what=f.what) for f in choice.fates if f.replaced]
    if not told:
        return ()
    why = told[0]
    for each in told[1:]:
        why = say("%(one)s %(other)s", one=why, other=each)
    return (Gate("data-replaced", "accept", "database", why),)


def _typed(situation: Situation, choice: Choice) -> tuple[Gate, ...]:
    if choice.kind not in ("bootstrap", "force_primary"):
        return ()
    why = say(
        "The cluster goes on from the data of %(host)s. %(rule)s What only another server has"
        " cannot come back afterwards.",
        host=choice.host,
        rule=choice.rule,
    )
    return (Gate("bootstrap", "typed", situation.cluster_name, why),)


def _settings(situation: Situation) -> tuple[Text, ...]:
    """Whose background work goes on is read from each `.env`; a difference is said, not repaired."""
    differing = [
        node.host
        for node in view_of(situation).reached
        if isinstance(node.env, EnvFacts) and env_difference(situation, node.env)
    ]
    if not differing:
        return ()
    return (
        say(
            "The settings in .env on %(hosts)s differ from the panel's. The last step will say so:"
            " apply them then, and go on with the run.",
            hosts=", ".join(differing),
        ),
    )


def _storage_left(situation: Situation) -> tuple[Text, ...]:
    view = view_of(situation)
    silent = [node.host for node in view.nodes if node.ssh is not True]
    if not silent or not steps.storage_used(situation):
        return ()
    return (
        say(
            "GlusterFS is left as it is, since %(hosts)s did not answer; look at it afterwards.",
            hosts=", ".join(silent),
        ),
    )
