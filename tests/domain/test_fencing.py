"""Pending fences: what must be read before one is closed, and what may not be started meanwhile."""

from __future__ import annotations

import pytest

from nodes.domain.peers import PRIMARY_KEY
from operations.domain.fencing import Order, in_the_way
from operations.domain.plan import Plan
from operations.domain.planners import apply_settings
from operations.domain.situation import Workers
from tests.builders import HOSTS, situation, well
from tests.domain.test_planner_change_primary import names, wanted

A, B, C = HOSTS
BACKEND = "/app/backend"
WORKERS = Workers("stop", "start", "check")


def proofs(order: Order) -> list[tuple[str, ...]]:
    return [(proof.name, *proof.args) for proof in order.proofs]


def test_the_file_is_read_and_nothing_else_when_nothing_else_is_configured() -> None:
    line = f"{PRIMARY_KEY}={B}"
    assert proofs(Order(A, BACKEND, B, Workers())) == [("env_equals", A, f"{BACKEND}/.env", line)]


def test_commands_of_the_cluster_are_proven_too() -> None:
    found = proofs(Order(A, BACKEND, B, WORKERS, "php artisan config:cache"))
    assert [name for name, *_ in found] == ["env_equals", "settings_in_effect", "workers_stopped"]


def test_the_workers_of_the_primary_itself_may_run() -> None:
    found = proofs(Order(B, BACKEND, B, WORKERS))
    assert [name for name, *_ in found] == ["env_equals"]


@pytest.mark.parametrize("procedure", ["backup_database", "install_galera", "apply_settings"])
@pytest.mark.parametrize(
    ("nodes", "answering", "refused"),
    [((A,), (), True), ((B,), (), False), ((B,), (A, B), True), ((A, B), (A, B), True)],
)
def test_nothing_relies_on_a_fenced_server(
    procedure: str, nodes: tuple[str, ...], answering: tuple[str, ...], refused: bool
) -> None:
    found = in_the_way(procedure, nodes, (A,), answering)
    assert (found is not None) == refused
    if found:
        assert (found.code, found.evidence["node"]) == ("fence_open", A)
    assert in_the_way(procedure, nodes, (), answering) is None


def test_the_change_of_the_primary_itself_goes_on() -> None:
    assert in_the_way("change_primary", HOSTS, (A,), HOSTS) is None


def test_writing_the_settings_keeps_to_the_order_too() -> None:
    """Law 11: a server that takes itself for the primary is written before the wanted one."""
    nodes = [names(A, C), names(B, B), names(C, C)]
    plan = apply_settings.plan(situation(*nodes, settings=wanted(A)))
    assert isinstance(plan, Plan)
    assert [step.node for step in plan.stages[0].steps] == [B, C, A]


def test_writing_the_settings_is_in_list_order_otherwise() -> None:
    plan = apply_settings.plan(
        situation(names(A, None), names(B, None), well(C), settings=wanted(A))
    )
    assert isinstance(plan, Plan)
    assert [step.node for step in plan.stages[0].steps] == [A, B]
