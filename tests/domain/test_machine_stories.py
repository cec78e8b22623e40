"""A run's life, story by story."""

from __future__ import annotations

import pytest

from operations.domain.machine import (
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
    Stop,
    Unproven,
    advance,
    fresh,
)


def play(life: Life, *events: Event) -> tuple[Life, tuple[Effect, ...]]:
    effects: tuple[Effect, ...] = ()
    for event in events:
        life, effects = advance(life, event)
    return life, effects


def states(life: Life) -> str:
    return " ".join(step.state for step in life.steps)


AB = fresh(["a", "b"])
A_DONE = (Claimed(), JobEnded("a", 0), Proven("a"))


def test_the_next_step_begins_only_after_the_proof_of_the_one_before() -> None:
    life, effects = play(AB, Claimed())
    assert effects == (Begin("a", 1),)
    life, effects = play(life, JobEnded("a", 0))
    assert (states(life), effects) == ("verifying pending", (Prove("a"),))
    life, effects = play(life, Proven("a"))
    assert (states(life), effects) == ("succeeded running", (Begin("b", 1),))
    life, effects = play(life, JobEnded("b", 0), Proven("b"))
    assert (life.state, effects) == (RunState.SUCCEEDED, (End(RunState.SUCCEEDED),))


def test_a_run_without_steps_is_no_success() -> None:
    assert play(fresh([]), Claimed())[0].state is RunState.FAILED


@pytest.mark.parametrize(
    "end", [(JobEnded("a", 1),), (JobEnded("a", 0), Unproven("a")), (NotStarted("a"),)]
)
def test_a_failed_step_ends_the_run_and_leaves_the_rest_untouched(end: tuple[Event, ...]) -> None:
    life, effects = play(AB, Claimed(), *end)
    assert (states(life), effects) == ("failed pending", (End(RunState.FAILED),))


def test_resume_proves_what_was_done_and_runs_what_failed() -> None:
    life, _ = play(AB, *A_DONE, JobEnded("b", 1), Resumed())
    assert states(life) == "verifying pending"
    assert play(life, Claimed())[1] == (Prove("a"),)
    assert play(life, Claimed(), Proven("a"))[1] == (Begin("b", 2),)


def test_resume_does_not_prove_again_what_was_true_for_a_moment() -> None:
    life, _ = play(AB, *A_DONE, JobEnded("b", 1), Resumed(frozenset({"a"})))
    assert states(life) == "succeeded pending"
    assert play(life, Claimed())[1] == (Begin("b", 2),)


def test_a_vanished_job_whose_effect_is_there_has_succeeded() -> None:
    life, effects = play(AB, Claimed(), JobVanished("a"))
    assert effects == (Prove("a"),)
    assert states(play(life, Proven("a"))[0]) == "succeeded running"


def test_a_vanished_job_without_effect_is_unknown_and_is_not_run_again_by_itself() -> None:
    life, effects = play(AB, Claimed(), JobVanished("a"), Unproven("a"))
    assert (states(life), effects) == ("unknown pending", (End(RunState.INTERRUPTED),))


def test_a_resumed_unknown_step_is_attached_to_then_proven_then_run_again() -> None:
    life, effects = play(AB, Claimed(), NodeLost("a"), Resumed(), Claimed())
    assert effects == (Begin("a", 1, only_attach=True),)
    life, effects = play(life, JobVanished("a"))
    assert effects == (Prove("a"),)
    assert play(life, Unproven("a"))[1] == (Begin("a", 2),)


def test_an_unknown_job_is_looked_at_before_anything_is_proven_again() -> None:
    life, effects = play(AB, *A_DONE, NodeLost("b"), Resumed(), Claimed())
    assert effects == (Begin("b", 1, only_attach=True),)
    life, effects = play(life, JobEnded("b", 0))
    assert effects == (Prove("b"),)
    assert play(life, Proven("b"))[1] == (Prove("a"),)


def test_cancel_stops_the_job_that_runs() -> None:
    life, effects = play(AB, Claimed(), CancelAsked())
    assert effects == ()
    assert play(life, Claimed())[1] == (Stop("a", 1),)
    life, effects = play(life, Claimed(), JobStopped("a"))
    assert (states(life), effects) == ("cancelled pending", (End(RunState.CANCELLED),))


def test_cancel_before_the_first_worker_ends_the_run_at_once() -> None:
    life, effects = play(AB, CancelAsked())
    assert (states(life), effects) == ("pending pending", (End(RunState.CANCELLED),))


def test_a_step_that_cancel_found_unstarted_is_cancelled_not_failed() -> None:
    life, _ = play(AB, Claimed(), CancelAsked(), Claimed(), NotStarted("a"))
    assert (life.state, states(life)) == (RunState.CANCELLED, "cancelled pending")


def test_a_job_that_could_not_be_stopped_leaves_the_step_unknown() -> None:
    life, _ = play(AB, Claimed(), CancelAsked(), Claimed(), NodeLost("a"))
    assert (life.state, states(life)) == (RunState.INTERRUPTED, "unknown pending")


def test_what_was_proven_before_a_resume_stays_so_when_the_resume_fails_earlier() -> None:
    life, _ = play(fresh(["a", "b", "c"]), *A_DONE, JobEnded("b", 0), Proven("b"), JobEnded("c", 1))
    life, _ = play(life, Resumed(), Claimed(), Unproven("a"))
    assert (life.state, states(life)) == (RunState.FAILED, "failed succeeded pending")


def test_an_exit_code_for_a_step_that_does_not_run_is_a_defect() -> None:
    with pytest.raises(IllegalEvent):
        play(AB, Claimed(), JobEnded("b", 0))
    with pytest.raises(IllegalEvent):
        play(AB, JobEnded("a", 0))
    with pytest.raises(IllegalEvent):
        play(AB, Claimed(), JobEnded("nobody", 0))
