"""Every library that the panel runs on is named with its version: the list of what is in it."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(\[[a-z,]+\])?==([^\s;#]+)", re.M)


def pinned(*names: str) -> dict[str, str]:
    text = "\n".join((ROOT / name).read_text() for name in names)
    return {canonicalize_name(name): version for name, _, version in _PIN.findall(text)}


def needed(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> set[str]:
    """Installed libraries that `name` pulls in, itself among them."""
    if (name, extras) in seen:
        return set()
    seen.add((name, extras))
    found = {name}
    for line in distribution(name).requires or ():
        wanted = Requirement(line)
        if wanted.marker and not any(
            wanted.marker.evaluate({"extra": extra}) for extra in extras or {""}
        ):
            continue
        found |= needed(canonicalize_name(wanted.name), frozenset(wanted.extras), seen)
    return found


def test_all_are_pinned_and_installed_in_that_version() -> None:
    text = (ROOT / "requirements.txt").read_text()
    known, direct = pinned("requirements.txt", "constraints.txt"), _PIN.findall(text)
    assert len(direct) == len(re.findall(r"^[A-Za-z]", text, re.M))  # none without a version
    seen: set[tuple[str, frozenset[str]]] = set()
    used = set[str]()
    for name, extras, _ in direct:
        asked = frozenset(extras.strip("[]").split(",")) - {""}
        used |= needed(canonicalize_name(name), asked, seen)
    other = {}
    for name in used:
        try:
            version = distribution(name).version
        except PackageNotFoundError:
            version = "not installed"
        if known.get(name) != version:
            other[name] = (known.get(name), version)
    assert other == {}
    assert len(used) > 30


def test_they_come_from_one_index() -> None:
    """No address of a stranger, no other index, no folder."""
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        lines = (ROOT / name).read_text().splitlines()
        told = [line for line in lines if line.strip() and not line.startswith("#")]
        odd = [line for line in told if not re.match(r"^([A-Za-z0-9]|-[rc] \S+\.txt$)", line)]
        assert odd == []
        assert not [line for line in told if "://" in line or " @ " in line]
