"""Three lab servers for one bench, and plain ssh to them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOOL = Path(__file__).resolve().parent.parent / "lab" / "lab"


@dataclass(frozen=True)
class Lab:
    name: str
    status: dict[str, Any]

    @classmethod
    @contextmanager
    def up(cls, name: str) -> Iterator[Lab]:
        tool(name, "up", "--nodes", "3")
        try:
            yield cls(name, json.loads(tool(name, "status", "--json")))
        finally:
            tool(name, "down")

    @property
    def hosts(self) -> list[str]:
        return [node["address"] for node in self.status["nodes"]]

    def reset(self) -> None:
        """Three pristine servers again, with the same addresses."""
        tool(self.name, "reset")
        self.status.update(json.loads(tool(self.name, "status", "--json")))

    def ssh_argv(self, host: str) -> list[str]:
        known = f"UserKnownHostsFile={self.status['known_hosts']}"
        key = self.status["key"]
        return ["ssh", "-q", "-i", key, "-o", "BatchMode=yes", "-o", known, f"root@{host}"]

    def ask(self, host: str, command: str) -> str:
        """What a command prints there."""
        argv = [*self.ssh_argv(host), command]
        done = subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        return done.stdout.decode()

    def ssh(self, host: str, command: str) -> None:
        subprocess.run(
            [*self.ssh_argv(host), command],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def tool(name: str, *argv: str) -> str:
    command = [str(TOOL), "--name", name, *argv]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
