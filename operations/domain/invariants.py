"""What must be true of every plan, whoever made it. A broken rule is a defect, not a refusal."""

from __future__ import annotations

import re
from collections.abc import Sequence

from operations.domain.guards import GUARDS
from operations.domain.plan import Plan, Stage
from operations.domain.proofs import PROOFS
from operations.domain.proofs.primary import FENCED

_SAFE_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")

# What the overwriting steps of a procedure destroy; a backup of it stands before them (law 4).
OVERWRITTEN = {"install_galera": "database", "install_glusterfs": "storage"}


class BrokenPlan(Exception):
    """A planner made a plan that breaks a law."""


def check_plan(plan: Plan, hosts: Sequence[str]) -> Plan:
    """The same plan; raises BrokenPlan naming the first law that it breaks."""
    _steps_are_named(plan)
    _hosts_are_known(plan, hosts)
    _proofs_are_known(plan)
    _guards_are_known(plan)
    _overwriting_is_gated(plan)
    for stage in plan.stages:
        _stage_is_serial(stage, hosts)
    _gates_are_named(plan)
    _new_primary_is_last(plan, hosts)
    return plan


def _steps_are_named(plan: Plan) -> None:
    keys = [step.key for step in plan.steps]
    _require(bool(keys), "a plan without a step proves nothing (law 3)")
    _require(len(set(keys)) == len(keys), "two steps have the same key")
    _require(all(_SAFE_KEY.fullmatch(key) for key in keys), "a key is no file name")
    _require(all(step.argv and all(step.argv[:1]) for step in plan.steps), "a step has no command")
    _require(all(stage.steps for stage in plan.stages), "a stage is empty")
    _require(
        len({stage.key for stage in plan.stages}) == len(plan.stages), "two stages have one key"
    )


def _hosts_are_known(plan: Plan, hosts: Sequence[str]) -> None:
    _require(set(plan.nodes) <= set(hosts), "a step is on a host outside of the settings")


def _guards_are_known(plan: Plan) -> None:
    unknown = {step.guard.name for step in plan.steps} - {"", *GUARDS}
    _require(not unknown, f"unknown guards {sorted(unknown)}")


def _proofs_are_known(plan: Plan) -> None:
    unknown = {step.proof.name for step in plan.steps} - set(PROOFS)
    _require(not unknown, f"unknown proofs {sorted(unknown)} (law 8)")
    # Renders each sentence once: a proof with too few arguments fails here, not on the node.
    for step in plan.steps:
        try:
            PROOFS[step.proof.name].sentence(step.proof.args)
        except (IndexError, ValueError) as error:
            raise BrokenPlan(f"{step.key}: its proof lacks arguments (law 8)") from error


def _overwriting_is_gated(plan: Plan) -> None:
    if not any(step.overwrites for step in plan.steps):
        return
    subject = OVERWRITTEN.get(plan.procedure)
    _require(subject is not None, f"{plan.procedure} overwrites, nobody says what (law 4)")
    gated = {gate.subject for gate in plan.gates if gate.kind == "backup"}
    _require(subject in gated, f"{subject} is overwritten without a backup gate (law 4)")


def _stage_is_serial(stage: Stage, hosts: Sequence[str]) -> None:
    """In list order; several steps on one server may follow each other. What begins together neither
    needs a look in its own moment nor overwrites anything, and has its server for itself."""
    places = [hosts.index(step.node) for step in stage.steps]
    _require(places == sorted(places), f"stage {stage.key} is not in list order (law 3)")
    if not stage.together:
        return
    _require(len(set(places)) == len(places), f"stage {stage.key} works twice on one server")
    alone = any(step.guard.name or step.overwrites or step.stdin for step in stage.steps)
    _require(not alone, f"stage {stage.key} has a step that must have its turn alone (law 3)")


def _new_primary_is_last(plan: Plan, hosts: Sequence[str]) -> None:
    """Law 11, of every plan that changes the primary of the settings."""
    if not plan.primary:
        return
    read = plan.steps[-1].proof
    _require(read.name == "primary_agreed", "the primary changes, nobody reads it again (law 11)")
    asked = {host.removesuffix(FENCED): host.endswith(FENCED) for host in read.args[2:]}
    _require(tuple(asked) == tuple(hosts), "a server is not asked whom it names (law 11)")
    writes = [step.node for step in plan.steps if step.proof.name == "env_equals"]
    _require(plan.primary not in writes[:-1], "the new primary is not written last (law 11)")
    told = {host for host, fenced in asked.items() if not fenced}
    _require(set(writes) <= told, "a server is written that need not answer (law 11)")


def _gates_are_named(plan: Plan) -> None:
    ids = [gate.id for gate in plan.gates]
    _require(len(set(ids)) == len(ids), "two gates have the same id")


def _require(holds: bool, law: str) -> None:
    if not holds:
        raise BrokenPlan(law)
