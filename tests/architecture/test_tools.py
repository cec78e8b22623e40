"""Format, lint, types, import rules, migrations: each check is one test (`make check`)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent
CHECKS = {
    "format": ("ruff", "format", "--check", "--quiet", "--diff", "."),
    "lint": ("ruff", "check", "--quiet", "."),
    "types": ("mypy",),
    "imports": ("lint-imports",),
    "migrations": ("python", "manage.py", "makemigrations", "--check", "--dry-run"),
    # Findings that were looked at and are none stand in the baseline; docs/security.md says why.
    "habits": (
        *("bandit", "-q", "-ll", "-r", "clusterpanel", "nodes", "operations"),
        *("-b", "tests/architecture/bandit.json"),
    ),
    "settings": ("python", "manage.py", "check", "--fail-level", "WARNING"),
}


@pytest.mark.parametrize("name", CHECKS)
def test_it_passes(name: str) -> None:
    tool, *arguments = CHECKS[name]
    ran = subprocess.run(
        (TOOLS / tool, *arguments),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        pytest.fail(f"{tool} {' '.join(arguments)}\n{ran.stdout}{ran.stderr}", pytrace=False)
