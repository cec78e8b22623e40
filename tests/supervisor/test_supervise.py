"""The supervisor with real processes: what it starts again, and that it leaves none behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from clusterpanel import procfs
from clusterpanel.supervise import LOG_BYTES, Home

SERVICES = {"first", "parent", "stubborn"}
T = TypeVar("T")
Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a supervisor with its home in tmp_path, and ends whatever is left of it."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        argv = (sys.executable, "-m", "tests.supervisor.supervised", str(tmp_path))
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
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


def until(look: Callable[[], T | None], within_s: float = 10) -> T:
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


def recorded(home: Path) -> dict[str, int]:
    try:
        services = json.loads((home / "processes.json").read_text())["services"]
    except FileNotFoundError:
        return {}
    return {name: pid for name, (pid, _started) in services.items()}


def everything(home: Path) -> dict[str, list[int]] | None:
    """Processes of each service, once all are up and the parent has its child."""
    members = {name: [p.pid for p in procfs.session(pid)] for name, pid in recorded(home).items()}
    return members if set(members) == SERVICES and len(members["parent"]) == 2 else None


def alive(pids: list[int]) -> list[int]:
    return [p.pid for p in map(procfs.read, pids) if p and p.state != procfs.ZOMBIE]


def flat(members: dict[str, list[int]]) -> list[int]:
    return [pid for pids in members.values() for pid in pids]


def test_a_killed_service_is_back_within_a_second(start: Start, tmp_path: Path) -> None:
    start()
    before = until(lambda: everything(tmp_path))
    os.kill(recorded(tmp_path)["first"], signal.SIGKILL)
    again = until(lambda: set(recorded(tmp_path).values()) - set(flat(before)), within_s=1)
    assert alive(list(again))


def test_what_a_killed_service_had_started_ends_with_it(start: Start, tmp_path: Path) -> None:
    start()
    before = until(lambda: everything(tmp_path))["parent"]
    os.kill(recorded(tmp_path)["parent"], signal.SIGKILL)
    until(lambda: (now := everything(tmp_path)) and not set(now["parent"]) & set(before))
    assert alive(before) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_stops_everything_that_anyone_started(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    supervisor = start()
    members = until(lambda: everything(tmp_path))
    supervisor.send_signal(number)
    assert supervisor.wait(10) == 0
    assert alive(flat(members)) == []
    assert recorded(tmp_path) == {}


def test_a_second_one_in_the_same_home_is_refused_by_name(start: Start, tmp_path: Path) -> None:
    first = start()
    members = until(lambda: everything(tmp_path))
    second = start()
    assert second.communicate(timeout=10)[1] == f"already running: {first.pid}\n"
    assert sorted(alive(flat(members))) == sorted(flat(members))


def test_a_killed_supervisor_is_cleaned_up_after(start: Start, tmp_path: Path) -> None:
    first = start()
    members = until(lambda: everything(tmp_path))
    first.kill()
    first.wait()
    assert alive(flat(members)), "a killed supervisor cannot take its services with it"
    start()
    until(lambda: (now := everything(tmp_path)) and not set(flat(now)) & set(flat(members)))
    assert alive(flat(members)) == []


def test_a_child_that_outlived_its_killed_service_is_cleaned_up_too(
    start: Start, tmp_path: Path
) -> None:
    first = start()
    members = until(lambda: everything(tmp_path))
    first.kill()
    first.wait()
    leader = recorded(tmp_path)["parent"]
    os.kill(leader, signal.SIGKILL)
    assert alive([pid for pid in members["parent"] if pid != leader])
    start()
    until(lambda: (now := everything(tmp_path)) and not set(flat(now)) & set(flat(members)))
    assert alive(flat(members)) == []


def test_a_stranger_with_a_recorded_number_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(("sleep", "600"), start_new_session=True)
    seen = procfs.read(stranger.pid)
    assert seen
    other_time = procfs.Process(seen.pid, seen.state, seen.session, seen.started - 1)
    home = Home(tmp_path)
    home.write({"web": other_time})
    home.claim()
    home.release()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_log_is_bounded_while_its_writer_goes_on(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with home.log("web").open("ab", buffering=0) as writer:
        writer.write(b"x" * (LOG_BYTES + 1))
        home.bound_log("web")
        writer.write(b"still here\n")
    home.release()
    assert home.log("web").read_bytes() == b"still here\n"
    assert home.log("web").with_suffix(".log.1").stat().st_size == LOG_BYTES + 1
