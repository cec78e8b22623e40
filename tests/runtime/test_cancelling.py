"""Cancel stops everything a step started, and says so only when nothing is left."""

from __future__ import annotations

import pytest

from nodes.domain.text import Text
from operations.models import Run
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


def cancel(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(cancelling=True)


STUBBORN = "trap '' TERM; (trap '' TERM; sleep 60) & setsid sleep 60 & echo up; wait; sleep 60"


@pytest.mark.parametrize("script", ["echo up; sleep 60", "sleep 60 & echo up; wait", STUBBORN])
def test_nothing_is_left_of_a_cancelled_step(world: World, script: str) -> None:
    run = make_run(step("one", "node1", script), step("two", "node2", "true"))
    with executing(world, run):
        until(lambda: world.log(run, "one") == b"up\n")
        assert processes_of(run)
        cancel(run)
    assert (run.state, states(run)) == ("cancelled", ["cancelled", "pending"])
    assert processes_of(run) == []
    assert "no process of it is left" in str(Text.from_json(run.sentence or {}))


def test_what_it_printed_before_is_kept(world: World) -> None:
    run = make_run(step("one", "node1", "echo first; printf unfinished; sleep 60"))
    with executing(world, run):
        until(lambda: world.log(run, "one").startswith(b"first"))
        cancel(run)
    assert world.log(run, "one") == b"first\nunfinished"
    assert events(run, "attached") == []  # to fetch the rest is not to take over from a dead worker


def test_a_cancelled_run_can_be_resumed(world: World) -> None:
    script = "echo up; [ -e go ] || sleep 60"
    run = make_run(step("one", "node1", script, proof_timeout_s=0))
    with executing(world, run):
        until(lambda: world.log(run, "one") == b"up\n")
        cancel(run)
    (world.cluster["node1"].home / "go").touch()
    resume(run)
    world.execute(run)
    assert run.state == "succeeded"


def test_a_run_cancelled_before_it_began_starts_nothing(world: World) -> None:
    run = make_run(step("one", "node1", "touch ran"))
    cancel(run)
    world.execute(run)
    assert run.state == "cancelled"
    assert not (world.cluster["node1"].home / "ran").exists()


def test_cancel_during_the_proof_leaves_the_effect_unknown(world: World) -> None:
    from operations.domain.plan import Proof

    proof = Proof("holds", ("false",))
    run = make_run(step("one", "node1", "true", proof=proof, proof_timeout_s=60))
    with executing(world, run):
        until(lambda: states(run) == ["verifying"])
        cancel(run)
    assert (run.state, states(run)) == ("cancelled", ["unknown"])
