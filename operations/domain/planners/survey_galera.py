"""Find out how far every stopped database got: stop what only tries to start, copy the state files
aside, recover each position and keep it on its node. Nothing is started and no data is changed.

The recovery is planned from what this leaves; a position counts while nothing was started since.
"""

from __future__ import annotations

from collections.abc import Sequence

from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from operations.domain import recovery_doubts as doubts
from operations.domain import recovery_scripts as scripts
from operations.domain.invariants import check_plan
from operations.domain.plan import Gate, Guard, Plan, Proof, Stage, Step
from operations.domain.planners.common import (
    params_invalid,
    step_key,
    unexpected_params,
)
from operations.domain.planners.power_steps import datadir, ready
from operations.domain.recovery_evidence import Evidence, Found, Life, NodeEvidence
from operations.domain.recovery_facts import evidence_of
from operations.domain.situation import Situation

ALL = "all"


def plan(situation: Situation) -> Plan | Refusal:
    """params: {"stop": "all"} also stops servers that run without a majority."""
    if refusal := unexpected_params(situation, "stop"):
        return refusal
    if situation.params.get("stop", ALL) != ALL:
        return params_invalid("stop", say("stop can only be “all”."))
    evidence = evidence_of(situation)
    if refusal := doubts.two_primaries(evidence):
        return refusal
    if evidence.living(Life.PRIMARY) and (refusal := doubts.busy(evidence)):
        return refusal
    stops, reads = _to_stop(situation, evidence), _to_read(situation, evidence)
    if not reads:
        return _nothing(evidence)
    for node in reads:
        if refusal := ready(situation, node.host):
            return refusal
    return check_plan(_plan(situation, stops, reads), situation.hosts)


def _to_stop(situation: Situation, evidence: Evidence) -> list[NodeEvidence]:
    everything = situation.params.get("stop") == ALL
    return [
        node
        for node in evidence.nodes
        if node.life is Life.STARTING
        or (node.life is Life.NON_PRIMARY and (everything or node.holds is None))
    ]


def _to_read(situation: Situation, evidence: Evidence) -> list[NodeEvidence]:
    unread = (Found.NOT_READ, Found.FAILED, Found.PREPARED)
    stopped = [n for n in evidence.living(Life.STOPPED) if n.found in unread]
    wanted = {node.host for node in (*stopped, *_to_stop(situation, evidence))}
    return [evidence.node(host) for host in situation.hosts if host in wanted]


def _nothing(evidence: Evidence) -> Refusal:
    silent = evidence.living(Life.SILENT)
    if silent:
        why = say(
            "%(host)s could not be asked: %(why)s", host=silent[0].host, why=silent[0].why or ""
        )
        fix = say("Bring %(host)s back and look again.", host=silent[0].host)
        return Refusal("node_unknown", why, fix, {"node": silent[0].host})
    why = say("Every position is known: nothing was started since they were read.")
    return Refusal("nothing_to_do", why, say("Go on to the recovery."))


def _plan(
    situation: Situation, stops: Sequence[NodeEvidence], reads: Sequence[NodeEvidence]
) -> Plan:
    stages = (
        *((_stop_stage(situation, stops),) if stops else ()),
        _read_stage(situation, reads),
    )
    return Plan(
        "survey_galera",
        say("Take the positions of the stopped databases"),
        situation.revision,
        stages,
        _gates(stops),
    )


def _stop_stage(situation: Situation, stops: Sequence[NodeEvidence]) -> Stage:
    hosts = [host for host in situation.hosts if host in {node.host for node in stops}]
    steps = tuple(
        Step(
            key=step_key(situation, "halt", host),
            node=host,
            title=say("Stop the database of %(host)s, which is not Primary", host=host),
            argv=("sh", "-c", scripts.STOP, "clusterpanel", datadir(situation, host)),
            proof=Proof("database_stopped", (host,)),
            proof_timeout_s=60,
            guard=Guard("not_primary", (host,)),
        )
        for host in hosts
    )
    why = say("A position can only be read where nothing runs; a server that waits is no use.")
    return Stage("halt", say("Stop what only tries to start"), why, steps)


def _read_stage(situation: Situation, reads: Sequence[NodeEvidence]) -> Stage:
    steps = tuple(
        Step(
            key=step_key(situation, "position", node.host),
            node=node.host,
            title=say("Read how far the data of %(host)s is", host=node.host),
            argv=("sh", "-c", scripts.TAKE_POSITION, "clusterpanel", datadir(situation, node.host)),
            proof=Proof("position_kept", (node.host,)),
            timeout_s=1800,
            proof_timeout_s=30,
        )
        for node in reads
    )
    why = say(
        "grastate.dat says -1 after a crash, and an old number on a server that was stopped long"
        " ago: only the data itself knows. The servers read at the same time: none waits for"
        " another's crash recovery."
    )
    return Stage("positions", say("Read the positions"), why, steps, together=True)


def _gates(stops: Sequence[NodeEvidence]) -> tuple[Gate, ...]:
    running = [node.host for node in stops if node.life is Life.NON_PRIMARY]
    if not running:
        return ()
    why = say(
        "%(hosts)s runs without a majority and is stopped: what still reads there stops as well.",
        hosts=", ".join(running),
    )
    return (Gate("stop-running", "accept", "database", why),)
