"""The judge of `make chaos` sees every lie it is there to see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos.truth import NOTHING_SHA256, InBooks, OnNode, complaints

LOG = "a" * 64
WELL = OnNode(started=1, folders=1, rc=0, log=LOG, effect=True, processes=0)
NEVER = OnNode(started=0, folders=0, rc=None, log=None, effect=False, processes=0)
PROVEN = InBooks("one", "succeeded", 1, 0, LOG, records=True, recorded=1)
PENDING = InBooks("two", "pending", 0, None, NOTHING_SHA256, records=True, recorded=0)
FAILED = replace(PROVEN, state="failed", exit_code=3, recorded=0)
STOPPED = replace(PROVEN, state="cancelled", exit_code=None, recorded=0)


def kinds(state: str, *pairs: tuple[InBooks, OnNode]) -> set[str]:
    steps, nodes = [step for step, _ in pairs], [node for _, node in pairs]
    return {kind for kind, _ in complaints(state, steps, nodes)}


@pytest.mark.parametrize(
    ("state", "pairs"),
    [
        ("succeeded", [(PROVEN, WELL), (PROVEN, WELL)]),
        ("failed", [(FAILED, replace(WELL, rc=3)), (PENDING, NEVER)]),
        ("failed", [(replace(FAILED, exit_code=0), replace(WELL, effect=False))]),
        ("cancelled", [(PROVEN, WELL), (STOPPED, replace(WELL, rc=None))]),
        ("cancelled", [(STOPPED, replace(WELL, rc=143))]),
        ("cancelled", [(replace(STOPPED, attempt=1, log=NOTHING_SHA256), NEVER)]),
        ("cancelled", [(replace(PROVEN, state="unknown", recorded=0), WELL), (PENDING, NEVER)]),
    ],
)
def test_a_true_story_is_believed(state: str, pairs: list[tuple[InBooks, OnNode]]) -> None:
    assert kinds(state, *pairs) == set()


@pytest.mark.parametrize(
    ("kind", "state", "pairs"),
    [
        ("truth", "running", [(PROVEN, WELL)]),
        ("truth", "failed", [(PROVEN, WELL)]),
        ("truth", "succeeded", [(PROVEN, replace(WELL, rc=3))]),
        ("truth", "succeeded", [(PROVEN, replace(WELL, effect=False))]),
        ("truth", "succeeded", [(PROVEN, replace(WELL, rc=None))]),
        ("truth", "failed", [(replace(FAILED, exit_code=1), replace(WELL, rc=3))]),
        ("truth", "failed", [(FAILED, replace(WELL, rc=3)), (PENDING, NEVER), (PROVEN, WELL)]),
        ("truth", "succeeded", [(replace(PROVEN, recorded=2), WELL)]),
        ("truth", "cancelled", [(STOPPED, WELL)]),
        ("truth", "cancelled", [(FAILED, replace(WELL, rc=3))]),
        ("once", "succeeded", [(PROVEN, replace(WELL, started=2))]),
        ("once", "succeeded", [(PROVEN, replace(WELL, started=0))]),
        ("once", "succeeded", [(PROVEN, replace(WELL, folders=2))]),
        ("once", "succeeded", [(replace(PROVEN, attempt=2), WELL)]),
        ("once", "failed", [(FAILED, replace(WELL, rc=3)), (PENDING, replace(WELL, started=1))]),
        ("log", "succeeded", [(PROVEN, replace(WELL, log="b" * 64))]),
        ("log", "succeeded", [(PROVEN, replace(WELL, log=None))]),
        ("left", "cancelled", [(STOPPED, replace(WELL, rc=None, processes=1))]),
    ],
)
def test_a_lie_is_seen(kind: str, state: str, pairs: list[tuple[InBooks, OnNode]]) -> None:
    assert kind in kinds(state, *pairs)
