"""What the journal of a run tells, replayed: every step of it must be one that the machine can make."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

from operations.domain.machine import (
    ACTIVE,
    Life,
    Resumed,
    RunState,
    StepState,
    advance,
    fresh,
)
from operations.models import JournalChunk, Run
from operations.runtime import store
from tests.domain.test_machine_properties import History, possible

StepMove = tuple[StepState, StepState]
RunMove = tuple[RunState, RunState]


@cache
def legal() -> tuple[frozenset[StepMove], frozenset[RunMove]]:
    """Every move of a step and of a run that the machine makes in any life of two steps."""
    steps: set[StepMove] = set()
    runs: set[RunMove] = set()
    seen: set[tuple[Life, object]] = set()
    waiting = [History(fresh(["a", "b"]))]
    while waiting:
        history = waiting.pop()
        if any(step.attempt > 2 for step in history.life.steps):
            continue
        for event in possible(history):
            copy = History(history.life, list(history.begun), set(history.proven), history.last)
            copy.play(event)
            if not isinstance(event, Resumed):
                steps |= {
                    (old.state, new.state)
                    for old, new in zip(history.life.steps, copy.life.steps, strict=True)
                    if old != new
                }
            runs.add((history.life.state, copy.life.state))
            if (copy.life, copy.last) not in seen:
                seen.add((copy.life, copy.last))
                waiting.append(copy)
    return frozenset(steps), frozenset(runs)


class Books:
    """One run's journal so far; `read_on` takes what is new and complains about the impossible."""

    def __init__(self, run: Run) -> None:
        self.run_id = run.pk
        self.life = fresh([step.key for step in run.plan.steps])
        self._next = 1

    def read_on(self) -> None:
        rows = JournalChunk.objects.filter(run_id=self.run_id, first_line__gte=self._next)
        for row in rows.order_by("first_line"):
            assert row.first_line == self._next, "the journal has a gap or a double line"
            self._next += row.line_count
            if row.kind == "event":
                self._event(json.loads(bytes(row.body)))
        self._compare()

    def _event(self, event: dict[str, str]) -> None:
        match event["type"]:
            case "step":
                self._step(event["step"], StepState(event["state"]), int(event["attempt"]))
            case "run":
                self._run(RunState(event["state"]))

    def _step(self, key: str, state: StepState, attempt: int) -> None:
        old = next(step for step in self.life.steps if step.key == key)
        assert (old.state, state) in legal()[0], f"{key}: {old.state} → {state}"
        assert attempt in (old.attempt, old.attempt + 1), f"{key}: attempt {attempt}"
        new = replace(old, state=state, attempt=attempt)
        steps = tuple(new if step.key == key else step for step in self.life.steps)
        self.life = replace(self.life, steps=steps)
        running = [step.key for step in steps if step.state is StepState.RUNNING]
        assert len(running) <= 1, f"two steps run at once: {running}"

    def _run(self, state: RunState) -> None:
        old = self.life.state
        assert (old, state) in legal()[1], f"the run: {old} → {state}"
        if old not in ACTIVE and state is RunState.WAITING:
            self.life = advance(self.life, Resumed())[0]
        self.life = replace(self.life, state=state)

    def _compare(self) -> None:
        """The journal and the rows tell the same."""
        kept = store.load(self.run_id)
        assert kept.state == self.life.state, f"{self.run_id}: {kept.state}, {self.life.state}"
        told = [(step.key, step.state, step.attempt) for step in self.life.steps]
        rows = [(step.key, step.state, step.attempt) for step in kept.steps]
        assert told == rows
