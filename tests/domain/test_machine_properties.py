"""A run's life under any sequence of events: the laws hold after each of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from operations.domain.machine import (
    ACTIVE,
    RESUMABLE,
    Begin,
    CancelAsked,
    Claimed,
    Effect,
    End,
    Event,
    IllegalEvent,
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
    StepState,
    Stop,
    Unproven,
    advance,
    fresh,
)

LIVE = {StepState.RUNNING, StepState.VERIFYING}


@dataclass
class History:
    """Plays events and checks the laws after each; also remembers what was ever done."""

    life: Life
    begun: list[tuple[str, int]] = field(default_factory=list)
    proven: set[str] = field(default_factory=set)
    last: tuple[Effect, ...] = ()

    def play(self, event: Event) -> None:
        before = self.life
        self.life, self.last = advance(before, event)
        self._learn(before, event)
        self._check(before, event)

    def _learn(self, before: Life, event: Event) -> None:
        if isinstance(event, Proven):
            self.proven.add(event.step)
        for effect in self.last:
            if isinstance(effect, Begin):
                attempt = next(s.attempt for s in before.steps if s.key == effect.step)
                if effect.attempt != attempt:  # a new one, not an attachment
                    assert (effect.step, effect.attempt) not in self.begun, "an attempt is repeated"
                    self.begun.append((effect.step, effect.attempt))

    def _check(self, before: Life, event: Event) -> None:
        states = [step.state for step in self.life.steps]
        assert states.count(StepState.RUNNING) <= 1, "two steps run at once"
        assert len(self.last) <= 1
        if self.life.state in ACTIVE:
            return
        assert not LIVE & set(states), "an ended run has a live step"
        if self.life.state is RunState.SUCCEEDED:
            assert set(states) == {StepState.SUCCEEDED}
            assert {step.key for step in self.life.steps} <= self.proven
        for old, new in zip(before.steps, self.life.steps, strict=True):
            if old.state is StepState.RUNNING:
                assert new.state is not StepState.SUCCEEDED, "no step succeeds without its proof"


def answers(effect: Effect, cancelling: bool) -> list[Event]:
    """Everything that can come of an effect, a dead worker and a person's impatience included."""
    match effect:
        case Begin(key):
            return [
                JobEnded(key, 0),
                JobEnded(key, 1),
                JobVanished(key),
                NotStarted(key),
                NodeLost(key),
                CancelAsked(),
                Claimed(),
            ]
        case Prove(key):
            return [Proven(key), Unproven(key), NodeLost(key), CancelAsked(), Claimed()]
        case Stop(key):
            return [
                JobStopped(key),
                JobEnded(key, 0),
                JobEnded(key, 1),
                NotStarted(key),
                NodeLost(key),
                Claimed(),
            ]
        case End():
            return [Resumed()]


def possible(history: History) -> list[Event]:
    life = history.life
    if life.state is RunState.WAITING:
        return [Claimed(), CancelAsked()]
    if life.state in RESUMABLE:
        return [Resumed()]
    if life.state is RunState.SUCCEEDED:
        return []
    if not history.last:  # somebody asked to cancel: the executor asks what to do now
        return [Claimed()]
    return answers(history.last[0], life.cancelling)


@settings(max_examples=400)
@given(st.integers(0, 4), st.data())
def test_the_laws_hold_after_any_history(count: int, data: st.DataObject) -> None:
    history = History(fresh([f"s{i}" for i in range(count)]))
    for _ in range(40):
        events = possible(history)
        if not events:
            break
        history.play(data.draw(st.sampled_from(events)))


def test_every_history_of_two_steps_keeps_the_laws() -> None:
    """Exhaustive: all lives that can be reached, each left by every event that is possible."""
    first = History(fresh(["a", "b"]))
    seen: set[tuple[Life, tuple[Effect, ...]]] = set()
    waiting = [first]
    while waiting:
        history = waiting.pop()
        if any(step.attempt > 2 for step in history.life.steps):
            continue
        for event in possible(history):
            copy = History(history.life, list(history.begun), set(history.proven), history.last)
            copy.play(event)
            if (copy.life, copy.last) not in seen:
                seen.add((copy.life, copy.last))
                waiting.append(copy)
    ends = {life.state for life, _ in seen}
    assert ends == set(RunState)


@given(st.integers(1, 4), st.data())
def test_a_worker_that_died_is_replaced_by_asking_again(count: int, data: st.DataObject) -> None:
    """Claimed answers with the very effect that the dead worker had been given."""
    history = History(fresh([f"s{i}" for i in range(count)]))
    history.play(Claimed())
    for _ in range(data.draw(st.integers(0, 15))):
        if history.life.state is not RunState.RUNNING:
            return
        other = [e for e in possible(history) if not isinstance(e, Claimed)]
        events: list[Event] = [*other] or [Claimed()]
        history.play(data.draw(st.sampled_from(events)))
    if history.life.state is not RunState.RUNNING or not history.last:
        return
    again, effects = advance(history.life, Claimed())
    assert again == history.life
    assert effects == history.last


@given(st.integers(1, 3), st.data())
def test_an_ended_run_knows_no_event_but_resume(count: int, data: st.DataObject) -> None:
    state = data.draw(st.sampled_from(sorted(set(RunState) - ACTIVE)))
    life = replace(fresh([f"s{i}" for i in range(count)]), state=state)
    events: list[Event] = [
        Claimed(),
        CancelAsked(),
        JobEnded("s0", 0),
        Proven("s0"),
        NodeLost("s0"),
    ]
    for event in [*events, *([Resumed()] if state is RunState.SUCCEEDED else [])]:
        try:
            advance(life, event)
        except IllegalEvent:
            continue
        raise AssertionError(f"{event} was accepted in a run that is {state}")


def test_the_answers_of_the_test_are_all_legal() -> None:
    """The generator above would prove nothing if it never reached a cancelled or lost run."""
    history = History(fresh(["a"]))
    for event in (Claimed(), CancelAsked(), Claimed(), JobStopped("a")):
        history.play(event)
    assert history.life.state is RunState.CANCELLED


GROUP = ("b", "c", "d")
ALL = ("a", *GROUP, "e")


@dataclass
class Rounds:
    """Does as the executor does: all effects of a round at once, then their events one by one."""

    history: History = field(default_factory=lambda: History(fresh(ALL, GROUP)))
    wanted: tuple[Effect, ...] = ()

    def tell(self, events: list[Event]) -> None:
        asks = {event for event in events if isinstance(event, CancelAsked | Claimed)}
        told = [event for event in events if event not in asks]
        wanted: tuple[Effect, ...] = ()
        for event in [*told, *sorted(asks, key=lambda each: isinstance(each, Claimed))]:
            if self.history.life.state not in ACTIVE:
                break
            effects = self._play(event)
            wanted = effects if isinstance(event, Claimed) else (*wanted, *effects)
        if not wanted and self.history.life.state in ACTIVE:
            wanted = self._play(Claimed())
        self.wanted = tuple(effect for effect in wanted if not isinstance(effect, End))

    def _play(self, event: Event) -> tuple[Effect, ...]:
        before = self.history.life
        self.history.life, self.history.last = advance(before, event)
        begun = len(self.history.begun)
        self.history._learn(before, event)
        self.check({key for key, _ in self.history.begun[begun:]})
        return self.history.last

    def check(self, now_begun: set[str]) -> None:
        life = self.history.life
        state = {step.key: step.state for step in life.steps}
        before = {"a": (), "e": ("a", *GROUP)} | dict.fromkeys(GROUP, ("a",))
        for key in now_begun:
            done = {state[other] for other in before[key]}
            assert done <= {StepState.SUCCEEDED}, f"{key} begins before what comes before it"
        at_work = {key for key, each in state.items() if each is StepState.RUNNING}
        assert len(at_work) <= 1 or at_work <= set(GROUP), (
            "two steps run at once outside of a group"
        )
        begun = {key for key, _ in self.history.begun}
        if begun & set(GROUP):
            assert "a" in self.history.proven
        if "e" in begun:
            assert {"a", *GROUP} <= self.history.proven, "the next began before all were proven"
        if life.state not in ACTIVE:
            assert not LIVE & set(state.values()), "an ended run has a live step"
        if life.state is RunState.SUCCEEDED:
            assert set(ALL) <= self.history.proven
        if life.state is RunState.FAILED:
            assert StepState.UNKNOWN not in state.values(), (
                "an unknown step, and the run says known"
            )


@settings(max_examples=600)
@given(st.data())
def test_steps_that_begin_together_keep_the_laws(data: st.DataObject) -> None:
    rounds = Rounds()
    rounds.tell([Claimed()])
    for _ in range(25):
        life = rounds.history.life
        if life.state is RunState.SUCCEEDED:
            return
        if life.state in RESUMABLE:
            assert not rounds.wanted
            rounds._play(Resumed())
            rounds.tell([Claimed()])
            continue
        assert rounds.wanted, "a run that goes on has nothing to do"
        events: list[Event] = []
        for effect in rounds.wanted:
            event = data.draw(st.sampled_from(answers(effect, life.cancelling)))
            events += [event, Claimed()] if isinstance(event, CancelAsked) else [event]
        rounds.tell(events)


def test_the_steps_of_a_group_begin_together_and_what_follows_waits_for_the_last_proof() -> None:
    rounds = Rounds()
    for events in ([Claimed()], [JobEnded("a", 0)], [Proven("a")]):
        rounds.tell([*events])
    assert rounds.wanted == tuple(Begin(key, 1) for key in GROUP)
    rounds.tell([JobEnded(key, 0) for key in GROUP])
    assert rounds.wanted == tuple(Prove(key) for key in GROUP)
    rounds.tell([Proven(key) for key in GROUP])
    assert rounds.wanted == (Begin("e", 1),)


def test_one_of_a_group_that_fails_ends_the_run_when_the_others_are_done() -> None:
    rounds = Rounds()
    for events in ([Claimed()], [JobEnded("a", 0)], [Proven("a")]):
        rounds.tell([*events])
    rounds.tell([JobEnded("b", 1), JobEnded("c", 0), NodeLost("d")])
    assert rounds.wanted == (Prove("c"),)
    rounds.tell([Proven("c")])
    _interrupted_by_d(rounds)


def test_a_last_failure_does_not_hide_that_another_step_is_unknown() -> None:
    rounds = Rounds()
    for events in ([Claimed()], [JobEnded("a", 0)], [Proven("a")]):
        rounds.tell([*events])
    rounds.tell([JobEnded("b", 0), JobEnded("c", 0), NodeLost("d")])
    rounds.tell([Proven("c"), Unproven("b")])
    _interrupted_by_d(rounds)


def _interrupted_by_d(rounds: Rounds) -> None:
    assert rounds.history.life.state is RunState.INTERRUPTED
    states = [str(step.state) for step in rounds.history.life.steps]
    assert states == ["succeeded", "failed", "succeeded", "unknown", "pending"]
