"""A run's whole life as one pure function: `advance(life, event) -> (life, effects)`.

The executor performs effects and reports what happened as events; it decides nothing. `Claimed`
may be sent at any moment, by any worker: it asks "what is to be done now" of a life read from the
database, so a worker that died is replaced by sending `Claimed` again (law 6).

Rules: steps run one at a time in plan order and the next begins only after the proof of the one
before (law 3); an exit code alone never makes a step succeed (law 8); a step whose job vanished is
judged by its proof, never run again by itself (laws 5 and 9).
"""

from __future__ import annotations

from collections.abc import Sequence
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

Advance = tuple[Life, tuple[Effect, ...]]


class IllegalEvent(Exception):
    """An event that cannot happen in this life; always a defect of the caller."""


def fresh(step_keys: Sequence[str]) -> Life:
    """The life of a run that was accepted and not yet taken by a worker."""
    return Life(RunState.WAITING, tuple(StepLife(key) for key in step_keys))


def advance(life: Life, event: Event) -> Advance:
    """The one transition function. Raises IllegalEvent for an event this life cannot have."""
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
    return _go_on(replace(life, state=RunState.RUNNING))


def _go_on(life: Life) -> Advance:
    """The single next effect of a running life: first what is in flight, then in plan order."""
    live = [step for step in life.steps if step.in_flight]
    for step in (*live, *life.steps):
        match step.state:
            case StepState.SUCCEEDED | StepState.SKIPPED:
                continue
            case StepState.RUNNING:
                return life, (_run_or_stop(life, step),)
            case StepState.VERIFYING:
                return _cancel(life, step) if life.cancelling else (life, (Prove(step.key),))
            case StepState.PENDING:
                return _cancel(life, None) if life.cancelling else _begin(life, step)
            case _:
                return _end(life, RunState.FAILED)
    return _end(life, RunState.SUCCEEDED if life.steps else RunState.FAILED)


def _run_or_stop(life: Life, step: StepLife) -> Effect:
    if life.cancelling:
        return Stop(step.key, step.attempt)
    resumed = step.when_unproven is WhenUnproven.RUN
    return Begin(step.key, step.attempt, only_attach=resumed)


def _begin(life: Life, step: StepLife) -> Advance:
    running = replace(
        step,
        state=StepState.RUNNING,
        attempt=step.attempt + 1,
        when_unproven=WhenUnproven.FAIL,
    )
    return _put(life, running), (Begin(step.key, running.attempt),)


def _cancel(life: Life, step: StepLife | None) -> Advance:
    """End as cancelled; a step that was being proven for the first time keeps an unknown effect."""
    if step is not None:
        life = _put(life, _not_reached(step))
    return _end(life, RunState.CANCELLED)


def _cancel_asked(life: Life) -> Advance:
    _require(life.state in ACTIVE, life, CancelAsked())
    asked = replace(life, cancelling=True)
    if life.state is RunState.WAITING and all(s.state is not StepState.RUNNING for s in life.steps):
        return _end(asked, RunState.CANCELLED)
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
        return _end(_put(life, replace(step, state=StepState.FAILED)), RunState.FAILED)
    verifying = replace(step, state=StepState.VERIFYING, when_unproven=WhenUnproven.FAIL)
    return _go_on(_put(life, verifying))


def _job_vanished(life: Life, event: Event, step: StepLife) -> Advance:
    _require(step.state is StepState.RUNNING, life, event)
    resumed = step.when_unproven is WhenUnproven.RUN
    unproven = WhenUnproven.RUN if resumed else WhenUnproven.UNKNOWN
    verifying = replace(step, state=StepState.VERIFYING, when_unproven=unproven)
    return _go_on(_put(life, verifying))


def _not_started(life: Life, event: Event, step: StepLife) -> Advance:
    _require(step.state is StepState.RUNNING, life, event)
    if life.cancelling:
        return _end(_put(life, replace(step, state=StepState.CANCELLED)), RunState.CANCELLED)
    return _end(_put(life, replace(step, state=StepState.FAILED)), RunState.FAILED)


def _proven(life: Life, event: Event, step: StepLife) -> Advance:
    _require(step.state is StepState.VERIFYING, life, event)
    return _go_on(_put(life, replace(step, state=StepState.SUCCEEDED)))


def _unproven(life: Life, event: Event, step: StepLife) -> Advance:
    _require(step.state is StepState.VERIFYING, life, event)
    match step.when_unproven:
        case WhenUnproven.RUN:
            return _go_on(_put(life, replace(step, state=StepState.PENDING)))
        case WhenUnproven.UNKNOWN:
            unknown = _put(life, replace(step, state=StepState.UNKNOWN))
            return _end(unknown, RunState.INTERRUPTED)
    return _end(_put(life, replace(step, state=StepState.FAILED)), RunState.FAILED)


def _job_stopped(life: Life, event: Event, step: StepLife) -> Advance:
    _require(step.state is StepState.RUNNING and life.cancelling, life, event)
    return _end(_put(life, replace(step, state=StepState.CANCELLED)), RunState.CANCELLED)


def _node_lost(life: Life, step: StepLife) -> Advance:
    """The job may still be running there: the effect is unknown, and the run says so."""
    unknown = StepState.UNKNOWN if step.in_flight else StepState.SUCCEEDED
    return _end(_put(life, replace(step, state=unknown)), RunState.INTERRUPTED)


def _end(life: Life, state: RunState) -> Advance:
    steps = tuple(_not_reached(step) for step in life.steps)
    return replace(life, state=state, steps=steps), (End(state),)


def _not_reached(step: StepLife) -> StepLife:
    """What was proven before and was to be proven once more is known as it was before."""
    if step.state is not StepState.VERIFYING:
        return step
    known = StepState.UNKNOWN if step.in_flight else StepState.SUCCEEDED
    return replace(step, state=known)


def _put(life: Life, changed: StepLife) -> Life:
    steps = tuple(changed if step.key == changed.key else step for step in life.steps)
    return replace(life, steps=steps)


def _current(life: Life, key: str, event: Event) -> StepLife:
    for step in life.steps:
        if step.key == key:
            return step
    raise IllegalEvent(f"{event!r}: no such step")


def _require(holds: bool, life: Life, event: Event) -> None:
    if not holds:
        raise IllegalEvent(f"{event!r} in a run that is {life.state}")
