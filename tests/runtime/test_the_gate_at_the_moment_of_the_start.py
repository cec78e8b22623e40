"""Law 4 holds when the job starts, also when the node was silent for minutes after the first look."""

from __future__ import annotations

import pytest

from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from tests.fakes.local import unreachable
from tests.runtime.conftest import World, events, executing, make_run, states, step, until

pytestmark = pytest.mark.django_db(transaction=True)
GONE = Refusal("backup_gone", say("The backup is gone."), say("Take a new one."))


def test_a_gate_that_closes_while_the_node_is_silent_stays_closed(world: World) -> None:
    run = make_run(
        step("zero", "node1", "true"),
        step("one", "node1", "touch ran", overwrites=True),
    )
    node = world.cluster["node1"]
    plain = node.stream

    def breaks(command):  # type: ignore[no-untyped-def]
        """The second step's start is where the network goes."""
        if any(f"{run.pk}-one-node1" in word for word in command.argv) and world.refusal is None:
            node.error = unreachable("node1")
        return plain(command)

    node.stream = breaks  # type: ignore[method-assign]
    with executing(world, run):
        until(lambda: bool(events(run, "node")))  # silent: it was told
        world.refusal = GONE
        node.error = None
    assert (run.state, states(run)) == ("failed", ["succeeded", "failed"])
    assert "The backup is gone." in str(Text.from_json(run.sentence or {}))
    assert not (node.home / "ran").exists()


def test_a_job_that_is_at_work_is_followed_whatever_becomes_of_its_backup(world: World) -> None:
    script = "echo up; while [ ! -e go ]; do sleep 0.05; done; echo end"
    run = make_run(step("one", "node1", script, overwrites=True))
    node = world.cluster["node1"]
    with executing(world, run):
        until(lambda: world.log(run, "one") == b"up\n")
        world.refusal = GONE
        node.cut()
        (node.home / "go").touch()
    assert run.state == "succeeded"
    assert world.log(run, "one") == b"up\nend\n"
