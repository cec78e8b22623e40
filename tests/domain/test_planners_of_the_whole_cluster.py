"""Rolling restart, stop and start of the whole cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nodes.domain.observation import Grastate, Unknown
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from operations.domain.guards import refused as guard_refuses
from operations.domain.plan import Plan
from operations.domain.planners import PLANNERS
from operations.domain.situation import Memory, Situation
from tests.domain.powered import noted, planned, refused, situation, stopped
from tests.fakes.facts import UUID, galera, node
from tests.fakes.situations import OTHER_UUID


def test_the_primary_is_the_last_and_each_turn_is_guarded() -> None:
    plan = planned("rolling_restart", service="host")
    turns = [step.node for step in plan.steps if step.proof.name == "rebooted"]
    assert turns == ["n2", "n3", "n1"]
    guards = [step.guard.args[0] for step in plan.steps if step.guard.name]
    assert guards == turns
    assert [g.kind for g in plan.gates] == ["accept", "accept"]


@pytest.mark.parametrize("service", ["mariadb", "glusterd", "host"])
def test_every_turn_ends_proven(service: str) -> None:
    plan = planned("rolling_restart", service=service)
    last = [stage.steps[-1].proof.name for stage in plan.stages]
    assert set(last) == {"member_back" if service == "mariadb" else "cluster_whole"}


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ({"n3": "donor"}, "galera_busy"),
        ({"n3": "stopped", "n1": "size 2", "n2": "size 2"}, "member_missing"),
        ({"all": "size 4"}, "cluster_size"),
        ({"volume": {"heal": [0, 125, 0]}}, "heal_backlog"),
        ({"volume": {"bricks": "up up down"}}, "brick_down"),
        ({"n2": "unmounted"}, "mount_dead"),
        ({"n2": "lost-peer n1"}, "peer_lost"),
        ({"n2": "silent"}, "node_unknown"),
        ({"n3": "marker"}, "bootstrap_marker"),
    ],
)
def test_a_rolling_restart_begins_only_when_everything_is_whole(
    case: dict[str, Any], code: str
) -> None:
    assert refused("rolling_restart", case).code == code


def test_what_the_run_before_has_done_is_left_out_and_said() -> None:
    done = Memory(restarted={"host": ("n2",)})
    plan = PLANNERS["rolling_restart"](situation({}, done, service="host"))
    assert isinstance(plan, Plan)
    assert list(plan.nodes) == ["n3", "n1"]
    assert "n2" in str(plan.warnings[0])
    asked = PLANNERS["rolling_restart"](situation({}, done, service="host", nodes=["n2"]))
    assert isinstance(asked, Plan)
    assert asked.nodes == ("n2",)
    database = PLANNERS["rolling_restart"](situation({}, done))
    assert isinstance(database, Plan)
    assert len(database.nodes) == 3


def turn(case: dict[str, Any], place: int = 0, service: str = "host") -> Refusal | None:
    plan = planned("rolling_restart", service=service)
    guards = [step.guard for step in plan.steps if step.guard.name]
    return guard_refuses(guards[place], situation(case))


def test_a_turn_is_refused_at_the_first_doubt() -> None:
    assert turn({}) is None
    for case, code in (
        ({"volume": {"heal": [0, 125, 0]}}, "heal_backlog"),
        ({"n3": "silent"}, "node_unknown"),
        ({"n1": "donor"}, "galera_busy"),
        ({"n3": "unmounted"}, "mount_dead"),
    ):
        found = turn(case)
        assert found is not None
        assert found.code == code


def test_a_turn_that_is_run_again_finds_its_own_server_down() -> None:
    half = {"n2": "stopped", "n1": "size 2", "n3": "size 2", "volume": {"bricks": "up down up"}}
    assert turn(half) is None


# Stop and start


def test_a_cluster_is_stopped_one_by_one_the_primary_last() -> None:
    plan = planned("stop_cluster")
    assert [step.node for step in plan.steps] == ["n2", "n3", "n1"]
    assert [step.guard.args for step in plan.steps] == [("n2",), ("n3", "n2"), ("n1", "n2", "n3")]
    assert [(gate.kind, gate.subject) for gate in plan.gates] == [("typed", "Office")]


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ({"n3": "silent"}, "node_unknown"),
        ({"n3": "donor"}, "galera_busy"),
        ({"n3": "stopped", "n1": "size 2", "n2": "size 2"}, "member_missing"),
        ({"all": "non-primary"}, "galera_non_primary"),
        ({"all": "stopped"}, "no_cluster"),
        ({"n1": "marker"}, "bootstrap_marker"),
    ],
)
def test_a_cluster_that_is_not_in_step_is_not_stopped(case: dict[str, Any], code: str) -> None:
    assert refused("stop_cluster", case).code == code


def test_the_next_is_stopped_only_while_the_order_stands() -> None:
    second = planned("stop_cluster").steps[1].guard
    going = {"n2": "stopped", "n1": "size 2", "n3": "size 2"}
    assert guard_refuses(second, situation(going)) is None
    back = guard_refuses(second, situation({}))
    assert back is not None
    assert back.code == "order_broken"
    ill = guard_refuses(second, situation({**going, "n1": "joined"}))
    assert ill is not None
    assert ill.code == "galera_busy"


def start(where: Situation) -> Plan:
    plan = PLANNERS["start_cluster"](where)
    assert isinstance(plan, Plan), plan
    return plan


def begun(plan: Plan) -> list[str]:
    return [step.node for step in plan.steps if step.guard.name == "may_bootstrap"]


def joined(plan: Plan) -> list[str]:
    return [step.node for step in plan.steps if step.guard.name == "may_join"]


def test_the_last_stopped_begins_and_the_others_join_in_reverse() -> None:
    plan = start(stopped("n2 n3 n1"))
    assert (begun(plan), joined(plan)) == (["n1"], ["n3", "n2"])
    assert [gate.kind for gate in plan.gates] == ["typed"]
    sizes = [s.proof.args[1] for s in plan.steps if s.proof.name == "member_back"]
    assert sizes == ["1", "2", "3"]
    work = [step.node for step in plan.steps if step.proof.name == "given_back"]
    assert work == ["n2", "n3", "n1"]


def test_another_order_begins_from_its_last() -> None:
    plan = start(stopped("n1 n3 n2"))
    assert (begun(plan), joined(plan)) == (["n2"], ["n3", "n1"])


def test_the_panels_books_are_enough() -> None:
    assert begun(start(stopped("n2 n3 n1", notes=False, book="n2 n3 n1"))) == ["n1"]


def test_glusterd_comes_before_the_bricks_and_the_mounts_after() -> None:
    down = {"glusterd": "inactive", "mariadb": "inactive", "mariadb.socket": "inactive"}
    where = stopped("n2 n3 n1")
    nodes = tuple(replace(n, units=down) for n in where.facts.nodes)
    plan = start(replace(where, facts=replace(where.facts, nodes=nodes)))
    keys = [stage.key for stage in plan.stages]
    assert keys[:2] == ["glusterd", "bricks"]
    assert keys.index("mounts") > keys.index("database-1")
    assert keys[-2:] == ["work-1", "agree"]
    assert keys.index("whole") < keys.index("work-2")


def _changed(where: Situation, host: str, **changes: Any) -> Situation:
    nodes = tuple(replace(n, **changes) if n.host == host else n for n in where.facts.nodes)
    return replace(where, facts=replace(where.facts, nodes=nodes))


REFUSED: dict[str, tuple[Situation, str]] = {
    "nobody remembers": (stopped(notes=False), "order_unknown"),
    "the books and the servers differ": (stopped("n2 n3 n1", book="n3 n2 n1"), "order_contradicts"),
    "one note is missing": (stopped(n2={"extra": {}}), "order_unknown"),
    "one ran since": (stopped(n3={"grastate": Grastate(True, UUID, 30, False)}), "order_unproven"),
    "a power cycle since": (
        stopped(n1={"grastate": Grastate(True, UUID, None, True)}),
        "order_unproven",
    ),
    "no flag on the last": (
        stopped(n1={"grastate": Grastate(True, UUID, 23, False)}),
        "order_unproven",
    ),
    "a flag on another one": (
        stopped(n3={"grastate": Grastate(True, UUID, 22, True)}),
        "order_unproven",
    ),
    "a flag that is absent": (
        stopped(n3={"grastate": Grastate(True, UUID, 22, None)}),
        "order_unproven",
    ),
    "another is ahead": (
        stopped(notes=False, book="n2 n3 n1", n3={"grastate": Grastate(True, UUID, 99, False)}),
        "order_unproven",
    ),
    "another history": (
        stopped(
            notes=False, book="n2 n3 n1", n3={"grastate": Grastate(True, OTHER_UUID, 9, False)}
        ),
        "order_unproven",
    ),
    "no file": (stopped(n3={"grastate": Grastate(False)}), "order_unproven"),
    "an unreadable file": (
        stopped(n3={"grastate": Unknown(say("It was not understood."))}),
        "node_unknown",
    ),
    "a marker": (stopped(n3={"bootstrap_marker": "/run/x"}), "bootstrap_marker"),
    "somebody starts": (
        stopped(
            n3={
                "units": {"mariadb": "activating", "glusterd": "active"},
                "mysqld_running": True,
            }
        ),
        "somebody_runs",
    ),
    "somebody runs without a majority": (
        _changed(
            stopped(),
            "n3",
            galera=galera(cluster_status="non-Primary", local_state=0),
            mysqld_running=True,
        ),
        "galera_non_primary",
    ),
    "it runs": (situation(), "already_running"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_begun_without_a_proven_order(name: str) -> None:
    where, code = REFUSED[name]
    found = PLANNERS["start_cluster"](where)
    assert isinstance(found, Refusal), found
    assert found.code == code, str(found.why)
    if code.startswith("order"):
        assert found.evidence["instead"] == "recover_galera"


def test_with_a_member_alive_the_others_only_join() -> None:
    where = stopped("n2 n3 n1")
    alive = _changed(
        where,
        "n1",
        **{name: getattr(node("n1"), name) for name in ("units", "mysqld_running", "grastate")},
        galera=galera(cluster_size=1),
    )
    plan = start(alive)
    assert (begun(plan), joined(plan), plan.gates) == ([], ["n3", "n2"], ())


def test_nobody_is_begun_twice() -> None:
    guard = next(s.guard for s in start(stopped()).steps if s.guard.name == "may_bootstrap")
    assert guard_refuses(guard, stopped()) is None
    running = guard_refuses(guard, situation({"n2": "stopped", "n3": "stopped", "n1": "size 1"}))
    assert running is not None
    assert running.code == "somebody_runs"
    moved = guard_refuses(guard, stopped(n1={"grastate": Grastate(True, UUID, 99, True)}))
    assert moved is not None
    assert moved.code == "position_moved"


def test_a_note_of_another_run_proves_nothing() -> None:
    where = stopped()
    other = noted(where.facts.node("n2"), 1, 3, 21, run="other")
    found = PLANNERS["start_cluster"](_changed(where, "n2", extra=other.extra))
    assert isinstance(found, Refusal)
    assert found.code == "order_unknown"
