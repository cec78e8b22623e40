"""Where there is no /proc, `ps` tells the supervisor the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import pytest

from clusterpanel import procfs

pytestmark = pytest.mark.skipif(not shutil.which("ps"), reason="ps is not installed")
PARENT = "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"


@pytest.fixture(autouse=True)
def _no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procfs, "BY_PROC", False)


def test_a_process_is_named_by_its_number_and_its_start() -> None:
    first, again = procfs.read(os.getpid()), procfs.read(os.getpid())
    assert first is not None
    assert again is not None
    assert abs(first.started - again.started) <= 1  # Linux' ps counts back from now
    assert 0 <= time.time() - first.started < 24 * 3600


def test_a_process_that_ended_is_a_zombie_and_then_gone() -> None:
    child = subprocess.Popen(["true"])
    while (seen := procfs.read(child.pid)) and seen.state != procfs.ZOMBIE:
        time.sleep(0.01)
    assert seen is not None
    child.wait()
    assert procfs.read(child.pid) is None


def test_everything_that_a_child_started_is_found() -> None:
    child = subprocess.Popen([sys.executable, "-c", PARENT], start_new_session=True)
    try:
        deadline = time.monotonic() + 20
        while len(procfs.session(child.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(procfs.session(child.pid)) == 2
    finally:
        os.killpg(child.pid, 9)
        child.wait()
