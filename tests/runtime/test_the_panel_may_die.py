"""Law 6: whatever dies, the job goes on, its log is complete and the run ends with the truth."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection

from nodes.domain.text import Text
from nodes.transport.base import Command, HostKeyChanged, Output
from operations.domain.plan import Proof
from operations.models import JournalChunk, Run
from operations.runtime import journal, lease, reconcile, scripts
from operations.runtime.lease import LeaseLost
from tests.fakes.local import LocalNode, lost, unreachable
from tests.runtime.conftest import (
    World,
    events,
    executing,
    make_run,
    resume,
    states,
    step,
    until,
)

pytestmark = pytest.mark.django_db(transaction=True)
TALKS = 'echo start >> starts; i=0; while [ $i -lt 60 ]; do echo "line $i"; i=$((i+1)); sleep 0.03; done'


@contextmanager
def worker(folder: Path, run: Run) -> Iterator[subprocess.Popen[bytes]]:
    name = str(connection.settings_dict["NAME"])
    env = {**os.environ, "TEST_DATABASE": name}
    argv = (sys.executable, "-m", "tests.runtime.executor_process", str(folder), run.pk)
    process = subprocess.Popen(argv, env=env, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _more_than(run: Run, count: int) -> Callable[[], bool]:
    return lambda: lines_of(run) > count


def lines_of(run: Run) -> int:
    return JournalChunk.objects.filter(run=run, kind="output").count()


@pytest.mark.parametrize("kills", [1, 3])
def test_a_killed_worker_is_replaced_and_the_log_is_complete(
    world: World, tmp_path: Path, settings: LazySettings, kills: int
) -> None:
    settings.RUN_LEASE_S = 0.6
    run = make_run(step("one", "node1", TALKS), step("two", "node2", "echo after"))
    for _ in range(kills):
        before = lines_of(run)
        with worker(tmp_path, run) as process:
            until(_more_than(run, before))
            os.killpg(process.pid, signal.SIGKILL)
        Run.objects.filter(pk=run.pk).update(lease_until="2020-01-01T00:00:00Z")
        assert reconcile.abandoned() == [run.pk]
    world.execute(run)
    assert run.state == "succeeded"
    assert world.log(run, "one") == world.node_log(run, "one", "node1")
    assert world.log(run, "one").count(b"\n") == 60
    assert (world.cluster["node1"].home / "starts").read_text() == "start\n"
    said = [str(Text.from_json(event["text"])) for event in events(run, "attached")]
    assert said[0].startswith("The worker was last heard of at ")
    assert said[0].endswith(" UTC. No lines lost.")


def test_a_cut_connection_is_mended_without_a_lost_byte(world: World) -> None:
    run = make_run(step("one", "node1", TALKS))
    with executing(world, run):
        for count in (5, 15, 25):
            until(_more_than(run, count))
            world.cluster["node1"].cut()
    assert run.state == "succeeded"
    assert world.log(run, "one") == world.node_log(run, "one", "node1")
    assert (world.cluster["node1"].home / "starts").read_text() == "start\n"


def test_a_cut_while_the_nodes_are_taken_or_freed_fails_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node does what it is asked, and its answer never arrives."""
    node = world.cluster["node2"]
    cut = {scripts.LOCK, scripts.UNLOCK}

    def run(command: Command) -> Output:
        output = LocalNode.run(node, command)
        if command.argv[2] in cut:
            cut.remove(command.argv[2])
            raise lost("node2")
        return output

    monkeypatch.setattr(node, "run", run)
    run_ = make_run(step("one", "node1", "true"), step("two", "node2", "true"))
    world.execute(run_)
    assert (run_.state, cut) == ("succeeded", set())
    assert events(run_, "node") == []
    assert not (node.root / "lock").exists()


@pytest.mark.parametrize(("cuts", "state"), [(1, "succeeded"), (9, "failed")])
def test_a_cut_while_the_input_is_made_is_no_unknown_effect(
    world: World, monkeypatch: pytest.MonkeyPatch, cuts: int, state: str
) -> None:
    waiting = [lost("node1")] * cuts

    def stdin(*_: object) -> bytes:
        if waiting:
            raise waiting.pop()
        return b"input"

    monkeypatch.setattr(world, "_stdin", stdin)
    run = make_run(step("one", "node1", "cat", stdin="env_file"))
    world.execute(run)
    assert (run.state, states(run)) == (state, [state])
    assert world.log(run, "one") == (b"input" if state == "succeeded" else b"")


def test_a_silent_node_is_waited_for_and_it_is_said_once(world: World) -> None:
    run = make_run(step("one", "node1", TALKS))
    node = world.cluster["node1"]
    with executing(world, run):
        until(lambda: lines_of(run) > 3)
        node.error = unreachable("node1")
        node.cut()
        until(lambda: bool(events(run, "node")))
        assert "nothing is lost" in str(Text.from_json(events(run, "node")[0]["text"]))
        node.error = None
    assert run.state == "succeeded"
    assert [event["state"] for event in events(run, "node")] == ["silent", "answers"]
    assert world.log(run, "one").count(b"\n") == 60


def test_a_node_that_stays_silent_leaves_an_unknown_step_not_a_failed_one(world: World) -> None:
    world.patience_s = 0.5
    run = make_run(step("one", "node1", TALKS), step("two", "node2", "true"))
    node = world.cluster["node1"]
    with executing(world, run):
        until(lambda: lines_of(run) > 3)
        node.error = unreachable("node1")
        node.cut()
    assert (run.state, states(run)) == ("interrupted", ["unknown", "pending"])
    node.error = None
    resume(run)
    world.patience_s = 20
    world.execute(run)
    assert run.state == "succeeded"
    assert (node.home / "starts").read_text() == "start\n"
    assert world.log(run, "one") == world.node_log(run, "one", "node1")


def test_a_changed_host_key_stops_the_run_at_once(world: World) -> None:
    run = make_run(step("one", "node1", TALKS))
    node = world.cluster["node1"]
    with executing(world, run):
        until(lambda: lines_of(run) > 3)
        node.error = HostKeyChanged("node1", "SHA256:old", "SHA256:new")
        node.cut()
    assert run.state == "interrupted"
    sentence = str(Text.from_json(run.sentence or {}))
    assert "SHA256:old" in sentence
    assert "SHA256:new" in sentence


def test_two_executors_at_once_start_every_step_once(world: World) -> None:
    run = make_run(step("one", "node1", TALKS))
    with executing(world, run), executing(world, run), executing(world, run):
        pass
    assert run.state == "succeeded"
    assert run.fence == 1
    assert (world.cluster["node1"].home / "starts").read_text() == "start\n"


def test_a_second_driver_that_ignores_the_lease_attaches(
    world: World, settings: LazySettings
) -> None:
    settings.RUN_LEASE_S = 60
    run = make_run(step("one", "node1", TALKS))
    with executing(world, run):
        until(lambda: lines_of(run) > 3)
        Run.objects.filter(pk=run.pk).update(lease_until="2020-01-01T00:00:00Z")
        with executing(world, run):
            pass
    assert (run.state, run.fence) == ("succeeded", 2)
    assert (world.cluster["node1"].home / "starts").read_text() == "start\n"
    assert world.log(run, "one") == world.node_log(run, "one", "node1")


def test_a_stale_worker_writes_nothing(world: World) -> None:
    run = make_run(step("one", "node1", "true"))
    stale = lease.claim(run.pk)
    assert stale is not None
    Run.objects.filter(pk=run.pk).update(lease_until="2020-01-01T00:00:00Z")
    assert lease.claim(run.pk) is not None
    assert not lease.renew(stale)
    with pytest.raises(LeaseLost):
        journal.append_output(
            run_id=run.pk, fence=stale.fence, step="one", attempt=1, chunks=[b"late\n"]
        )
    with pytest.raises(LeaseLost):
        journal.append_event(run_id=run.pk, fence=stale.fence, event={"type": "run"})
    run.refresh_from_db()
    assert (run.next_line, run.journal.count(), run.steps.get().log_bytes) == (1, 0, 0)


def test_a_job_killed_from_outside_is_judged_by_its_proof(world: World) -> None:
    for effect, state in (("true", "succeeded"), ("false", "interrupted")):
        proof = Proof("holds", (effect,))
        run = make_run(step("one", "node1", "echo here; sleep 60", proof=proof), name=effect)
        with executing(world, run):
            until(_more_than(run, 0))
            world.kill_job(run, "one", "node1")
        assert run.state == state


def test_a_reboot_is_recognised_by_the_boot_id(world: World) -> None:
    run = make_run(step("one", "node1", "echo here; sleep 60", proof=Proof("holds", ("false",))))
    with executing(world, run):
        until(lambda: world.log(run, "one") == b"here\n")
        (world.job_folder(run, "one", "node1") / "boot_id").write_text("another\n")
        world.kill_job(run, "one", "node1")
    verifying = [event for event in events(run, "step") if event["state"] == "verifying"]
    assert "was restarted" in str(Text.from_json(verifying[0]["text"]))
    assert (run.state, states(run)) == ("interrupted", ["unknown"])


@pytest.mark.parametrize(
    ("code", "state"), [("137", "unknown"), ("143", "unknown"), ("1", "failed")]
)
def test_a_command_that_the_going_node_killed_has_no_result(
    world: World, code: str, state: str
) -> None:
    run = make_run(step("one", "node1", "echo here; sleep 60", proof=Proof("holds", ("false",))))
    with executing(world, run):
        until(lambda: world.log(run, "one") == b"here\n")
        folder = world.job_folder(run, "one", "node1")
        (folder / "boot_id").write_text("another\n")
        (folder / "rc").write_text(f"{code}\n")
        world.kill_job(run, "one", "node1")
    assert states(run) == [state]


def test_a_claimed_but_never_started_job_is_never_started_by_itself(world: World) -> None:
    run = make_run(step("one", "node1", "echo ran > ran"))
    world.job_folder(run, "one", "node1").mkdir(parents=True)
    world.execute(run)
    assert (run.state, states(run)) == ("failed", ["failed"])
    assert "never began" in str(Text.from_json(run.sentence or {}))
    assert not (world.cluster["node1"].home / "ran").exists()
    resume(run)
    world.execute(run)
    assert run.state == "succeeded"
    assert run.steps.get().attempt == 2


def test_a_lost_message_is_found_by_the_reconciler(world: World) -> None:
    run = make_run(step("one", "node1", "true"))
    assert reconcile.abandoned() == []
    Run.objects.filter(pk=run.pk).update(created_at="2020-01-01T00:00:00Z")
    assert reconcile.abandoned() == [run.pk]
    world.execute(run)
    assert reconcile.abandoned() == []
