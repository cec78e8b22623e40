"""Law 1 on the nodes: a second panel is refused by name, and our own leftovers are not in our way."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes.domain.text import Text
from operations.domain.plan import Proof
from operations.runtime import node_lock
from operations.runtime.node_lock import Claim, Held
from tests.fakes.local import PLACE, unreachable
from tests.runtime.conftest import World, executing, make_run, states, step, until

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = Claim("panel two", "bcdfgh2345", "2026-11-22T10:00:00Z", "maria")


def lock(world: World, node: str) -> Path:
    return world.cluster[node].root / "lock"


def test_another_panel_is_named_and_nothing_is_started_anywhere(world: World) -> None:
    assert node_lock.take(world.cluster["node2"], PLACE, OTHER) is None
    run = make_run(step("one", "node1", "touch ran"), step("two", "node2", "true"))
    world.execute(run)
    sentence = str(Text.from_json(run.sentence or {}))
    assert run.state == "failed"
    for word in ("node2", "panel two", "bcdfgh2345", "maria", "2026-11-22T10:00:00Z"):
        assert word in sentence
    assert not (world.cluster["node1"].home / "ran").exists()
    assert not lock(world, "node1").exists()
    assert lock(world, "node2").exists()


def test_all_nodes_are_held_while_the_run_lasts_and_free_after_it(world: World) -> None:
    run = make_run(step("one", "node1", "echo up; sleep 0.5"), step("two", "node3", "true"))
    with executing(world, run):
        until(lambda: world.log(run, "one") == b"up\n")
        assert (lock(world, "node3") / "run").read_text() == f"{run.pk}\n"
        found = node_lock.take(world.cluster["node3"], PLACE, OTHER)
        assert isinstance(found, Held)
        assert (found.panel, found.run) == ("panel one", run.pk)
    assert not lock(world, "node1").exists()
    assert not lock(world, "node3").exists()


def test_a_lock_that_our_own_ended_run_left_behind_is_taken_over(world: World) -> None:
    ended = make_run(step("one", "node1", "true"))
    world.execute(ended)
    left = Claim(world.panel, ended.pk, "2026-11-22T10:00:00Z", "maria")
    assert node_lock.take(world.cluster["node1"], PLACE, left) is None
    run = make_run(step("one", "node1", "true"))
    world.execute(run)
    assert run.state == "succeeded"


def test_a_lock_of_our_name_for_a_run_we_do_not_know_is_not_taken(world: World) -> None:
    stranger = Claim(world.panel, "nobodyknow", "2026-11-22T10:00:00Z", "maria")
    assert node_lock.take(world.cluster["node1"], PLACE, stranger) is None
    run = make_run(step("one", "node1", "true"))
    world.execute(run)
    assert run.state == "failed"


def test_a_node_that_cannot_be_locked_means_that_nothing_starts(world: World) -> None:
    world.cluster["node3"].error = unreachable("node3")
    run = make_run(step("one", "node1", "touch ran"), step("two", "node3", "true"))
    world.execute(run)
    assert (run.state, states(run)) == ("failed", ["failed", "pending"])
    assert not (world.cluster["node1"].home / "ran").exists()
    assert not lock(world, "node1").exists()


def test_a_job_that_another_run_left_at_work_blocks_the_node(world: World) -> None:
    world.patience_s = 0.3
    first = make_run(step("one", "node1", "echo up; sleep 3"))
    with executing(world, first):
        until(lambda: world.log(first, "one") == b"up\n")
        world.cluster["node1"].error = unreachable("node1")
        world.cluster["node1"].cut()
    assert first.state == "interrupted"
    assert lock(world, "node1").exists()
    world.cluster["node1"].error = None
    second = make_run(step("one", "node1", "touch ran"))
    world.execute(second)
    assert second.state == "failed"
    assert f"{first.pk}-one-node1" in str(Text.from_json(second.sentence or {}))
    assert not (world.cluster["node1"].home / "ran").exists()


def test_a_job_that_is_certainly_gone_keeps_no_lock(world: World) -> None:
    run = make_run(step("one", "node1", "echo up; sleep 60", proof=Proof("holds", ("false",))))
    with executing(world, run):
        until(lambda: world.log(run, "one") == b"up\n")
        world.kill_job(run, "one", "node1")
    assert run.state == "interrupted"
    assert not lock(world, "node1").exists()


def test_a_half_written_lock_of_a_dead_writer_is_replaced_after_a_minute(world: World) -> None:
    import os
    import time

    lock(world, "node1").mkdir(parents=True)
    old = time.time() - 300
    os.utime(lock(world, "node1"), (old, old))
    run = make_run(step("one", "node1", "true"))
    world.execute(run)
    assert run.state == "succeeded"
