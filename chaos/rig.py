"""A panel, or two machines of one panel, whose parts can be killed; and the broker between the two."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clusterpanel import procfs
from clusterpanel.broker import private_broker
from tests.e2e.panel import Panel, wait_for

HERE = Path(__file__).resolve().parent
WORKERS = 4  # in all, on however many machines
WHOLE_WITHIN_S = 60
BROKER_AWAY_S = 0.3  # as long as a supervisor needs to start it again

PARTS = ("broker", "web", "worker", "watcher", "scheduler")


@dataclass
class Machine:
    """One machine of the panel: its supervisor and everything below it."""

    name: str
    home: Path
    workers: int
    env: Mapping[str, str]
    panel: Panel = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Also after a kill, as a machine that was switched on again."""
        self.panel = Panel(self.home, "--workers", str(self.workers), env=self.env)

    def pids(self, *parts: str) -> list[int]:
        """The living processes of the named parts, workers' children included."""
        found = []
        for part, (pid, started) in self._services().items():
            leader = procfs.read(pid)
            if part in parts and leader and leader.started == started:
                found += [process.pid for process in procfs.session(pid)]
        return found

    def everything(self) -> list[int]:
        """The supervisor first: it must not see anybody die."""
        return [self.panel.process.pid, *self.pids(*PARTS)]

    def _services(self) -> Mapping[str, tuple[int, int]]:
        found: Mapping[str, tuple[int, int]] = json.loads(
            (self.home / "processes.json").read_text()
        )["services"]
        return found

    @property
    def is_on(self) -> bool:
        return self.panel.process.poll() is None

    @property
    def is_whole(self) -> bool:
        """Every part runs; for a moment after a kill the supervisor has not noticed yet."""
        named = self._services()
        return (
            self.is_on and all(self.pids(part) for part in named) and len(named) >= len(PARTS) - 1
        )


class Rig:
    """`machines` of one panel. With one, everything is as `make run` makes it, the broker included."""

    def __init__(self, folder: Path, env: Mapping[str, str], *, machines: int = 1) -> None:
        self.folder = folder
        self.broker: subprocess.Popen[bytes] | None = None
        self._broker = private_broker(folder / "shared")
        shared = self._shared(env) if machines > 1 else env
        self.machines: list[Machine] = []
        for number in range(1, machines + 1):
            name = f"machine{number}"
            home = folder / name
            if self.machines:  # sessions and secrets are read on every machine
                shutil.copytree(self.machines[0].home / "keys", home / "keys")
            own = {**shared, "CHAOS_MACHINE": name} if machines > 1 else shared
            self.machines.append(Machine(name, home, WORKERS // machines, own))

    def _shared(self, env: Mapping[str, str]) -> Mapping[str, str]:
        """One database and one broker, which live on neither machine; one name for both."""
        self._start_broker()
        return {
            **env,
            "REDIS_URL": self._broker.url,
            "DATABASE_URL": f"sqlite:///{self.folder}/shared/panel.sqlite3",
            "PANEL_NAME": "chaos",
            "PYTHONPATH": str(HERE / "machine"),
        }

    def _start_broker(self) -> None:
        with (self.folder / "broker.log").open("ab") as out:
            self.broker = subprocess.Popen(
                self._broker.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    @property
    def env(self) -> Mapping[str, str]:
        """For a process beside the first machine: the same database, keys and broker."""
        first = self.machines[0]
        own_broker = f"unix://{first.home}/broker/broker.sock"
        return {"REDIS_URL": own_broker, **first.env, "PANEL_HOME": str(first.home)}

    def pids(self, *parts: str) -> list[int]:
        found = [pid for machine in self.machines if machine.is_on for pid in machine.pids(*parts)]
        if "broker" in parts and self.broker:
            found.append(self.broker.pid)
        return found

    def kill(self, doomed: Collection[int]) -> None:
        """SIGKILL to all of them, one right after the other; the shared broker is started again."""
        kill(doomed)
        if self.broker and self.broker.pid in doomed:
            self.broker.wait()
            time.sleep(BROKER_AWAY_S)
            self._start_broker()

    def switch_on(self) -> None:
        """Machines that were killed whole: nothing else starts them again."""
        for machine in self.machines:
            if not machine.is_on:
                machine.start()

    def wait_until_whole(self) -> None:
        def whole() -> bool:
            return all(machine.is_whole for machine in self.machines)

        wait_for(whole, WHOLE_WITHIN_S, "the panel stays in parts")

    def end(self) -> None:
        """As roughly as the rest: nothing of it is needed any more."""
        for machine in self.machines:
            if machine.is_on:
                kill(machine.everything())
                machine.panel.process.wait()
        if self.broker:
            self.broker.kill()
            self.broker.wait()


def kill(pids: Iterable[int]) -> None:
    """SIGKILL to all of them, one right after the other."""
    for pid in pids:
        procfs.send(pid, signal.SIGKILL)


def leftovers(folder: Path) -> list[int]:
    """Processes that name a path below `folder` in their environment: panels, and simulated jobs."""
    needle = f"={folder}/".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = place.read_bytes().split(b"\0")
        except OSError:
            continue
        names = (b"PANEL_HOME", b"SIMULATED_NODE")
        if any(v.startswith(names) and needle in v for v in variables):
            found.append(int(place.parent.name))
    return [pid for pid in found if pid != os.getpid()]
