"""Golden cases of `decide`: an evidence, and what must be done about it, or why not.

The cases are data, tests/fixtures/recovery/*.toml; their words are in tests/fakes/evidence.py.
"""

from __future__ import annotations

import json
import sys
import tomllib
from importlib import reload
from pathlib import Path
from typing import Any

import pytest

from operations.domain import recovery, recovery_doubts, recovery_losses, recovery_remarks
from operations.domain.recovery_choice import Choice, Doubt
from tests.fakes.evidence import evidence

FOLDER = Path(__file__).parent.parent / "fixtures" / "recovery"
CASES: dict[str, dict[str, Any]] = {
    case["name"]: case
    for path in sorted(FOLDER.glob("*.toml"))
    for case in tomllib.loads(path.read_text())["case"]
}


def answer(case: dict[str, Any]) -> Choice | Doubt:
    return recovery.decide(evidence(case), case.get("accepted", ()))


def told(answer: Choice | Doubt) -> str:
    if isinstance(answer, Doubt):
        return f"no: {answer.code}"
    return f"{answer.kind} {answer.host}".strip()


@pytest.mark.parametrize("name", CASES)
def test_what_is_done_about(name: str) -> None:
    case = CASES[name]
    found = answer(case)
    assert told(found) == case["must"], found
    if isinstance(found, Doubt):
        assert case.get("says", "") in str(found.why)
        assert case.get("fix", "") in str(found.fix)
        assert [each.token for each in found.accept] == case.get(
            "accept", [each.token for each in found.accept]
        )
        return
    assert case.get("says", "") in str(found.rule)
    assert list(found.starts) == case.get("starts", list(found.starts))
    assert case.get("warns", "") in " ".join(map(str, found.warnings))
    fates = {fate.host: str(fate.what) for fate in found.fates}
    for host, words in case.get("fates", {}).items():
        assert words in fates[host]


def test_what_was_needed_of_the_accepted_is_told_with_the_choice() -> None:
    case = CASES["one node unreachable, accepted with everything it names"]
    found = recovery.decide(evidence(case), [*case["accepted"], "ahead:n9:x:1"])
    assert isinstance(found, Choice)
    assert [each.token for each in found.accepted] == case["accepted"]
    assert "9 transactions that n2 had" in str(found.accepted[1].loss)


def test_every_row_of_the_table_of_known_accidents_has_a_case() -> None:
    told = " ".join(case["of"] for case in CASES.values()) + ","
    missing = [
        n for n in range(1, 15) if f"C1.{n}," not in told.replace(" ", ",").replace(";", ",")
    ]
    assert missing == []


def test_the_cases_take_every_branch(tmp_path: Path) -> None:
    """Measured: every line and every branch of the four modules that decide."""
    coverage = pytest.importorskip("coverage")
    if sys.gettrace() is not None:
        pytest.skip("somebody else traces this process already")
    modules = (recovery_doubts, recovery_losses, recovery_remarks, recovery)
    files = [str(module.__file__) for module in modules]
    measured = coverage.Coverage(data_file=None, branch=True, include=files, config_file=False)
    measured.start()
    try:
        for module in modules:
            reload(module)  # what a module does when it is loaded is measured as well
        for case in CASES.values():
            answer(case)
    finally:
        measured.stop()
    measured.json_report(outfile=str(tmp_path / "measured.json"))
    found = json.loads((tmp_path / "measured.json").read_text())["files"].values()
    assert len(found) == len(modules)
    missed = [(file["missing_lines"], file["missing_branches"]) for file in found]
    assert missed == [([], [])] * len(modules)
