"""What a person must have confirmed before a run, and before each overwriting step (law 4).

The rules are in `domain/gate_rules.py`; here the backup is looked up and its node is asked whether
the file is still there. A node that does not answer leaves the backup unusable (law 9).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.utils import timezone

from clusterpanel.people import confirming
from clusterpanel.people.roles import Role
from clusterpanel.people.standing import role_of
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from nodes.models import Cluster
from nodes.services import target_for
from nodes.transport.base import TransportError, script
from nodes.transport.pool import transport_for
from operations.domain import gate_rules, guards
from operations.domain.backup_scripts import SIZES
from operations.domain.gate_rules import Person
from operations.domain.plan import Gate, Guard, Plan, Step
from operations.domain.situation import BackupFacts
from operations.models import Backup, Run
from operations.situations import facts, situation_now

# Whether somebody might waive was asked when he did; his role may end before the run does.
_GRANTED = Person("", may_waive=True)
# The answer belongs to the accepted run: another backup needs another run.
_PLAN_AGAIN = say(
    "Take a new backup and plan the procedure again: it will contain what is left to do."
)


def person(user: Any) -> Person:
    """Administrators may waive; the password is asked for once more (`people.confirming`)."""
    return Person(user.get_username(), role_of(user) is Role.ADMINISTRATOR)


def to_keep(confirmations: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as they go into database and audit: without the password of a waiver."""
    return {gate: _without_password(answer) for gate, answer in confirmations.items()}


def _without_password(answer: Any) -> Any:
    waiver = answer.get("waiver") if isinstance(answer, Mapping) else None
    if not isinstance(waiver, Mapping):
        return answer
    return {**answer, "waiver": {k: v for k, v in waiver.items() if k != confirming.FIELD}}


def evaluate(
    *, plan: Plan, cluster: Cluster, confirmations: Mapping[str, Any], user: Any, now: float
) -> list[Refusal]:
    """Every gate that is not answered as it must be; empty when the run may start."""
    by = person(user)
    found = [_gate(gate, cluster, confirmations.get(gate.id), by, now) for gate in plan.gates]
    refusals = [refusal for refusal in found if refusal is not None]
    return refusals + _strangers(plan, confirmations) or _unconfirmed(plan, confirmations, user)


def _unconfirmed(plan: Plan, confirmations: Mapping[str, Any], user: Any) -> list[Refusal]:
    """Asked last, when all else is in order: a wrong password counts as a failed sign-in."""
    for gate in plan.gates:
        waiver = confirmations[gate.id].get("waiver")
        if not isinstance(waiver, Mapping):
            continue  # none, or something beside the answer that the gate asks for
        if refusal := confirming.problem(user, waiver.get(confirming.FIELD)):
            return [replace(refusal, evidence={"gate": gate.id}, field=gate.id)]
    return []


def _strangers(plan: Plan, confirmations: Mapping[str, Any]) -> list[Refusal]:
    """A misspelt gate must not look like an answered one."""
    known = {gate.id for gate in plan.gates}
    return [
        Refusal(
            "gate_unknown",
            say("This plan has no gate “%(id)s”.", id=name),
            say("Answer the gates of the plan by their id."),
            field=name,
        )
        for name in sorted(confirmations)
        if name not in known
    ]


def check_step(run: Run, step: Step) -> Refusal | None:
    """Whether a step may begin now: its guard holds by a new look at the servers, and before
    something is overwritten the run's backups must still be what they were.

    A waiver was given by somebody who may give it, for this run, and stays.
    """
    if step.guard.name and (refusal := _guard(run, step)):
        return refusal
    return recheck(run) if step.overwrites else None


def _guard(run: Run, step: Step) -> Refusal | None:
    """One answer that did not come in time on a busy server must not end a run: asked twice."""
    refusal = _refused(run.cluster, step.guard)
    if refusal is None or refusal.code != "node_unknown":
        return refusal
    return _refused(run.cluster, step.guard)


def _refused(cluster: Cluster, guard: Guard) -> Refusal | None:
    traced = guard.name in guards.TRACED
    return guards.refused(guard, situation_now(cluster, {}, traced=traced))


def recheck(run: Run, *, ask: bool = True) -> Refusal | None:
    """The first backup gate of an accepted run that no longer holds.

    `ask` False: judged by what is on record alone, for a page that must not wait for a node.
    """
    gates = [gate for gate in run.plan.gates if gate.kind == "backup"]
    for gate in gates:
        answer, now = run.confirmations.get(gate.id), timezone.now().timestamp()
        if refusal := _gate(gate, run.cluster, answer, _GRANTED, now, ask=ask):
            return replace(refusal, fix=_PLAN_AGAIN)
    return None


def _gate(
    gate: Gate, cluster: Cluster, answer: Any, by: Person, now: float, *, ask: bool = True
) -> Refusal | None:
    if not isinstance(answer, Mapping):
        return gate_rules.unanswered(gate)
    if gate.kind in ("typed", "accept"):
        return gate_rules.plain_answer(gate, answer)
    if gate.kind == "override" or "waiver" in answer:
        return gate_rules.waived(gate, answer.get("waiver"), cluster_name=cluster.name, person=by)
    return _backup(gate, cluster, answer.get("backup"), now, ask)


def _backup(gate: Gate, cluster: Cluster, backup_id: Any, now: float, ask: bool) -> Refusal | None:
    if backup_id is None:
        return gate_rules.unanswered(gate)
    known = isinstance(backup_id, int) and not isinstance(backup_id, bool)
    backup = Backup.objects.filter(cluster=cluster, pk=backup_id).first() if known else None
    if backup is None:
        reason = say("It is not on record for this cluster.")
    else:
        found = why_unusable(cluster=cluster, backups=[backup], kind=gate.subject, now=now, ask=ask)
        if not (unusable := found[backup.pk]):
            return None
        reason = unusable
    return gate_rules.backup_invalid(gate, backup_id, reason)


def why_unusable(
    *, cluster: Cluster, backups: Iterable[Backup], kind: str, now: float, ask: bool = True
) -> dict[int, Text | None]:
    """For each backup why it does not count now, or None; asks each node once, unless not to."""
    primary = cluster.revision.cluster_primary_host
    limit = settings.BACKUP_MAX_AGE_H
    known = {backup.pk: facts(backup) for backup in backups}
    found = {
        pk: gate_rules.unusable(b, kind=kind, primary=primary, now=now, max_age_h=limit)
        for pk, b in known.items()
    }
    there = defaultdict(list)
    for pk, backup in known.items():
        if ask and found[pk] is None:
            there[backup.node].append(backup)
    for node, files in there.items():
        found |= _still_there(cluster, node, files)
    return found


def _still_there(cluster: Cluster, node: str, files: list[BackupFacts]) -> dict[int, Text | None]:
    """One question to the node about all files."""
    if node not in cluster.revision.peers.hosts:
        gone = say("%(node)s is no longer a node of this cluster.", node=node)
        return {backup.id: gone for backup in files}
    try:
        transport = transport_for(target_for(cluster, node))
        output = transport.run(script(SIZES, *(backup.path for backup in files)))
    except TransportError as error:
        silent = say("Its node could not be asked: %(why)s", why=error.why)
        return {backup.id: silent for backup in files}
    sizes = output.text.split()
    if len(sizes) != len(files):
        unclear = say("%(node)s gave no clear answer about the file.", node=node)
        return {backup.id: unclear for backup in files}
    return {
        backup.id: gate_rules.file_differs(backup, size)
        for backup, size in zip(files, sizes, strict=True)
    }
