"""The manual says that one or two servers may be stopped "without consequences". What really happens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nodes.domain.consequences import consequences_of_stopping
from nodes.domain.observation import ClusterFacts, GlusterBrick
from nodes.domain.quorum import (
    galera_tolerates,
    gluster_tolerates,
    has_quorum,
    survives_crash,
)
from tests.fakes import situations
from tests.fakes.facts import SETTINGS, volume

WELL: dict[str, Any] = {}
# hosts, situation, (clean stop, crash, storage), what must be said
CASES = {
    "one of three": ("n3", WELL, (True, True, True), "goes on with n1, n2"),
    "two of three": ("n2 n3", WELL, (True, False, False), "ENOTCONN"),
    "two of three at once": ("n2 n3", WELL, (True, False, False), "1 of 3 is no majority"),
    "all": ("n1 n2 n3", WELL, (False, False, False), "no member is left"),
    "none": ("", WELL, (True, True, True), "The database is not affected."),
    "one of the two that are left": (
        "n2",
        {"n1": "size 2", "n2": "size 2", "n3": "stopped", "volume": {"bricks": "up up down"}},
        (True, False, False),
        "1 of 3 bricks",
    ),
    "the stopped one again": (
        "n3",
        {"n1": "size 2", "n2": "size 2", "n3": "stopped"},
        (True, True, True),
        "The database is not affected.",
    ),
    "the one with the newest copies": (
        "n2",
        {"volume": {"heal": [0, 7, 0]}},
        (True, True, True),
        "7 entries wait for healing from n2:/b",
    ),
    "a data brick beside the arbiter": (
        "n2",
        {"volume": {"arbiter": True}},
        (True, True, True),
        "One data brick and the arbiter are left",
    ),
    "nobody knows of the database": (
        "n3",
        {"all": "sql-unknown"},
        (None, None, True),
        "is not known",
    ),
    "nobody knows of the storage": (
        "n3",
        {"all": "glusterd-unknown"},
        (True, True, None),
        "How the storage stands is not known",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_stopping(name: str) -> None:
    hosts, case, expected, said = CASES[name]
    told = consequences_of_stopping(hosts.split(), SETTINGS, situations.facts(case))
    assert (told.graceful, told.crash, told.storage) == expected
    assert said in " ".join(map(str, told.sentences))


def renamed(facts: ClusterFacts, peers_known: bool) -> ClusterFacts:
    """The volume names its servers otherwise than the settings do."""
    made = tuple(replace(b, name=f"files-{b.name}") for b in volume().bricks)
    changes: dict[str, Any] = {"gluster_volumes": (volume(bricks=made),)}
    if not peers_known:
        changes["gluster_peers"] = ()
    return replace(facts, nodes=tuple(replace(n, **changes) for n in facts.nodes))


@pytest.mark.parametrize(("peers_known", "storage"), [(True, False), (False, None)])
def test_bricks_under_other_names_are_found_or_nothing_is_promised(
    peers_known: bool, storage: bool | None
) -> None:
    facts = renamed(situations.facts(WELL), peers_known)
    assert consequences_of_stopping(["n2", "n3"], SETTINGS, facts).storage is storage


def test_before_the_first_look_nothing_is_promised() -> None:
    told = consequences_of_stopping(["n1"], SETTINGS, None)
    assert (told.harmless, told.graceful, told.storage) == (False, None, None)


@pytest.mark.parametrize(
    ("size", "lost", "stays"), [(3, 1, True), (3, 2, False), (2, 1, False), (1, 0, True)]
)
def test_the_arithmetic_of_a_crash(size: int, lost: int, stays: bool) -> None:
    assert survives_crash(size, lost) is stays
    assert (galera_tolerates(size) >= lost) is stays


def bricks(words: str) -> tuple[GlusterBrick, ...]:
    return tuple(
        GlusterBrick(f"n{i}:/b", f"u{i}", word == "arbiter", True)
        for i, word in enumerate(words.split(), 1)
    )


@pytest.mark.parametrize(
    ("words", "up", "well"),
    [
        ("data data data", "1 2", True),
        ("data data data", "3", False),
        ("data data arbiter", "1 3", True),
        ("data data arbiter", "3", False),
        ("data data", "1", True),  # of two bricks the first decides
        ("data data", "2", False),
        ("data", "1", True),
    ],
)
def test_client_quorum(words: str, up: str, well: bool) -> None:
    assert has_quorum(bricks(words), [f"n{n}:/b" for n in up.split()]) is well


@pytest.mark.parametrize(
    ("words", "spare"),
    [("data data data", 1), ("data data arbiter", 1), ("data data", 0), ("data", 0)],
)
def test_servers_that_the_storage_can_lose(words: str, spare: int) -> None:
    made = bricks(words)
    assert gluster_tolerates([volume(bricks=made, replica=len(made))]) == spare
    assert gluster_tolerates([volume(bricks=made, replica=len(made), started=False)]) is None
