"""What the system says about processes, with enough to never mistake one for another.

Linux says it in /proc. Elsewhere, where the panel runs for a first look, `ps` says it: there a
process' group stands for its session, since nothing that the panel starts makes a group of its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

ZOMBIE = "Z"
BY_PROC = Path("/proc/self/stat").exists()
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Process:
    """One process. Numbers are used again by the kernel, so only pid and start together name it."""

    pid: int
    state: str
    session: int
    started: int  # clock ticks after boot; without /proc, seconds since 1970


def read(pid: int) -> Process | None:
    """The process, or None when there is none with this number."""
    if not BY_PROC:
        return _listed("-p", str(pid)).get(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(")") + 2 :].split()  # the name before may hold spaces and brackets
    return Process(pid, fields[0], int(fields[3]), int(fields[19]))


def session(sid: int) -> list[Process]:
    """Living processes of one session: a child that leads it, and everything below."""
    return [p for p in _everything() if p and p.session == sid and p.state != ZOMBIE]


def _everything() -> list[Process | None]:
    if not BY_PROC:
        return list(_listed("-A").values())
    return [read(int(place.name)) for place in Path("/proc").iterdir() if place.name.isdigit()]


def _listed(*which: str) -> dict[int, Process]:
    columns = ("-o", "pid=", "-o", "pgid=", "-o", "stat=", "-o", "lstart=")
    told = subprocess.run(
        ["ps", *which, *columns],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = {}
    for line in told.stdout.splitlines():
        pid, group, state, *started = line.split()
        moment = time.mktime(time.strptime(" ".join(started)))
        found[int(pid)] = Process(int(pid), state[0], int(group), int(moment))
    return found


def boot() -> str:
    """Names the time since the machine started; empty where a start time already says it."""
    return _BOOT_ID.read_text() if BY_PROC else ""


def has_environment(pid: int, name: str, value: str) -> bool:
    """Whether the process was started with this variable."""
    if not BY_PROC:
        command = ["ps", "-E", "-ww", "-o", "command=", "-p", str(pid)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        return f"{name}={value}" in told.stdout.split()
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return f"{name}={value}".encode() in environment.split(b"\0")


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
