"""Whose turn it is in a running life, and what ends it. Within a group several steps have theirs."""

from __future__ import annotations

from dataclasses import replace

from operations.domain.life import (
    Begin,
    Effect,
    End,
    Life,
    Prove,
    RunState,
    StepLife,
    StepState,
    Stop,
    WhenUnproven,
)

Advance = tuple[Life, tuple[Effect, ...]]
_DONE = frozenset({StepState.SUCCEEDED, StepState.SKIPPED})
_MOVING = frozenset({StepState.RUNNING, StepState.VERIFYING})
_FAILED = frozenset({StepState.FAILED, StepState.CANCELLED, StepState.UNKNOWN})


def go_on(life: Life) -> Advance:
    """What a running life is to do now: first with what is in flight, then in plan order."""
    live = [step for step in life.steps if step.in_flight]
    for step in (*live, *life.steps):
        if step.state not in _DONE:
            return _go_on_with(life, step)
    return end(life, RunState.SUCCEEDED if life.steps else RunState.FAILED)


def next_of(life: Life, key: str) -> Advance:
    """After an event of this step. While others of its group are at it, theirs are still to come."""
    step = next(step for step in life.steps if step.key == key)
    failed = any(other.state in _FAILED for other in _group(life, step))
    if not others_move(life, key):
        return _go_on_with(life, step) if failed else go_on(life)
    waits = step not in _turn(life, step) or (failed and step.state is StepState.PENDING)
    return (life, ()) if life.cancelling or waits else _go_on_alone(life, step)


def stop_with(life: Life, key: str, state: RunState) -> Advance:
    """This step ends the run, once the others of its group have come to their end. If what became of
    one of them is not known, that is how the run ends, whoever was the last."""
    if others_move(life, key):
        return life, ()
    step = next(step for step in life.steps if step.key == key)
    unknown = any(other.state is StepState.UNKNOWN for other in _group(life, step))
    return end(life, RunState.INTERRUPTED if unknown else state)


def _group(life: Life, step: StepLife) -> tuple[StepLife, ...]:
    if not step.group:
        return (step,)
    return tuple(other for other in life.steps if other.group == step.group)


def _turn(life: Life, step: StepLife) -> tuple[StepLife, ...]:
    """The steps whose turn it is together with this one: its group, once all before it are done.
    Until then, after a resume, only those of which a job may be at work (law 3)."""
    group = _group(life, step)
    before = life.steps[: life.steps.index(group[0])]
    if all(other.state in _DONE for other in before):
        return group
    return tuple(other for other in group if other.in_flight)


def others_move(life: Life, key: str) -> bool:
    step = next(step for step in life.steps if step.key == key)
    return any(o.key != key and o.state in _MOVING for o in _turn(life, step))


def _go_on_with(life: Life, step: StepLife) -> Advance:
    """Nothing more begins when one of its group has failed; what is in flight comes to its end."""
    turn, known = _turn(life, step), {other.state for other in _group(life, step)}
    moving = {other.state for other in turn} & _MOVING
    if life.cancelling and StepState.RUNNING not in moving:
        return end(life, RunState.CANCELLED)
    failed = bool(known & _FAILED)
    if failed and not moving:
        unknown = StepState.UNKNOWN in known
        return end(life, RunState.INTERRUPTED if unknown else RunState.FAILED)
    effects: tuple[Effect, ...] = ()
    for each in turn:
        if life.cancelling and each.state is not StepState.RUNNING:
            continue
        if each.state is StepState.PENDING and failed:
            continue
        life, more = _go_on_alone(life, each)
        effects += more
    return life, effects


def _go_on_alone(life: Life, step: StepLife) -> Advance:
    match step.state:
        case StepState.RUNNING:
            return life, (_run_or_stop(life, step),)
        case StepState.VERIFYING:
            return life, (Prove(step.key),)
        case StepState.PENDING:
            return _begin(life, step)
    return life, ()


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
    return put(life, running), (Begin(step.key, running.attempt),)


def end(life: Life, state: RunState) -> Advance:
    steps = tuple(_not_reached(step) for step in life.steps)
    return replace(life, state=state, steps=steps), (End(state),)


def _not_reached(step: StepLife) -> StepLife:
    """What was proven before and was to be proven once more is known as it was before."""
    if step.state is not StepState.VERIFYING:
        return step
    known = StepState.UNKNOWN if step.in_flight else StepState.SUCCEEDED
    return replace(step, state=known)


def put(life: Life, changed: StepLife) -> Life:
    steps = tuple(changed if step.key == changed.key else step for step in life.steps)
    return replace(life, steps=steps)
