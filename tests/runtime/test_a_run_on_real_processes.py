"""The executor with real shells: order, output, failure, resume."""

from __future__ import annotations

import pytest

from tests.runtime.conftest import World, make_run, states, step

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
