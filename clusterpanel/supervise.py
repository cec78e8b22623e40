"""Keeps a few processes running, and leaves none behind (docs/adr/0001-supervisor.md).

Each service leads its own session, so "everything it started" is a question that the system can
answer. What runs is on record before it matters: a supervisor that was itself killed is
cleaned up after by the next one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from clusterpanel import procfs

TICK_S = 0.1
STABLE_S = 10.0  # a service that lived this long is started again at once
FIRST_PAUSE_S, LAST_PAUSE_S = 0.2, 10.0
KILL_WITHIN_S = 5.0
LOG_BYTES = 5_000_000


class AlreadyRunning(Exception):
    """Another supervisor is alive in this home."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"already running as process {pid}")
        self.pid = pid


@dataclass(frozen=True)
class Service:
    """A process to keep running. Those with a higher stage start later and stop earlier."""

    name: str
    argv: Sequence[str]
    stage: int = 1
    grace_s: float = 5.0


@dataclass
class _Child:
    service: Service
    process: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    pause: float = FIRST_PAUSE_S
    due: float = 0.0


def end_session(sid: int, ours: Callable[[procfs.Process], bool] = lambda _: True) -> None:
    """Kill until nothing is left: a process may fork while its session is being read."""
    deadline = time.monotonic() + KILL_WITHIN_S
    while members := [p for p in procfs.session(sid) if ours(p)]:
        for member in members:
            procfs.send(member.pid, signal.SIGKILL)
        if time.monotonic() > deadline:  # stuck in the kernel: it dies when it wakes
            return
        time.sleep(0.01)


class Home:
    """The folder of one supervisor: its lock, the record of what it started, its logs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.record = path / "processes.json"
        self.logs = path / "log"
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = (path / "panel.lock").open("a+")

    def claim(self) -> None:
        """Take the lock (the kernel drops it when we die) and end what a killed owner left."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            raise AlreadyRunning(int(self._lock.read() or 0)) from None
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        self._end_leftovers()

    def release(self) -> None:
        self._lock.close()

    def write(self, running: Mapping[str, procfs.Process]) -> None:
        """Record every service with its pid and start time, all or nothing."""
        services = {name: [p.pid, p.started] for name, p in running.items()}
        draft = self.record.with_suffix(".new")
        draft.write_text(json.dumps({"boot": procfs.boot(), "services": services}))
        draft.replace(self.record)

    def _end_leftovers(self) -> None:
        try:
            recorded = json.loads(self.record.read_text())
        except (FileNotFoundError, ValueError):
            return
        if recorded["boot"] == procfs.boot():
            for pid, started in recorded["services"].values():
                end_session(pid, partial(self._is_ours, leader=pid, started=started))
        self.record.unlink()

    def _is_ours(self, member: procfs.Process, leader: int, started: int) -> bool:
        """The leader by pid and start time; one that outlived it by the home it was given."""
        if member.pid == leader:
            return member.started == started
        return procfs.has_environment(member.pid, "PANEL_HOME", str(self.path))

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def bound_log(self, name: str) -> None:
        """Keep one older log. Copied and cut, because the writer holds the file open."""
        log = self.log(name)
        if log.exists() and log.stat().st_size > LOG_BYTES:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)


class Supervisor:
    """Starts services, restarts what dies, and stops everything that any of them started."""

    def __init__(
        self,
        home: Home,
        services: Sequence[Service],
        env: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        self._home = home
        self._say = say
        self._env = {**os.environ, **env, "PANEL_HOME": str(home.path)}
        self._children = [_Child(s) for s in sorted(services, key=lambda s: s.stage)]
        self._stop_requests = 0

    def run(self, watch: Callable[[], None]) -> None:
        """Run until asked to stop; `watch` is called at every turn."""
        self._handle_signals()
        try:
            while not self._stop_requests:
                self.tick(time.monotonic())
                watch()
                time.sleep(TICK_S)
        finally:
            self.stop()

    def tick(self, now: float) -> None:
        """Start what is due, notice what died, keep logs bounded."""
        for child in self._children:
            if child.process is None:
                if now >= child.due:
                    self._start(child, now)
            elif not _alive(child.process):
                self._bury(child, child.process, now)
            self._home.bound_log(child.service.name)

    def down(self) -> list[str]:
        """Names of the services that do not run right now."""
        return [c.service.name for c in self._children if not (c.process and _alive(c.process))]

    def stop(self) -> None:
        """Stop stage by stage, the last started first."""
        for stage in sorted({c.service.stage for c in self._children}, reverse=True):
            self._stop_all(
                [
                    (c.process, c.service.grace_s)
                    for c in self._children
                    if c.process and c.service.stage == stage
                ]
            )
        self._home.record.unlink(missing_ok=True)

    def _handle_signals(self) -> None:
        signal.signal(signal.SIGINT, self._request_stop)
        signal.signal(signal.SIGTERM, self._request_stop)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # ignored under nohup
            signal.signal(signal.SIGHUP, self._request_stop)

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_requests += 1

    def _start(self, child: _Child, now: float) -> None:
        with self._home.log(child.service.name).open("ab") as log:
            child.process = subprocess.Popen(
                child.service.argv,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child.since = now
        self._write_record()

    def _bury(self, child: _Child, process: subprocess.Popen[bytes], now: float) -> None:
        """Say so, end what the dead process left running, plan the next start."""
        name = child.service.name
        self._say(f"{name} ended and is started again; why may be in {self._home.log(name)}")
        _end(process)
        child.process = None
        if now - child.since >= STABLE_S:
            child.pause = FIRST_PAUSE_S
        child.due = now + child.pause
        child.pause = min(child.pause * 2, LAST_PAUSE_S)
        self._write_record()

    def _stop_all(self, running: list[tuple[subprocess.Popen[bytes], float]]) -> None:
        """Ask all of them, and end each one that is still there when its time is over."""
        for process, _ in running:
            procfs.send(process.pid, signal.SIGTERM)
        asked = time.monotonic()
        hurry = self._stop_requests + 1  # a second Ctrl-C means now
        while running:
            time.sleep(TICK_S)
            waited = float("inf") if self._stop_requests >= hurry else time.monotonic() - asked
            for process, grace_s in running:
                if waited > grace_s or not _alive(process):
                    _end(process)
            running = [(p, grace_s) for p, grace_s in running if p.returncode is None]

    def _write_record(self) -> None:
        seen = {c.service.name: procfs.read(c.process.pid) for c in self._children if c.process}
        self._home.write({name: process for name, process in seen.items() if process})


def _alive(process: subprocess.Popen[bytes]) -> bool:
    """Without reaping it: a zombie keeps its number from being given to a stranger."""
    seen = procfs.read(process.pid)
    return seen is not None and seen.state != procfs.ZOMBIE


def _end(process: subprocess.Popen[bytes]) -> None:
    end_session(process.pid)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(TICK_S)
