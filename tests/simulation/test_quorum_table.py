"""The table of quorum arithmetic for three nodes of weight one, row by row."""

from __future__ import annotations

import pytest

from nodes.simulation.events import (
    Event,
    ForcePrimary,
    KillDatabase,
    Partition,
    Pass,
    PowerCut,
    Rejoin,
    StartUnit,
    StopUnit,
)
from nodes.simulation.quorum import client_serves, stays_primary
from nodes.simulation.world import REAL, Stage
from tests.simulation.clusters import HOSTS, MARIADB, A, B, C, after, component, galera

ROWS: list[tuple[str, list[Event], dict[str, str]]] = [
    ("one stops gracefully", [StopUnit(C, MARIADB)], {A: "Primary 2", B: "Primary 2", C: "down"}),
    (
        "a second one stops gracefully",
        [StopUnit(C, MARIADB), StopUnit(B, MARIADB)],
        {A: "Primary 1", B: "down", C: "down"},
    ),
    ("one crashes", [KillDatabase(C)], {A: "Primary 2", B: "Primary 2", C: "down"}),
    (
        "one crashes, later another",
        [KillDatabase(C), Pass(60), KillDatabase(B)],
        {A: "non-Primary 1", B: "down", C: "down"},
    ),
    (
        "one stops gracefully, later another crashes",
        [StopUnit(C, MARIADB), Pass(60), KillDatabase(B)],
        {A: "non-Primary 1", B: "down", C: "down"},
    ),
    (
        "the network splits two from one",
        [Partition(C)],
        {A: "Primary 2", B: "Primary 2", C: "non-Primary 1"},
    ),
    (
        "the network heals",
        [Partition(C), Pass(60), Rejoin(C)],
        {A: "Primary 3", B: "Primary 3", C: "Primary 3"},
    ),
]


@pytest.mark.parametrize(("events", "expected"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_each_row_of_the_table_holds(events: list[Event], expected: dict[str, str]) -> None:
    world = after(galera(), *events, Pass(60))

    assert {host: component(world.nodes[host]) for host in HOSTS} == expected


def test_two_that_crash_together_take_the_third_with_them() -> None:
    """With a real pace nobody notices the first before the second is gone too."""
    before = galera(pace=REAL)
    world = after(before, Pass(60), KillDatabase(B), KillDatabase(C))
    assert component(world.nodes[A]) == "Primary 3"

    assert component(after(world, Pass(6)).nodes[A]) == "non-Primary 1"


def test_a_goodbye_beside_an_unnoticed_crash_leaves_no_majority() -> None:
    world = after(galera(pace=REAL), Pass(60), KillDatabase(B), StopUnit(C, MARIADB), Pass(6))

    assert component(world.nodes[A]) == "non-Primary 1"


def test_of_two_nodes_the_survivor_of_a_crash_is_not_primary() -> None:
    assert component(after(galera((A, B)), KillDatabase(B)).nodes[A]) == "non-Primary 1"


def test_primary_forms_again_only_when_the_last_of_the_crashed_is_back() -> None:
    world = after(galera(), PowerCut(A), KillDatabase(B), KillDatabase(C), StartUnit(B, MARIADB))
    assert component(world.nodes[B]) == "non-Primary 1"

    world = after(world, StartUnit(C, MARIADB))
    assert [component(world.nodes[host]) for host in (B, C)] == ["Primary 2", "Primary 2"]


def test_a_forced_component_takes_the_others_in() -> None:
    world = after(galera(), KillDatabase(B), KillDatabase(C), ForcePrimary(A))
    assert component(world.nodes[A]) == "Primary 1"

    world = after(world, StartUnit(B, MARIADB), StartUnit(C, MARIADB))
    stages = [server.stage for host in HOSTS if (server := world.nodes[host].server)]
    assert stages == [Stage.SYNCED] * 3


@pytest.mark.parametrize(
    ("before", "left", "now", "goes_on"),
    [
        (3, 1, 2, True),
        (2, 1, 1, True),
        (3, 0, 2, True),
        (3, 0, 1, False),
        (2, 0, 1, False),
        (3, 1, 1, False),
        (4, 0, 2, False),
        (5, 0, 3, True),
        (5, 2, 2, True),
        (3, 3, 0, False),
    ],
)
def test_half_is_not_enough(before: int, left: int, now: int, goes_on: bool) -> None:
    assert stays_primary(before, left, now) is goes_on


@pytest.mark.parametrize(
    ("bricks", "connected", "first", "serves"),
    [
        (3, 3, True, True),
        (3, 2, False, True),
        (3, 1, True, False),
        (2, 1, True, True),
        (2, 1, False, False),
        (3, 0, False, False),
    ],
)
def test_a_client_needs_two_of_three_bricks(
    bricks: int, connected: int, first: bool, serves: bool
) -> None:
    assert client_serves(bricks, connected, first=first) is serves
