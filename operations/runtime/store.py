"""A run's life in the database: read as a value, written with the fence, together with its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.utils import timezone

from nodes.domain.text import Text
from operations.domain.machine import (
    ACTIVE,
    Life,
    RunState,
    StepLife,
    StepState,
    WhenUnproven,
)
from operations.models import Run, RunStep
from operations.runtime import journal
from operations.runtime.lease import Lease, LeaseLost

ALONE: Mapping[str, str] = MappingProxyType({})
_OVER = frozenset({StepState.SUCCEEDED, StepState.FAILED, StepState.CANCELLED, StepState.UNKNOWN})


@dataclass(frozen=True)
class Note:
    """What a worker learned together with an event: kept with the step, shown in the journal."""

    text: Text | None = None
    exit_code: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Note()


def load(run_id: str, groups: Mapping[str, str] = ALONE) -> Life:
    """`groups`: step key to the stage whose steps begin together."""
    run = Run.objects.only("state", "cancelling").get(pk=run_id)
    steps = RunStep.objects.filter(run_id=run_id).order_by("position")
    return Life(
        RunState(run.state),
        tuple(
            StepLife(
                row.key,
                StepState(row.state),
                row.attempt,
                WhenUnproven(row.when_unproven),
                groups.get(row.key, ""),
            )
            for row in steps
        ),
        run.cancelling,
    )


def save(
    lease: Lease,
    before: Life,
    after: Life,
    note: Note = NOTHING,
    *,
    sentence: Text | None = None,
    also: Callable[[], None] | None = None,
) -> int:
    """Store the difference and its events in one transaction; the newest line, 0 if none was added.

    `sentence` is the run's; `note` belongs to the one step that the event was about; `also` is done
    inside the transaction. Raises LeaseLost, and then nothing was written.
    """
    with transaction.atomic():
        changed = [
            pair for pair in zip(before.steps, after.steps, strict=True) if pair[0] != pair[1]
        ]
        _save_run(lease, before, after, sentence)
        for place, (old, new) in enumerate(changed):
            _save_step(lease.run_id, old, new, note if place == 0 else NOTHING)
        if also:
            also()
        events = _events(lease.run_id, before, after, changed, note, sentence)
        if not events:
            return 0
        return journal.append_events(run_id=lease.run_id, fence=lease.fence, events=events)


def _save_run(lease: Lease, before: Life, after: Life, sentence: Text | None) -> None:
    values: dict[str, Any] = {"state": after.state}
    if after.cancelling:
        values["cancelling"] = True
    if sentence is not None:
        values["sentence"] = sentence.to_json()
    if before.state is RunState.WAITING and after.state is RunState.RUNNING:
        values |= {"sentence": None, "ended_at": None}
    if before.state in ACTIVE and after.state not in ACTIVE:
        values |= {"ended_at": timezone.now(), "lease_owner": "", "lease_until": None}
    if not journal.fenced(lease.run_id, lease.fence).update(**values):
        raise LeaseLost(lease.run_id)
    if after.state is RunState.RUNNING:
        Run.objects.filter(pk=lease.run_id, started_at=None).update(started_at=timezone.now())


def _save_step(run_id: str, old: StepLife, new: StepLife, note: Note) -> None:
    now = timezone.now()
    values: dict[str, Any] = {
        "state": new.state,
        "attempt": new.attempt,
        "when_unproven": new.when_unproven,
        "ended_at": now if new.state in _OVER else None,
    }
    if new.attempt != old.attempt:
        values |= _fresh_attempt(now)
    if note.text is not None:
        values["sentence"] = note.text.to_json()
    if note.exit_code is not None:
        values["exit_code"] = note.exit_code
    RunStep.objects.filter(run_id=run_id, key=new.key).update(**values)


def _fresh_attempt(now: datetime) -> dict[str, Any]:
    return {"started_at": now, "exit_code": None, "log_bytes": 0, "sentence": None}


def _events(
    run_id: str,
    before: Life,
    after: Life,
    changed: list[tuple[StepLife, StepLife]],
    note: Note,
    sentence: Text | None,
) -> list[dict[str, Any]]:
    nodes = (
        dict(RunStep.objects.filter(run_id=run_id).values_list("key", "node")) if changed else {}
    )
    events = [
        _step_event(new, nodes[new.key], note if place == 0 else NOTHING)
        for place, (_, new) in enumerate(changed)
    ]
    if before.state == after.state and before.cancelling == after.cancelling:
        return events
    run = _run_event(after, sentence)
    # As a person tells it: the run begins before its first step and ends after its last.
    return [run, *events] if after.state in ACTIVE else [*events, run]


def _run_event(after: Life, sentence: Text | None) -> dict[str, Any]:
    return {
        "type": "run",
        "state": after.state,
        "cancelling": after.cancelling,
        "text": sentence.to_json() if sentence else None,
    }


def _step_event(step: StepLife, node: str, note: Note) -> dict[str, Any]:
    return {
        "type": "step",
        "step": step.key,
        "node": node,
        "state": step.state,
        "attempt": step.attempt,
        "exit_code": note.exit_code,
        "text": note.text.to_json() if note.text else None,
        **({"evidence": dict(note.data)} if note.data else {}),
    }


def say_event(lease: Lease, event: Mapping[str, Any]) -> int:
    """One event that changes nothing, for example that a node does not answer."""
    return journal.append_event(run_id=lease.run_id, fence=lease.fence, event=event)
