"""The scripts of a start against commands that answer as gluster does when its lock is held."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from operations.domain.power_scripts import START_BRICKS

GLUSTER = """#!/bin/sh
case "$*" in *'volume list'*) echo dpiui2; exit 0 ;; esac
count=$(($(cat {folder}/count 2>/dev/null || echo 0) + 1))
echo $count > {folder}/count
[ $count -gt {busy} ] || {{ echo "volume start: dpiui2: failed: {why}"; exit 1; }}
echo "volume start: dpiui2: success"
"""
BUSY = "Another transaction is in progress. Please try again after some time."


def bricks(folder: Path, busy: int, why: str) -> tuple[int, str, int]:
    """Exit code, output, and how often it was tried."""
    tools = {"gluster": GLUSTER.format(folder=folder, busy=busy, why=why)}
    tools |= dict.fromkeys(("sleep", "systemctl"), "#!/bin/sh\nexit 0\n")
    for name, text in tools.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    command = ["sh", "-c", START_BRICKS, "clusterpanel"]
    done = subprocess.run(
        command, env={"PATH": path}, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr, int((folder / "count").read_text())


def test_a_lock_that_is_held_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    code, said, tried = bricks(tmp_path, 3, BUSY)
    assert (code, tried) == (0, 4)
    assert "success" in said


@pytest.mark.parametrize(("why", "times"), [(BUSY, 20), ("Volume id mismatch", 1)])
def test_what_waiting_does_not_help_is_said(tmp_path: Path, why: str, times: int) -> None:
    code, said, tried = bricks(tmp_path, 99, why)
    assert (code, tried) == (1, times)
    assert why in said
    assert "dpiui2 did not start" in said
