"""Golden cases: a situation, and the state, sentence, reserve and next action it must have.

The cases are data, `tests/fixtures/verdicts/*.toml`; their words are in tests/fakes/situations.py.
"""

from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from nodes.domain.assess import assess
from nodes.domain.verdict import STATES, Action, Verdict
from tests.fakes import recorded, situations
from tests.fakes.facts import NOW, SETTINGS

FOLDER = Path(__file__).parent.parent / "fixtures" / "verdicts"
CASES: dict[str, dict[str, Any]] = {
    case["name"]: case
    for path in sorted(FOLDER.glob("*.toml"))
    for case in tomllib.loads(path.read_text())["case"]
}
NOTHING = -1  # TOML has no null: a reserve that is not known


def verdict_of(case: dict[str, Any]) -> Verdict:
    if "recorded" in case:
        return assess(recorded.SETTINGS, recorded.sweep(case["recorded"]), time.time())
    return assess(SETTINGS, situations.facts(case), NOW + case.get("later", 0))


def told(action: Action | None) -> str:
    """`procedure start_node n3`, `command n3`, `look n3`, `wait`; "" for none; "not now: …"."""
    if action is None:
        return ""
    words = [action.kind, action.procedure, action.node]
    return ("" if action.allowed else "not now: ") + " ".join(word for word in words if word)


def _plain(finding: str) -> str:
    """Without the digest of a difference, which says nothing to a reader."""
    return finding.rpartition(":")[0] if finding.startswith("settings:") else finding


def number(spare: int | None) -> int:
    return NOTHING if spare is None else spare


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_of(name: str) -> None:
    case = CASES[name]
    verdict = verdict_of(case)
    found = {
        "state": verdict.state,
        "spare": [number(verdict.galera_tolerates), number(verdict.gluster_tolerates)],
        "next": told(verdict.action),
        "findings": [_plain(finding.id) for finding in verdict.findings],
    }
    wanted = {key: case[key] for key in ("state", "spare", "next")}
    wanted["findings"] = case.get("findings", found["findings"])
    assert found == wanted, str(verdict.sentence)
    assert case["sentence"] in str(verdict.sentence)
    if "command" in case:
        assert verdict.action
        assert verdict.action.command == case["command"]


def test_there_are_enough_cases_and_every_state_has_one() -> None:
    assert len(CASES) >= 40
    assert {case["state"] for case in CASES.values()} == set(STATES)
    assert {case["recorded"] for case in CASES.values() if "recorded" in case} == set(
        recorded.STATES
    )
