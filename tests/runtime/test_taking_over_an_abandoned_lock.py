"""A second panel takes a node over only when its holder is proven gone, says so, and fences the old one."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nodes.domain.text import Text
from operations.models import Run
from operations.runtime import node_lock
from operations.runtime.node_lock import Claim, Left
from operations.runtime.ports import Ports
from tests.fakes.local import PLACE, unreachable
from tests.runtime.conftest import World, events, executing, make_run, resume, step, until

GONE = Claim("panel two", "bcdfgh2345", "2026-11-22T10:00:00Z", "maria", ("node1", "node2"), 60)


def uptime() -> int:
    return int(Path("/proc/uptime").read_text().split(".")[0])


FAR = 200  # seconds: longer than the limit, shorter than any machine is up that runs this
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(uptime() < FAR, reason="this machine has just started"),
]


def lock(world: World, node: str) -> Path:
    return world.cluster[node].root / "lock"


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def silent_for(world: World, node: str, seconds: int, boot: str = "") -> None:
    """The lock as it is when its holder gave no sign of life for so long."""
    (lock(world, node) / "beat").write_text(f"{uptime() - seconds} {boot or boot_id()}\n")


def hold(world: World, claim: Claim, *silent: int) -> None:
    for node, seconds in zip(claim.nodes, silent, strict=True):
        assert node_lock.take(world.cluster[node], PLACE, claim) is None
        silent_for(world, node, seconds)


def tried(world: World, *nodes: str) -> Run:
    """A run of ours on these nodes, and the marker of its first command."""
    steps = [step(f"s{i}", node, "touch ran") for i, node in enumerate(nodes)]
    return world.execute(make_run(*steps))


def why(run: Run) -> str:
    return str(Text.from_json(run.sentence or {}))


def ran(world: World, node: str) -> bool:
    return (world.cluster[node].home / "ran").exists()


def test_a_lock_whose_holder_is_gone_everywhere_is_taken_over_and_told(world: World) -> None:
    hold(world, GONE, 130, FAR)
    told: list[tuple[str, Mapping[str, Any]]] = []
    plain = world.ports

    def ports(run: Run) -> Ports:
        note = lambda run, node, words: told.append((node, words))  # noqa: E731
        return replace(plain(run), took_over=note)

    world.ports = ports  # type: ignore[method-assign]
    run = tried(world, "node1", "node3")
    assert run.state == "succeeded"
    (event,) = events(run, "node")
    sentence = str(Text.from_json(event["text"]))
    assert (event["state"], event["node"]) == ("taken_over", "node1")
    for word in ("panel two", "bcdfgh2345", "maria", "2 min", "node1, node2"):
        assert word in sentence
    assert [(node, words["left_by"]) for node, words in told] == [("node1", GONE.run)]
    assert not lock(world, "node1").exists()
    assert (lock(world, "node2") / "run").read_text() == f"{GONE.run}\n"  # not ours to touch


def test_one_node_that_heard_of_it_lately_blocks_all(world: World) -> None:
    hold(world, GONE, FAR, 30)
    run = tried(world, "node1")
    assert run.state == "failed"
    assert "Its last sign of life on node2 is 3" in why(run)
    assert "after 60 s of silence on all of its nodes a new run takes over" in why(run)
    assert "panel two" in why(run)
    assert not ran(world, "node1")
    assert (lock(world, "node1") / "run").read_text() == f"{GONE.run}\n"


def test_a_node_that_cannot_be_asked_blocks(world: World) -> None:
    hold(world, GONE, FAR, FAR)
    world.cluster["node2"].error = unreachable("node2")
    run = tried(world, "node1")
    assert run.state == "failed"
    assert "cannot be proven: node2 does not answer." in why(run)
    assert not ran(world, "node1")


def test_a_node_of_its_plan_that_we_do_not_know_blocks(world: World) -> None:
    elsewhere = replace(GONE, nodes=("node1", "db9"))
    assert node_lock.take(world.cluster["node1"], PLACE, elsewhere) is None
    silent_for(world, "node1", FAR)
    run = tried(world, "node1")
    assert run.state == "failed"
    assert "db9" in why(run)


@pytest.mark.parametrize("beat", ["", "x y\n", "12", "-5 boot\n"])
def test_a_lock_without_a_readable_sign_of_life_is_left_to_a_person(
    world: World, beat: str
) -> None:
    """Made by an older panel, or broken: unknown is not abandoned."""
    hold(world, GONE, FAR, FAR)
    (lock(world, "node2") / "beat").write_text(beat)
    run = tried(world, "node1")
    assert run.state == "failed"
    assert "remove /var/lib/clusterpanel/lock on node2" in why(run)


def test_a_lock_of_an_older_version_is_left_to_a_person(world: World) -> None:
    hold(world, replace(GONE, nodes=("node1",)), FAR)
    for name in ("beat", "limit", "nodes"):
        (lock(world, "node1") / name).unlink()
    run = tried(world, "node1")
    assert run.state == "failed"
    assert "remove /var/lib/clusterpanel/lock on node1" in why(run)


def test_after_a_restart_of_the_node_silence_is_counted_from_the_boot(world: World) -> None:
    short = replace(GONE, nodes=("node1",), limit_s=uptime() + 3600)
    assert node_lock.take(world.cluster["node1"], PLACE, short) is None
    silent_for(world, "node1", -7200, boot="another-boot")
    assert tried(world, "node1").state == "failed"
    (lock(world, "node1") / "limit").write_text("30\n")
    assert tried(world, "node1").state == "succeeded"


def test_a_job_of_it_that_is_at_work_blocks_whatever_the_silence(world: World) -> None:
    first = make_run(step("one", "node1", "echo up; sleep 30"), step("two", "node2", "true"))
    with executing(world, first):
        until(lambda: world.log(first, "one") == b"up\n")
        for node in ("node1", "node2"):
            silent_for(world, node, FAR)
        second = make_run(step("one", "node2", "touch ran"), name="other site")
        two = World(world.cluster, panel="panel two")
        two.execute(second)
        Run.objects.filter(pk=first.pk).update(cancelling=True)
    assert second.state == "failed"
    assert f"{first.pk}-one-node1 is at work on node1" in why(second)
    assert not ran(world, "node2")


def test_the_old_panel_that_comes_back_is_fenced_and_says_who_holds_the_node(
    world: World,
) -> None:
    """Its first step ended while it was away; it must not start the second one."""
    first = make_run(step("one", "node1", "true"), step("two", "node1", "touch late"))
    theirs = replace(GONE, run="nrtvwx6789", nodes=("node1",))

    class Away(World):
        def ports(self, run: Run) -> Ports:
            return replace(super().ports(run), took_over=lambda *words: None)

    old = Away(world.cluster, panel="panel one")
    taken = False

    def overtaken(run_id: str, line: int) -> None:
        """While the first step is proven: silence, and another panel takes the node."""
        nonlocal taken
        if not taken and first.steps.get(key="one").state == "verifying":
            taken = True
            silent_for(world, "node1", FAR)
            left = Left("panel one", first.pk, (lock(world, "node1") / "beat").read_text().strip())
            assert node_lock.take(world.cluster["node1"], PLACE, theirs, replaces=left) is None

    plain = old.ports
    old.ports = lambda run: replace(plain(run), notify=overtaken)  # type: ignore[method-assign]
    old.execute(first)
    assert taken
    assert first.state == "failed"
    assert f"“panel two” has been running {theirs.run} there" in why(first)
    assert not (world.cluster["node1"].home / "late").exists()
    assert (lock(world, "node1") / "run").read_text() == f"{theirs.run}\n"


def test_a_sign_of_life_between_the_judgement_and_the_taking_keeps_the_lock(
    world: World,
) -> None:
    hold(world, replace(GONE, nodes=("node1",)), FAR)
    judged = (lock(world, "node1") / "beat").read_text().strip()
    assert node_lock.beat(world.cluster["node1"], PLACE, GONE)
    us = Claim("panel one", "zzzzzzzzzz", "now", "ivan", ("node1",))
    left = Left(GONE.panel, GONE.run, judged)
    taken = node_lock.take(world.cluster["node1"], PLACE, us, replaces=left)
    assert isinstance(taken, node_lock.Held)
    assert (lock(world, "node1") / "run").read_text() == f"{GONE.run}\n"


def test_a_job_that_was_claimed_and_has_not_begun_never_will(world: World) -> None:
    hold(world, replace(GONE, nodes=("node1",)), FAR)
    claimed = world.cluster["node1"].root / "jobs" / f"{GONE.run}-late-node1"
    claimed.mkdir(parents=True)
    (claimed / "boot_id").write_text(boot_id() + "\n")
    run = tried(world, "node1")
    assert "is at work on node1" in why(run)  # claimed a moment ago: it may be starting
    old = time.time() - 300
    os.utime(claimed, (old, old))
    assert tried(world, "node1").state == "succeeded"
    assert (claimed / "pid").exists()


def test_a_driven_run_gives_signs_of_life_on_every_node(world: World) -> None:
    plain = world.ports
    world.ports = lambda run: replace(plain(run), beat_s=0.05)  # type: ignore[method-assign]
    run = make_run(step("one", "node1", "echo up; sleep 60"), step("two", "node2", "true"))
    with executing(world, run):
        until(lambda: world.log(run, "one") == b"up\n")
        for node in ("node1", "node2"):
            silent_for(world, node, FAR)
        until(lambda: all(_fresh(world, node) for node in ("node1", "node2")))
        world.cluster["node2"].error = unreachable("node2")  # costs a sign of life, not the run
        silent_for(world, "node1", FAR)
        until(lambda: _fresh(world, "node1"))
        world.cluster["node2"].error = None
        Run.objects.filter(pk=run.pk).update(cancelling=True)
    assert run.state == "cancelled"


def _fresh(world: World, node: str) -> bool:
    words = (lock(world, node) / "beat").read_text().split()
    return bool(words) and uptime() - int(words[0]) < 100


def test_a_full_disk_does_not_make_a_living_panel_look_dead(world: World) -> None:
    """The sign of life overwrites its own block: no new space is needed."""
    hold(world, replace(GONE, nodes=("node1",)), 0)
    before = (lock(world, "node1") / "beat").stat()
    assert node_lock.beat(world.cluster["node1"], PLACE, GONE)
    after = (lock(world, "node1") / "beat").stat()
    assert after.st_ino == before.st_ino


def test_a_beat_never_lands_in_the_lock_of_somebody_else(world: World) -> None:
    hold(world, replace(GONE, nodes=("node1",)), FAR)
    stranger = replace(GONE, run="nrtvwx6789")
    assert not node_lock.beat(world.cluster["node1"], PLACE, stranger)
    assert not node_lock.beat(world.cluster["node2"], PLACE, GONE)
    assert not lock(world, "node2").exists()
    assert not _fresh(world, "node1")


def test_a_panel_that_lost_its_database_is_told_that_the_run_is_unknown_to_it(
    world: World,
) -> None:
    ours = replace(GONE, panel=world.panel, nodes=("node1",))
    hold(world, ours, 30)
    run = tried(world, "node1")
    assert run.state == "failed"
    assert "the name of this panel too, but its database does not know the run" in why(run)
    silent_for(world, "node1", FAR)
    assert tried(world, "node1").state == "succeeded"


def test_a_run_of_this_panel_that_goes_on_is_never_taken_over(world: World) -> None:
    other = make_run(step("one", "node1", "true"), name="other site")
    hold(world, replace(GONE, panel=world.panel, run=other.pk, nodes=("node1",)), FAR)
    run = tried(world, "node1")
    assert run.state == "failed"
    assert "a run of this panel that goes on" in why(run)


def test_an_interrupted_run_is_taken_over_and_can_still_find_its_job(world: World) -> None:
    """Our own resume after somebody took the node: nothing is started, and it is said why."""
    first = make_run(step("one", "node1", "true"), step("two", "node1", "[ -e go ]"))
    world.execute(first)
    assert first.state == "failed"
    holder = replace(GONE, nodes=("node1",))
    assert node_lock.take(world.cluster["node1"], PLACE, holder) is None
    (world.cluster["node1"].home / "go").touch()
    resume(first)
    world.execute(first)
    assert first.state == "failed"
    assert "panel two" in why(first)
