"""Three lab servers for a test session, with a name of their own, taken down at the end."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).resolve().parent.parent / "lab" / "lab"


def lab_tool(name: str, *argv: str, may_fail: bool = False) -> str:
    """Standard output of one call of the lab's own command line."""
    command = [str(TOOL), "--name", name, *argv]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert may_fail or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def lab_status(name: str) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(lab_tool(name, "status", "--json"))
    return status


@pytest.fixture(scope="session")
def lab() -> Iterator[dict[str, Any]]:
    """The lab as the tests before left it; skips by name where no lab can run."""
    check = subprocess.run([str(TOOL), "check"], capture_output=True, text=True, check=False)
    if check.returncode:
        pytest.skip(f"no lab on this machine: {(check.stdout + check.stderr).strip()}")
    name = f"s{os.getpid()}"
    try:
        lab_tool(name, "up", "--nodes", "3")
        yield lab_status(name)
    finally:
        lab_tool(name, "down")


@pytest.fixture(scope="module")
def pristine_lab(lab: dict[str, Any]) -> dict[str, Any]:
    """Three servers as new, for the tests of one module."""
    lab_tool(lab["name"], "reset")
    return lab_status(lab["name"])
