"""The executor with real shells: order, output, failure, resume."""

from __future__ import annotations

import pytest

from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from operations.domain.plan import Proof
from tests.runtime.conftest import World, events, make_run, resume, states, step

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_steps_on_two_nodes_run_one_after_the_other(world: World) -> None:
    run = make_run(
        step("one", "node1", 'echo "a $CLUSTERPANEL_RUN"'), step("two", "node2", "echo b >&2")
    )
    world.execute(run)
    assert (run.state, states(run)) == ("succeeded", ["succeeded", "succeeded"])
    assert world.log(run, "one") == f"a {run.pk}\n".encode()
    assert world.log(run, "two") == b"b\n"
    assert run.ended_at is not None
    assert run.lease_until is None


def test_both_streams_are_one_log_in_order_of_arrival(world: World) -> None:
    run = make_run(step("one", "node1", "echo 1; echo 2 >&2; echo 3; echo 4 >&2"))
    world.execute(run)
    assert world.log(run, "one") == b"1\n2\n3\n4\n"


def test_a_failing_command_ends_the_run_and_names_step_node_and_code(world: World) -> None:
    run = make_run(step("one", "node1", "echo no; exit 3"), step("two", "node2", "echo b"))
    world.execute(run)
    assert (run.state, states(run)) == ("failed", ["failed", "pending"])
    assert run.sentence is not None
    assert str(Text.from_json(run.sentence)) == "“one” on node1 ended with exit code 3."
    assert run.steps.get(key="one").exit_code == 3
    assert not (world.cluster["node2"].root / "jobs").exists()


def test_exit_zero_without_the_effect_is_a_failure(world: World) -> None:
    run = make_run(
        step("one", "node1", "true", proof=Proof("holds", ("false",)), proof_timeout_s=0)
    )
    world.execute(run)
    assert (run.state, states(run)) == ("failed", ["failed"])
    assert run.sentence is not None
    assert "is not proven" in run.sentence["template"]


def test_the_next_step_waits_for_the_proof_of_the_one_before(world: World) -> None:
    late = "(sleep 0.6; echo there > effect) & exit 0"
    run = make_run(
        step("one", "node1", late, proof=Proof("holds", ("cat effect",)), proof_timeout_s=10),
        step("two", "node1", "cat effect"),
    )
    world.execute(run)
    assert run.state == "succeeded"
    assert world.log(run, "two") == b"there\n"


def test_what_a_proven_step_leaves_is_recorded_with_its_evidence(world: World) -> None:
    proof = Proof("holds", ("echo 42",))
    run = make_run(step("one", "node1", "true", proof=proof, records="backup:database"))
    world.execute(run)
    assert world.recorded == [("backup:database", {"seen": "42"})]
    proven = [event for event in events(run, "step") if event["state"] == "succeeded"]
    assert proven[0]["evidence"] == {"seen": "42"}


def test_resume_runs_only_the_failed_step_again(world: World) -> None:
    script = 'echo run >> "$0".count; [ -e repaired ]'
    run = make_run(
        step("one", "node1", "echo run >> one.count"),
        step("two", "node2", script),
        step("three", "node3", "echo run >> three.count"),
    )
    world.execute(run)
    assert states(run) == ["succeeded", "failed", "pending"]
    (world.cluster["node2"].home / "repaired").touch()
    resume(run)
    world.execute(run)
    assert run.state == "succeeded"
    counts = [
        (world.cluster[f"node{i}"].home / f"{key}.count").read_text().count("run")
        for i, key in ((1, "one"), (2, "two"), (3, "three"))
    ]
    assert counts == [1, 2, 1]
    assert run.steps.get(key="two").attempt == 2


def test_an_overwriting_step_behind_a_closed_gate_is_not_started(world: World) -> None:
    world.refusal = Refusal("backup_gone", say("The backup is gone."), say("Take a new one."))
    run = make_run(step("one", "node1", "touch overwritten", overwrites=True))
    world.execute(run)
    assert run.state == "failed"
    assert run.sentence is not None
    assert str(Text.from_json(run.sentence)) == "The backup is gone. Take a new one."
    assert not (world.cluster["node1"].home / "overwritten").exists()


def test_a_script_that_waits_for_input_ends_at_once(world: World) -> None:
    run = make_run(step("one", "node1", 'read answer || echo "nobody there"'))
    world.execute(run)
    assert world.log(run, "one") == b"nobody there\n"


def test_input_reaches_the_command_and_is_gone_from_the_disk(world: World) -> None:
    world.stdin = b"secret\0" + b"x" * 300_000
    run = make_run(step("one", "node1", "ls -1 lib/jobs/*; wc -c", stdin="anything"))
    world.execute(run)
    log = world.log(run, "one")
    assert log.endswith(b"300007\n")
    assert b"stdin" not in log
    assert not list(world.cluster["node1"].home.rglob("stdin"))


def test_a_writer_into_a_closed_pipe_dies_as_in_a_terminal(world: World) -> None:
    run = make_run(step("one", "node1", "while :; do echo y; done | head -1; echo over"))
    world.execute(run)
    assert world.log(run, "one") == b"y\nover\n"


def test_arguments_are_data_whatever_they_hold(world: World) -> None:
    nasty = "a b'c\"d$HOME`id`\n;%s\\"
    run = make_run(step("one", "node1", 'printf "%s" "$1"', nasty))
    world.execute(run)
    assert world.log(run, "one") == nasty.encode()


def test_a_step_that_takes_long_is_reported_once_and_goes_on(world: World) -> None:
    run = make_run(step("one", "node1", "sleep 0.5; echo done", timeout_s=0))
    world.execute(run)
    assert run.state == "succeeded"
    assert [event["state"] for event in events(run, "node")] == ["long"]
