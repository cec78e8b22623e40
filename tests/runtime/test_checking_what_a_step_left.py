"""A check reads the proof and looks at the job; it starts nothing, stops nothing, ends nothing."""

from __future__ import annotations

import pytest

from nodes.domain.text import Text
from operations.domain.plan import Proof, Step
from operations.models import Run
from operations.runtime.checking import check
from tests.fakes.local import unreachable
from tests.runtime.conftest import (
    World,
    events,
    executing,
    make_run,
    processes_of,
    resume,
    states,
    step,
    until,
)

pytestmark = pytest.mark.django_db(transaction=True)
EFFECT = Proof("holds", ("[ -e effect ]",))


def endless(**more: object) -> Step:
    return step("one", "node1", "echo up; touch begun; sleep 60", proof=EFFECT, **more)


def cancelled(world: World) -> Run:
    run = make_run(endless(), step("two", "node2", "true"))
    with executing(world, run):
        until(lambda: world.log(run, "one") == b"up\n")
        Run.objects.filter(pk=run.pk).update(cancelling=True)
    assert states(run) == ["cancelled", "pending"]
    return run


def found(world: World, run: Run) -> tuple[str, str]:
    check(run.pk, "one", world.ports)
    event = events(run, "check")[-1]
    return event["state"], str(Text.from_json(event["text"]))


def jobs(world: World, node: str = "node1") -> list[str]:
    return sorted(path.name for path in (world.cluster[node].root / "jobs").iterdir())


def test_it_tells_whether_the_effect_is_there_and_changes_nothing(world: World) -> None:
    run = cancelled(world)
    before = jobs(world)
    assert found(world, run) == (
        "missing",
        "Checked: the effect of “one” is not there now. It is not there."
        " Its command does not run on node1.",
    )
    (world.cluster["node1"].home / "effect").touch()
    state, sentence = found(world, run)
    assert state == "there"
    assert "the effect of “one” is there." in sentence
    run.refresh_from_db()
    assert (run.state, states(run), jobs(world)) == (
        "cancelled",
        ["cancelled", "pending"],
        before,
    )
    assert not (world.cluster["node1"].root / "lock").exists()


def test_silence_is_neither_there_nor_missing(world: World) -> None:
    run = cancelled(world)
    world.cluster["node1"].error = unreachable("node1")
    state, sentence = found(world, run)
    assert state == "unknown"
    assert "could not be read, so it stays unknown. node1 does not answer." in sentence
    assert "Whether its command still runs on node1 is not known." in sentence


def test_a_lost_step_that_still_runs_is_said_to_run(world: World) -> None:
    world.patience_s = 0.2
    run = make_run(endless())
    with executing(world, run):
        until(lambda: world.log(run, "one") == b"up\n")
        world.cluster["node1"].error = unreachable("node1")
        world.cluster["node1"].cut()
    assert (run.state, states(run)) == ("interrupted", ["unknown"])
    world.cluster["node1"].error = None
    assert "Its command is still at work on node1." in found(world, run)[1]
    assert processes_of(run)
    world.kill_job(run, "one", "node1")
    assert "Its command does not run on node1." in found(world, run)[1]


def test_a_run_that_goes_on_meanwhile_gets_no_finding(world: World) -> None:
    run = cancelled(world)
    resume(run)
    check(run.pk, "one", world.ports)
    assert events(run, "check") == []
