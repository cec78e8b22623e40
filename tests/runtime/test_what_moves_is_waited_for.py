"""A proof waits as long as something moves, and no longer; a guard that refuses starts nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from operations.domain.plan import Guard
from operations.domain.proofs.base import Holds, NotYet, Probe, ProofKind, Verdict
from operations.models import Run
from operations.runtime import proving
from operations.runtime.executor import execute
from operations.runtime.ports import Ports
from tests.runtime.conftest import World, events, make_run, resume, states, step

pytestmark = pytest.mark.django_db(transaction=True)
SAID = say("It receives all data.")


def waits(judge: Callable[[int], Verdict]) -> ProofKind:
    """Judged by how often it was asked."""
    asked: list[int] = []

    def count(*_: Any) -> Verdict:
        asked.append(1)
        return judge(len(asked))

    return ProofKind(
        sentence=lambda args: SAID,
        probes=lambda args, node, hosts: (Probe(node, "true", ()),),
        judge=count,
    )


def run_with(world: World, kind: ProofKind, run: Run) -> Run:
    def ports(which: Run) -> Ports:
        return replace(world.ports(which), proof=lambda proof: kind)

    execute(run.pk, ports)
    run.refresh_from_db()
    return run


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "_PAUSES_S", (0.3,))
    monkeypatch.setattr(proving, "_TRANSFER_EVERY_S", 0.2)


def test_a_transfer_is_not_given_up_while_bytes_move(world: World, quick: None) -> None:
    def judge(asked: int) -> Verdict:
        if asked < 12:  # 3.6 s, of which the step allows one without a move
            return NotYet(SAID, received=asked * 1_000_000)
        return Holds({}, say("It is there."))

    run = run_with(world, waits(judge), make_run(step("one", "node1", "true")))
    assert run.state == "succeeded"
    told = [str(Text.from_json(e["text"])) for e in events(run, "proof")]
    assert any("MB/s" in sentence for sentence in told)


def test_a_transfer_that_stands_still_is_given_up(world: World, quick: None) -> None:
    kind = waits(lambda asked: NotYet(SAID, received=5_000_000))
    run = run_with(world, kind, make_run(step("one", "node1", "true")))
    assert (run.state, states(run)) == ("failed", ["failed"])


def test_a_backlog_that_is_stuck_is_given_up(world: World, quick: None) -> None:
    kind = waits(lambda asked: NotYet(say("125 files wait."), left=125 + asked % 2))
    run = run_with(world, kind, make_run(step("one", "node1", "true")))
    assert run.state == "failed"
    assert "125 files wait." in str(Text.from_json(run.sentence or {}))


def test_a_guard_that_refuses_starts_nothing_and_the_run_goes_on_later(world: World) -> None:
    """In the tests of the runtime the gate is what answers for guards as well."""
    run = make_run(step("one", "node1", "touch ran", guard=Guard("may_stop", ("node1", "host"))))
    node = world.cluster["node1"]
    world.refusal = Refusal("heal_backlog", say("125 files wait."), say("Wait."))
    world.execute(run)
    assert (run.state, states(run)) == ("failed", ["failed"])
    assert "125 files wait." in str(Text.from_json(run.sentence or {}))
    assert not (node.home / "ran").exists()
    world.refusal = None
    resume(run)
    world.execute(run)
    assert run.state == "succeeded"
    assert (node.home / "ran").exists()
