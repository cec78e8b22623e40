"""What /proc says about processes, with enough to never mistake one for another."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

ZOMBIE = "Z"


@dataclass(frozen=True)
class Process:
    """One process. Numbers are used again by the kernel, so only pid and start together name it."""

    pid: int
    state: str
    session: int
    started: int  # clock ticks after boot


def read(pid: int) -> Process | None:
    """The process, or None when there is none with this number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(")") + 2 :].split()  # the name before may hold spaces and brackets
    return Process(pid, fields[0], int(fields[3]), int(fields[19]))


def session(sid: int) -> list[Process]:
    """Living processes of one session: a child that leads it, and everything below."""
    everything = (read(int(p.name)) for p in Path("/proc").iterdir() if p.name.isdigit())
    return [p for p in everything if p and p.session == sid and p.state != ZOMBIE]


def has_environment(pid: int, name: str, value: str) -> bool:
    """Whether the process was started with this variable."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return f"{name}={value}".encode() in environment.split(b"\0")


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
