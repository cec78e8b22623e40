"""A run's whole life as one pure function: `advance(life, event) -> (life, effects)`.

The executor performs effects and reports what happened as events; it decides nothing. `Claimed`
may be sent at any moment, by any worker: it asks "what is to be done now" of a life read from the
database, so a worker that died is replaced by sending `Claimed` again (law 6).

Rules: steps run one at a time in plan order and the next begins only after the proof of the one
before (law 3), except within a group: its steps begin together, each is proven by itself, and what
comes after begins only after the proof of the last; an exit code alone never makes a step succeed
(law 8); a step whose job vanished is judged by its proof, never run again by itself (laws 5 and 9).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from operations.domain.life import (
    ACTIVE,
    RESUMABLE,
    Begin,
    CancelAsked,
    Claimed,
    Effect,
    End,
    Event,
    JobEnded,
    JobStopped,
    JobVanished,
    Life,
    NodeLost,
    NotStarted,
    Prove,
    Proven,
    Resumed,
    RunState,
    StepLife,
    StepState,
    Stop,
    Unproven,
    WhenUnproven,
)
from operations.domain.turns import Advance, end, go_on, next_of, others_move, put, stop_with

__all__ = [
    "ACTIVE",
    "RESUMABLE",
    "Advance",
    "Begin",
    "CancelAsked",
    "Claimed",
    "Effect",
    "End",
    "Event",
    "IllegalEvent",
    "JobEnded",
    "JobStopped",
    "JobVanished",
    "Life",
    "NodeLost",
    "NotStarted",
    "Prove",
    "Proven",
    "Resumed",
    "RunState",
    "StepLife",
    "StepState",
    "Stop",
    "Unproven",
    "WhenUnproven",
    "advance",
    "fresh",
]


class IllegalEvent(Exception):
    """An event that cannot happen in this life; always a defect of the caller."""


def fresh(step_keys: Sequence[str], group: Collection[str] = ()) -> Life:
    """The life of a run that was accepted and not yet taken by a worker; `group` begins together."""
    steps = (StepLife(key, group="together" if key in group else "") for key in step_keys)
    return Life(RunState.WAITING, tuple(steps))


def advance(life: Life, event: Event) -> Advance:
    """The one transition function. Raises IllegalEvent for an event this life cannot have.

    Of a group, an event of one step answers with what is to be done with that step; the others have
    been told already. `Claimed` answers with everything that is to be done now.
    """
    match event:
        case Claimed():
            return _claimed(life)
        case CancelAsked():
            return _cancel_asked(life)
        case Resumed(moments):
            return _resumed(life, moments)
    _require(life.state is RunState.RUNNING, life, event)
    match event:
        case JobEnded(step, code):
            return _job_ended(life, event, _current(life, step, event), code)
        case JobVanished(step):
            return _job_vanished(life, event, _current(life, step, event))
        case NotStarted(step):
            return _not_started(life, event, _current(life, step, event))
        case Proven(step):
            return _proven(life, event, _current(life, step, event))
        case Unproven(step):
            return _unproven(life, event, _current(life, step, event))
        case JobStopped(step):
            return _job_stopped(life, event, _current(life, step, event))
        case NodeLost(step):
            return _node_lost(life, _current(life, step, event))
    raise IllegalEvent(f"{event!r} is not an event")


def _claimed(life: Life) -> Advance:
    _require(life.state in ACTIVE, life, Claimed())
    return go_on(replace(life, state=RunState.RUNNING))


def _cancel_asked(life: Life) -> Advance:
    _require(life.state in ACTIVE, life, CancelAsked())
    asked = replace(life, cancelling=True)
    if life.state is RunState.WAITING and all(s.state is not StepState.RUNNING for s in life.steps):
        return end(asked, RunState.CANCELLED)
    return asked, ()


def _resumed(life: Life, moments: frozenset[str]) -> Advance:
    """Finished steps are proven again; what failed runs again; an unknown job is attached to again."""
    _require(life.state in RESUMABLE, life, Resumed())
    steps = tuple(_to_resume(step, lasts=step.key not in moments) for step in life.steps)
    return Life(RunState.WAITING, steps), ()


def _to_resume(step: StepLife, *, lasts: bool) -> StepLife:
    match step.state:
        case StepState.SUCCEEDED if lasts:
            return replace(step, state=StepState.VERIFYING, when_unproven=WhenUnproven.AGAIN)
        case StepState.UNKNOWN:
            return replace(step, state=StepState.RUNNING, when_unproven=WhenUnproven.RUN)
        case StepState.CANCELLED:
            return replace(step, state=StepState.VERIFYING, when_unproven=WhenUnproven.RUN)
        case StepState.FAILED:
            return replace(step, state=StepState.PENDING)
        case _:
            return step


def _job_ended(life: Life, event: Event, step: StepLife, exit_code: int) -> Advance:
    _require(step.state is StepState.RUNNING, life, event)
    if exit_code != 0:
        failed = put(life, replace(step, state=StepState.FAILED))
        return stop_with(failed, step.key, RunState.FAILED)
    verifying = replace(step, state=StepState.VERIFYING, when_unproven=WhenUnproven.FAIL)
    return next_of(put(life, verifying), step.key)


def _job_vanished(life: Life, event: Event, step: StepLife) -> Advance:
    _require(step.state is StepState.RUNNING, life, event)
    resumed = step.when_unproven is WhenUnproven.RUN
    unproven = WhenUnproven.RUN if resumed else WhenUnproven.UNKNOWN
    verifying = replace(step, state=StepState.VERIFYING, when_unproven=unproven)
    return next_of(put(life, verifying), step.key)


def _not_started(life: Life, event: Event, step: StepLife) -> Advance:
    _require(step.state is StepState.RUNNING, life, event)
    if life.cancelling:
        cancelled = put(life, replace(step, state=StepState.CANCELLED))
        return stop_with(cancelled, step.key, RunState.CANCELLED)
    failed = put(life, replace(step, state=StepState.FAILED))
    return stop_with(failed, step.key, RunState.FAILED)


def _proven(life: Life, event: Event, step: StepLife) -> Advance:
    _require(step.state is StepState.VERIFYING, life, event)
    return next_of(put(life, replace(step, state=StepState.SUCCEEDED)), step.key)


def _unproven(life: Life, event: Event, step: StepLife) -> Advance:
    _require(step.state is StepState.VERIFYING, life, event)
    match step.when_unproven:
        case WhenUnproven.RUN:
            return next_of(put(life, replace(step, state=StepState.PENDING)), step.key)
        case WhenUnproven.UNKNOWN:
            unknown = put(life, replace(step, state=StepState.UNKNOWN))
            return stop_with(unknown, step.key, RunState.INTERRUPTED)
    failed = put(life, replace(step, state=StepState.FAILED))
    return stop_with(failed, step.key, RunState.FAILED)


def _job_stopped(life: Life, event: Event, step: StepLife) -> Advance:
    _require(step.state is StepState.RUNNING and life.cancelling, life, event)
    cancelled = put(life, replace(step, state=StepState.CANCELLED))
    return stop_with(cancelled, step.key, RunState.CANCELLED)


def _node_lost(life: Life, step: StepLife) -> Advance:
    """The job may still be running there: the effect is unknown, and the run says so.

    Of a group that goes on it must be remembered that this one was not proven again.
    """
    known = not step.in_flight and not others_move(life, step.key)
    lost = replace(step, state=StepState.SUCCEEDED if known else StepState.UNKNOWN)
    return stop_with(put(life, lost), step.key, RunState.INTERRUPTED)


def _current(life: Life, key: str, event: Event) -> StepLife:
    for step in life.steps:
        if step.key == key:
            return step
    raise IllegalEvent(f"{event!r}: no such step")


def _require(holds: bool, life: Life, event: Event) -> None:
    if not holds:
        raise IllegalEvent(f"{event!r} in a run that is {life.state}")
