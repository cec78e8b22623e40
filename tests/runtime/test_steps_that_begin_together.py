"""A stage whose steps begin at the same time: real jobs, side by side, each with its own end."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes.domain.text import Text
from operations.models import Run
from tests.runtime.conftest import (
    HOSTS,
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

# Ends only when all three are there. $1: a folder that they share.
MEET = """
echo "$0" >"$1/$0.here"
until [ -e "$1/node1.here" ] && [ -e "$1/node2.here" ] && [ -e "$1/node3.here" ]; do sleep 0.02; done
echo "$0 met them"
"""


def test_they_are_at_work_at_the_same_time(world: World, tmp_path: Path) -> None:
    run = make_run(*(step(host, host, MEET, str(tmp_path)) for host in HOSTS), together=True)
    world.execute(run)
    assert (run.state, states(run)) == ("succeeded", ["succeeded"] * 3)
    for host in HOSTS:
        assert world.log(run, host) == f"{host} met them\n".encode()
        assert world.log(run, host) == world.node_log(run, host, host)
        assert not (world.cluster[host].root / "lock").exists()
    told = [(event["step"], event["state"]) for event in events(run, "step")]
    assert [state for _, state in told[:3]] == ["running"] * 3
    assert sorted(told[-3:]) == [(host, "succeeded") for host in HOSTS]


def test_one_that_fails_ends_the_run_after_the_others_are_proven(world: World) -> None:
    run = make_run(
        step("one", "node1", "sleep 0.4; echo late"),
        step("two", "node2", "exit 4"),
        step("three", "node3", "echo well"),
        together=True,
    )
    world.execute(run)
    assert (run.state, states(run)) == ("failed", ["succeeded", "failed", "succeeded"])
    assert str(Text.from_json(run.sentence or {})) == "“two” on node2 ended with exit code 4."
    assert world.log(run, "one") == b"late\n"


def test_after_a_failure_only_the_failed_one_runs_again(world: World) -> None:
    run = make_run(
        step("one", "node1", "echo once"),
        step("two", "node2", "[ -e go ] || exit 4; echo gone"),
        together=True,
    )
    world.execute(run)
    (world.cluster["node2"].home / "go").touch()
    resume(run)
    world.execute(run)
    assert (run.state, states(run)) == ("succeeded", ["succeeded"] * 2)
    assert [row.attempt for row in run.steps.order_by("position")] == [1, 2]


def test_cancel_stops_all_of_them(world: World) -> None:
    run = make_run(*(step(host, host, "echo up; sleep 60") for host in HOSTS), together=True)
    with executing(world, run):
        until(lambda: all(world.log(run, host) == b"up\n" for host in HOSTS))
        Run.objects.filter(pk=run.pk).update(cancelling=True)
    assert (run.state, states(run)) == ("cancelled", ["cancelled"] * 3)
    assert processes_of(run) == []


def test_another_worker_attaches_to_all_of_them(world: World, tmp_path: Path) -> None:
    """The first is fenced off while they are at work; no job begins twice."""
    script = "echo up; until [ -e go ]; do sleep 0.02; done; echo end"
    run = make_run(*(step(host, host, script) for host in HOSTS), together=True)
    with executing(world, run):
        until(lambda: all(world.log(run, host) == b"up\n" for host in HOSTS))
        Run.objects.filter(pk=run.pk).update(lease_owner="", lease_until=None, fence=99)
        for host in HOSTS:
            (world.cluster[host].home / "go").touch()
    assert run.state == "running"
    world.execute(run)
    assert (run.state, states(run)) == ("succeeded", ["succeeded"] * 3)
    for host in HOSTS:
        assert world.log(run, host) == b"up\nend\n"
    assert [row.attempt for row in run.steps.order_by("position")] == [1] * 3
