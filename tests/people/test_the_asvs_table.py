"""docs/asvs.md has each requirement once, and what it says of tests and documents is there."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "asvs.md"
STANDARD = ROOT / "tests" / "fixtures" / "asvs-4.0.3.txt"
_ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \|$", re.M)
_TEST = re.compile(r"`([a-z0-9_/]+\.py)(?:::(\w+))?`")
_LINK = re.compile(r"\]\(([^)#]*)(?:#([^)]*))?\)")
# How a line begins that a test alone does not answer, and what that makes it.
REASONS = {
    "Not applicable: ": "do not apply",
    "By construction: ": "hold by construction",
    "Documented: ": "are documented",
    "**In part**: ": "are met in part",
    "**Not met**: ": "are not met",
}
GAPS = ("are met in part", "are not met")


def rows() -> list[tuple[str, str, str]]:
    return _ROW.findall(TABLE.read_text())


def wanted() -> list[str]:
    lines = [line for line in STANDARD.read_text().splitlines() if not line.startswith("#")]
    return [line.split()[0] for line in lines]


def kind_of(words: str) -> str:
    found = [kind for start, kind in REASONS.items() if words.startswith(start)]
    return found[0] if found else "are shown by tests"


@cache
def functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


@cache
def anchors(path: Path) -> frozenset[str]:
    """Headings, as a link names them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
    return frozenset(re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles)


def test_each_requirement_is_there_once_and_in_order() -> None:
    assert len(wanted()) == 259
    assert [number for number, _, _ in rows()] == wanted()


@pytest.mark.parametrize("words", [pytest.param(row[2], id=row[0]) for row in rows()])
def test_a_line_has_a_test_that_exists_or_a_reason(words: str) -> None:
    tests, links = _TEST.findall(words), _LINK.findall(words)
    for name, function in tests:
        path = ROOT / "tests" / name
        assert path.is_file(), name
        assert not function or function in functions(path), f"{name}::{function}"
    for name, anchor in links:
        path = ROOT / "docs" / name if name else TABLE
        assert path.is_file(), name
        assert not anchor or anchor in anchors(path), f"{name}#{anchor}"
    kind = kind_of(words)
    if kind == "are shown by tests":
        assert tests
    elif kind == "are documented":
        assert links
    else:
        assert len(words.split(": ", 1)[1]) > 10  # a reason and not a word


def test_the_counts_are_true() -> None:
    found = Counter(kind_of(words) for _, _, words in rows())
    text = " ".join(TABLE.read_text().split())
    for kind in ("are shown by tests", *REASONS.values()):
        told = re.search(rf"(\d+) {kind}", text)
        assert told, kind
        assert int(told[1]) == found[kind], kind


def test_the_page_on_security_names_every_gap() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    told = text.split("## Known gaps")[1].split("\n## ")[0]
    named = re.findall(r"\b\d+\.\d+\.\d+\b", told)
    gaps = [number for number, _, words in rows() if kind_of(words) in GAPS]
    assert sorted(named) == sorted(gaps)
