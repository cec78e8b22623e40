"""What the pages and the API read about runs and backups."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from clusterpanel.words import translated
from nodes.domain.text import Text
from nodes.models import Cluster
from operations import gates, holder
from operations.domain.causes import likely_cause, remedy
from operations.domain.machine import ACTIVE, RunState, StepState
from operations.domain.plan import Plan, Stage, Step
from operations.domain.proofs import PROOFS
from operations.models import Backup, JournalChunk, Run, RunStep
from operations.runtime import journal
from operations.runtime.checking import CHECK
from operations.runtime.journal import EVENT, OUTPUT

LAST_LINES = 20
_LONGEST = 4000
_AT_FAULT = (StepState.FAILED, StepState.UNKNOWN)


@dataclass(frozen=True)
class SeenBackup:
    """A backup on record, and why it would not open a gate now (None: it would)."""

    id: int
    kind: str
    node: str
    path: str
    bytes: int
    sha256: str
    verified_at: datetime
    why: Text | None

    @property
    def usable(self) -> bool:
        return self.why is None


def runs(cluster: Cluster | None = None) -> QuerySet[Run]:
    """Newest first; of one cluster, or of all."""
    found = Run.objects.select_related("cluster", "started_by")
    return found.filter(cluster=cluster) if cluster else found


def active_run(cluster: Cluster) -> Run | None:
    return holder.active_run(cluster)


def usable_backups(cluster: Cluster, kind: str) -> list[SeenBackup]:
    """Those that would open a backup gate now, newest first; asks the nodes that have them."""
    return [backup for backup in backups(cluster, kind) if backup.usable]


def backups(cluster: Cluster, kind: str = "", limit: int = 50) -> list[SeenBackup]:
    """The newest on record with why they would not be accepted."""
    rows = cluster.backups.select_related("run")
    found = list((rows.filter(kind=kind) if kind else rows)[:limit])
    now = timezone.now().timestamp()
    why: dict[int, Text | None] = {}
    for each in {backup.kind for backup in found}:
        same = [backup for backup in found if backup.kind == each]
        why |= gates.why_unusable(cluster=cluster, backups=same, kind=each, now=now)
    return [_seen(backup, why[backup.pk]) for backup in found]


def _seen(backup: Backup, why: Text | None) -> SeenBackup:
    return SeenBackup(
        backup.pk,
        backup.kind,
        backup.node,
        backup.path,
        backup.bytes,
        backup.sha256,
        backup.verified_at,
        why,
    )


def run_snapshot(run: Run) -> dict[str, Any]:
    """All that a page shows of a run, ready for JSON. Reads everything anew but the plan."""
    run.refresh_from_db()
    now, plan = timezone.now(), run.plan
    rows = {row.key: row for row in run.steps.all()}
    return {
        "id": run.pk,
        "cluster": run.cluster_id,
        "cluster_name": run.cluster.name,
        "procedure": run.procedure,
        "title": translated(plan.title),
        "state": run.state,
        "cancelling": run.cancelling,
        "sentence": translated(run.sentence),
        "started_by": run.started_by.get_username() if run.started_by else None,
        "created_at": _iso(run.created_at),
        "started_at": _iso(run.started_at),
        "ended_at": _iso(run.ended_at),
        "last_line": run.next_line - 1,
        "log_removed": translated(run.log_removed),
        "now": _iso(now),
        "driver_alive": bool(run.lease_owner and run.lease_until and run.lease_until > now),
        "stages": [_stage(run, stage, rows) for stage in plan.stages],
        "failure": _failure(run, plan, rows),
        **_going_on(run),
    }


def _going_on(run: Run) -> dict[str, Any]:
    """Whether the run can be resumed, by what is on record; if not, why and what to do instead."""
    refusal = holder.cannot_resume(run)
    if refusal is None:
        return {"resumable": True, "not_resumable": None}
    words = {"why": translated(refusal.why), "fix": translated(refusal.fix)}
    told = {"code": refusal.code, **words, "evidence": dict(refusal.evidence)}
    return {"resumable": False, "not_resumable": told}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _stage(run: Run, stage: Stage, rows: Mapping[str, RunStep]) -> dict[str, Any]:
    return {
        "key": stage.key,
        "title": translated(stage.title),
        "why": translated(stage.why),
        "steps": [_step(run, step, rows[step.key]) for step in stage.steps],
    }


def _step(run: Run, step: Step, row: RunStep) -> dict[str, Any]:
    return {
        "key": step.key,
        "node": step.node,
        "title": translated(step.title),
        "command": shlex.join(step.argv_for(run.pk)),
        "proof": proof_sentence(step, run.pk),
        "overwrites": step.overwrites,
        "state": row.state,
        "attempt": row.attempt,
        "started_at": _iso(row.started_at),
        "ended_at": _iso(row.ended_at),
        "exit_code": row.exit_code,
        "sentence": translated(row.sentence),
        "check": _check(row) if row.state in holder.CHECKABLE and run.state not in ACTIVE else None,
    }


def _check(row: RunStep) -> dict[str, Any] | None:
    """What the newest look at the step's effect found; None when nobody looked since it ended."""
    events = JournalChunk.objects.filter(run_id=row.run_id, kind=EVENT, step_key=row.key)
    newest = events.order_by("-first_line").values_list("first_line", flat=True).first()
    if newest is None:
        return None
    event = journal.read(row.run_id, after=newest - 1, limit=1)[0].event
    if event.get("type") != CHECK:
        return None
    return {"state": event["state"], "text": translated(event["text"]), "at": event["at"]}


def proof_sentence(step: Step, run_id: str = "") -> str | None:
    """What will be read from the nodes as proof of this step."""
    proof = step.proof_for(run_id) if run_id else step.proof
    return translated(PROOFS[proof.name].sentence(proof.args))


def _failure(run: Run, plan: Plan, rows: Mapping[str, RunStep]) -> dict[str, Any] | None:
    """The step at which the run ended without success; None for any other ending."""
    if run.state not in (RunState.FAILED, RunState.INTERRUPTED):
        return None
    row = next((rows[s.key] for s in plan.steps if rows[s.key].state in _AT_FAULT), None)
    if row is None:
        return None
    lines = last_lines(row)
    said = str(Text.from_json(row.sentence)) if row.sentence else ""
    cause = likely_cause(row.exit_code, [*lines, said])
    # A step that was never started printed nothing to be read; its sentence says what to do.
    began = lines or row.exit_code is not None
    return {
        "step": row.key,
        "node": row.node,
        "exit_code": row.exit_code,
        "sentence": translated(row.sentence or run.sentence),
        "last_lines": lines,
        "likely_cause": translated(cause.cause) if cause else None,
        "fix": translated(remedy(cause, row.node)) if began else None,
        "resumable": holder.cannot_resume(run) is None,
    }


def last_lines(row: RunStep, count: int = LAST_LINES) -> list[str]:
    """The end of a step's newest log, as text; long lines are cut."""
    chunks = JournalChunk.objects.filter(
        run_id=row.run_id, kind=OUTPUT, step_key=row.key, attempt=row.attempt
    ).order_by("-first_line")
    found: list[str] = []
    for body in chunks.values_list("body", flat=True)[:count]:
        text = bytes(body).decode(errors="replace")
        found = [line[:_LONGEST] for line in text.splitlines()] + found
        if len(found) >= count:
            break
    return found[-count:]


def journal_lines(run: Run, after: int, limit: int, step: str) -> list[journal.Line]:
    """A window of the journal, by line number."""
    return journal.read(run.pk, after=after, limit=limit, step=step)
