"""`manage.py panel` as a newcomer meets it: real processes on a free port."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from clusterpanel import procfs
from clusterpanel.supervise import Home

ROOT = Path(__file__).resolve().parents[2]
Panel = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def panel(tmp_path: Path, port: int) -> Iterator[Panel]:
    """Starts panels with their home in tmp_path, and ends whatever is left of them."""
    started: list[subprocess.Popen[str]] = []

    def start(**more: str) -> subprocess.Popen[str]:
        env = {**os.environ, "PANEL_HOME": str(tmp_path), "PORT": str(port), **more}
        env.pop("REDIS_URL")
        argv = (sys.executable, "manage.py", "panel", "--workers", "1")
        process = subprocess.Popen(
            argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
    home = Home(tmp_path)
    home.claim()
    home.release()


def banner(panel: subprocess.Popen[str]) -> str:
    """What it prints up to its last line about being ready."""
    assert panel.stdout
    text = ""
    for line in panel.stdout:
        text += line
        if "Ctrl-C stops the panel" in line:
            return text
    pytest.fail(f"the panel did not become ready:\n{text}", pytrace=False)


def services(home: Path) -> dict[str, int]:
    found = json.loads((home / "processes.json").read_text())["services"]
    return {name: pid for name, (pid, _) in found.items()}


def test_a_first_start_serves_pages_and_makes_the_administrator(
    panel: Panel, tmp_path: Path, port: int
) -> None:
    running = panel()
    text = banner(running)
    assert f"Cluster Panel is ready: http://127.0.0.1:{port}\n" in text
    password = re.search(r"password: (\S{12,})\n", text)
    kept = tmp_path / "admin-password"
    assert password
    assert kept.read_text() == password[1] + "\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    left = [p.pid for pid in services(tmp_path).values() for p in procfs.session(pid)]
    running.send_signal(signal.SIGINT)
    assert running.wait(20) == 0
    assert [p for p in map(procfs.read, left) if p] == []


def test_it_listens_on_this_machine_alone_and_does_not_name_itself(panel: Panel, port: int) -> None:
    banner(panel())
    with urlopen(f"http://127.0.0.1:{port}/sign-in/") as answer:
        assert answer.status == 200
        assert "Server" not in answer.headers
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    if not tables[0].exists():
        pytest.skip("only Linux tells who listens where")
    told = "".join(path.read_text() for path in tables if path.exists())
    rows = [line.split() for line in told.splitlines()]
    listening = [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")]
    assert listening == [f"0100007F:{port:04X}"]


def test_a_killed_worker_is_back_within_a_second(panel: Panel, tmp_path: Path) -> None:
    banner(panel())
    before = services(tmp_path)["worker"]
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + 1
    while services(tmp_path).get("worker", before) == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_second_panel_is_refused_and_told_of_the_first(panel: Panel, tmp_path: Path) -> None:
    first = panel()
    banner(first)
    second, _ = panel().communicate(timeout=30)
    assert f"is already running (process {first.pid})" in second


def test_a_taken_port_is_named_with_a_way_out(panel: Panel, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        text, _ = panel().communicate(timeout=30)
    assert f"Port {port} is in use by another program. Choose another: make run PORT=" in text


def test_it_starts_again_after_it_was_killed(panel: Panel, tmp_path: Path) -> None:
    first = panel()
    banner(first)
    left = services(tmp_path)
    first.kill()
    first.wait()
    banner(panel())
    assert set(services(tmp_path).values()).isdisjoint(left.values())
    assert [p for p in map(procfs.read, left.values()) if p and p.state != procfs.ZOMBIE] == []
