"""When an answer to a gate counts. Pure: the caller looks up the backup and asks its node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from operations.domain.plan import Gate
from operations.domain.situation import BackupFacts

REASON_LENGTH = 10


@dataclass(frozen=True)
class Person:
    """Who confirms, and whether their role may go without a backup."""

    name: str
    may_waive: bool


def unanswered(gate: Gate) -> Refusal:
    fix = {
        "backup": say("Choose a backup, take one now, or waive it with a reason."),
        "typed": say("Type %(subject)s.", subject=gate.subject),
        "accept": say("Read it and accept it."),
        "override": say("Type the cluster's name and say why, or leave the refusal as it is."),
    }[gate.kind]
    why = say("Not confirmed yet: %(why)s", why=gate.why)
    return Refusal("gate_unanswered", why, fix, {"gate": gate.id, "kind": gate.kind}, gate.id)


def plain_answer(gate: Gate, answer: Mapping[str, Any]) -> Refusal | None:
    """The answer to a typed or an accept gate."""
    if gate.kind == "accept":
        return None if answer.get("accept") is True else unanswered(gate)
    typed = answer.get("typed")
    if not isinstance(typed, str) or not typed:
        return unanswered(gate)
    return None if typed == gate.subject else typed_wrong(gate, gate.subject)


def waived(gate: Gate, waiver: Any, *, cluster_name: str, person: Person) -> Refusal | None:
    """A waiver, and an override, need the role, the cluster's name typed, and a reason that says
    something."""
    if not isinstance(waiver, Mapping):
        return unanswered(gate)
    if not person.may_waive:
        return _forbidden(gate, person)
    if waiver.get("typed") != cluster_name:
        return typed_wrong(gate, cluster_name)
    reason = waiver.get("reason")
    if not isinstance(reason, str) or len(reason.strip()) < REASON_LENGTH:
        why = say("The reason is too short.")
        fix = say("Write at least %(count)s characters.", count=REASON_LENGTH)
        return Refusal("waiver_reason", why, fix, {"gate": gate.id}, gate.id)
    return None


def _forbidden(gate: Gate, person: Person) -> Refusal:
    if gate.kind == "override":
        why = say("%(who)s may not override a refusal.", who=person.name)
        fix = say("Ask an administrator who may.")
        return Refusal("override_forbidden", why, fix, {"gate": gate.id}, gate.id)
    why = say("%(who)s may not start without a backup.", who=person.name)
    fix = say("Take a backup, or ask an administrator who may waive it.")
    return Refusal("waiver_forbidden", why, fix, {"gate": gate.id}, gate.id)


def typed_wrong(gate: Gate, expected: str) -> Refusal:
    why = say("What was typed is not “%(expected)s”.", expected=expected)
    fix = say("Type it exactly as it stands here, capitals included.")
    return Refusal("typed_wrong", why, fix, {"gate": gate.id}, gate.id)


def unusable(
    backup: BackupFacts, *, kind: str, primary: str, now: float, max_age_h: float
) -> Text | None:
    """Why a backup on record does not count, judged without asking its node; None when it may."""
    if backup.kind != kind:
        return say("It is a backup of the %(kind)s.", kind=backup.kind)
    if backup.taken_by.startswith("backup_") and backup.node != primary:
        return say(
            "It holds the data of %(node)s, but the primary is %(primary)s.",
            node=backup.node,
            primary=primary,
        )
    hours = (now - backup.verified_at) / 3600
    if hours > max_age_h:
        return say(
            "It was verified %(hours)s hours ago; at most %(limit)s are accepted.",
            hours=int(hours),
            limit=int(max_age_h),
        )
    return None


def file_differs(backup: BackupFacts, found: str) -> Text | None:
    """`found` is what the node says now: the size in bytes, or "-" when the file is gone."""
    if found == "-":
        return say("%(path)s is no longer on %(node)s.", path=backup.path, node=backup.node)
    if found != str(backup.bytes):
        return say(
            "%(path)s on %(node)s has %(found)s bytes, it had %(bytes)s when it was verified.",
            path=backup.path,
            node=backup.node,
            found=found,
            bytes=backup.bytes,
        )
    return None


def backup_invalid(gate: Gate, backup_id: object, reason: Text) -> Refusal:
    why = say("Backup %(id)s cannot be used. %(reason)s", id=backup_id, reason=reason)
    fix = say("Take a new backup, or show another one.")
    evidence = {"gate": gate.id, "backup": str(backup_id), "reason": str(reason)}
    return Refusal("backup_invalid", why, fix, evidence, gate.id)
