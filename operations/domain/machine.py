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
from dataclasses import dataclass, replace
from enum import StrEnum


class StepState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    VERIFYING = "verifying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class RunState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


ACTIVE = frozenset({RunState.WAITING, RunState.RUNNING})
RESUMABLE = frozenset({RunState.FAILED, RunState.CANCELLED, RunState.INTERRUPTED})


class WhenUnproven(StrEnum):
    """What a proof that does not hold means for the step."""

    FAIL = "fail"  # the job ran to its end: the step failed
    RUN = "run"  # resumed, effect unknown until now: not there, so run it
    UNKNOWN = "unknown"  # the job vanished: nobody knows what it left behind


@dataclass(frozen=True)
class StepLife:
    """One step now. `attempt` counts the jobs started for it, from 1; 0 means none yet."""

    key: str
    state: StepState = StepState.PENDING
    attempt: int = 0
    when_unproven: WhenUnproven = WhenUnproven.FAIL


@dataclass(frozen=True)
class Life:
    """A run now: its state, its steps in plan order, and whether somebody asked to cancel it."""

    state: RunState
    steps: tuple[StepLife, ...]
    cancelling: bool = False


# Events


@dataclass(frozen=True)
class Claimed:
    """A worker holds the run's lease and asks what to do."""


@dataclass(frozen=True)
class JobEnded:
    """The job left an exit code."""

    step: str
    exit_code: int


@dataclass(frozen=True)
class JobVanished:
    """No exit code and no process: the node was rebooted, or the job was killed from outside."""

    step: str


@dataclass(frozen=True)
class NotStarted:
    """It is certain that the step's job never began (a precondition failed, the node refused)."""

    step: str


@dataclass(frozen=True)
class Proven:
    """The step's check read the effect from the node."""

    step: str


@dataclass(frozen=True)
class Unproven:
    """The step's check did not find the effect within its time."""

    step: str


@dataclass(frozen=True)
class CancelAsked:
    """A person asked to cancel the run."""


@dataclass(frozen=True)
class JobStopped:
    """The job's whole process group was stopped, and it was proven that nothing is left."""

    step: str


@dataclass(frozen=True)
class Resumed:
    """A person asked to go on with a run that had ended without success."""


@dataclass(frozen=True)
class NodeLost:
    """The node does not answer for so long that the worker gives up waiting for it."""

    step: str


Event = (
    Claimed
    | JobEnded
    | JobVanished
    | NotStarted
    | Proven
    | Unproven
    | CancelAsked
    | JobStopped
    | Resumed
    | NodeLost
)


# Effects


@dataclass(frozen=True)
class Begin:
    """Start the step's job `attempt`, or attach to it if its directory is already on the node."""

    step: str
    attempt: int


@dataclass(frozen=True)
class Prove:
    """Poll the step's proof until it holds or its time is over."""

    step: str


@dataclass(frozen=True)
class Stop:
    """Stop the step's job with everything it started."""

    step: str
    attempt: int


@dataclass(frozen=True)
class End:
    """The run is over: release the locks on the nodes and the lease."""

    state: RunState


Effect = Begin | Prove | Stop | End
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
        case Resumed():
            return _resumed(life)
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
    """The single next effect of a running life."""
    for step in life.steps:
        match step.state:
            case StepState.SUCCEEDED | StepState.SKIPPED:
                continue
            case StepState.RUNNING:
                return life, (_run_or_stop(life, step),)
            case StepState.VERIFYING:
                return (life, (Prove(step.key),)) if not life.cancelling else _cancel(life, step)
            case StepState.PENDING:
                return _cancel(life, None) if life.cancelling else _begin(life, step)
            case _:
                return _end(life, RunState.FAILED)
    return _end(life, RunState.SUCCEEDED if life.steps else RunState.FAILED)


def _run_or_stop(life: Life, step: StepLife) -> Effect:
    kind = Stop if life.cancelling else Begin
    return kind(step.key, step.attempt)


def _begin(life: Life, step: StepLife) -> Advance:
    running = replace(
        step,
        state=StepState.RUNNING,
        attempt=step.attempt + 1,
        when_unproven=WhenUnproven.FAIL,
    )
    return _put(life, running), (Begin(step.key, running.attempt),)


def _cancel(life: Life, step: StepLife | None) -> Advance:
    """End as cancelled; a step that was being proven keeps an unknown effect."""
    if step is not None:
        life = _put(life, replace(step, state=StepState.UNKNOWN))
    return _end(life, RunState.CANCELLED)


def _cancel_asked(life: Life) -> Advance:
    _require(life.state in ACTIVE, life, CancelAsked())
    asked = replace(life, cancelling=True)
    if life.state is RunState.WAITING and all(s.state is not StepState.RUNNING for s in life.steps):
        return _end(asked, RunState.CANCELLED)
    return asked, ()


def _resumed(life: Life) -> Advance:
    """Finished steps are proven again; what failed runs again; an unknown job is attached to again."""
    _require(life.state in RESUMABLE, life, Resumed())
    steps = tuple(_to_resume(step) for step in life.steps)
    return Life(RunState.WAITING, steps), ()


def _to_resume(step: StepLife) -> StepLife:
    match step.state:
        case StepState.SUCCEEDED:
            return replace(step, state=StepState.VERIFYING, when_unproven=WhenUnproven.FAIL)
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
    ending = RunState.CANCELLED if life.cancelling else RunState.FAILED
    return _end(_put(life, replace(step, state=StepState.FAILED)), ending)


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
    unknown = _put(life, replace(step, state=StepState.UNKNOWN))
    return _end(unknown, RunState.INTERRUPTED)


def _end(life: Life, state: RunState) -> Advance:
    return replace(life, state=state), (End(state),)


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
