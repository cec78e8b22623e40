"""How a step fails once: what its job does instead of its command, for the first attempt only.

The panel's own scripts, the plan and the proof stay as they are. `half` runs the real command until a
tool that it needs fails; `dies` does the same and then loses the node's power.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodes.simulation.cluster import SimulatedCluster
from nodes.transport.base import Command, Output, Stream, Target, Transport, Tunnel
from nodes.transport.pool import transport_for
from operations.domain.plan import Step
from operations.runtime import scripts

KINDS = ("refuses", "half", "lies", "dies")
_TOOLS = "/root/fault"
_MARK = "/root/fault/began"

# procedure, part of the step's key → the tool that fails, and when (a shell pattern of its arguments)
_BREAKS = {
    "settings": ("mv", "*"),
    "dump": ("gzip", "-c*"),
    "archive": ("tar", "-c*"),
    "galera-1": ("galera_new_cluster", "*"),
    "galera": ("systemctl", "start*"),
    "init-gluster": ("mkdir", "*"),
    "init-peers": ("gluster", "*probe*"),
    "init-volume": ("gluster", "*volume create*"),
    "mount": ("mount", "/*"),
    "restart": ("systemctl", "--no-block*"),
    "stop": ("systemctl", "stop*"),
    "first": ("galera_new_cluster", "*"),
    "database": ("systemctl", "--no-block*"),
    "whole": ("gluster", "*heal*"),
    "work": ("systemctl", "enable*"),
}


def tool_of(step: Step) -> tuple[str, str]:
    return next(tool for part, tool in _BREAKS.items() if part in step.key.replace("_", "-"))


@dataclass
class Fault:
    """One step on its node; `met` counts the starts that carried it, repeated ones included."""

    cluster: SimulatedCluster
    step: Step
    kind: str
    met: int = 0

    def prepare(self) -> None:
        folder = self.cluster.root(self.step.node) / _TOOLS.lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        name, pattern = tool_of(self.step)
        own = self.cluster.root(self.step.node) / "usr/local/sbin" / name
        real = own if own.exists() else Path("/bin", name)
        tool = folder / name
        tool.write_text(
            f'#!/bin/sh\ncase "$*" in {pattern}) echo "{name}: it breaks here" >&2; exit 1 ;; esac\n'
            f'exec {real} "$@"\n'
        )
        tool.chmod(0o755)

    @property
    def began(self) -> bool:
        return (self.cluster.root(self.step.node) / _MARK.lstrip("/")).exists()

    def instead_of(self, command: str) -> str:
        half = f'PATH="{_TOOLS}:$PATH"; export PATH; {command}'
        return {
            "refuses": "echo 'ERROR: not now'; exit 7",
            "half": half,
            "lies": "echo done",
            "dies": f"({half}); : > {_MARK}; sleep 600",
        }[self.kind]

    def transport(self, target: Target) -> Transport:
        return _Faulty(self, transport_for(target))


class _Faulty:
    """Changes the command of the first attempt, on the way to the node."""

    def __init__(self, fault: Fault, real: Transport) -> None:
        self._fault, self._real, self.target = fault, real, real.target

    def run(self, command: Command) -> Output:
        return self._real.run(command)

    def tunnel(self, port: int) -> AbstractContextManager[Tunnel]:
        return self._real.tunnel(port)

    def close(self) -> None:
        self._real.close()

    @contextmanager
    def stream(self, command: Command) -> Iterator[Stream]:
        with self._real.stream(self._changed(command)) as stream:
            yield stream

    def _changed(self, command: Command) -> Command:
        argv: list[Any] = list(command.argv)
        if argv[2] != scripts.START:
            return command
        name, mode = argv[9], argv[11]
        mine = f"-{self._fault.step.key}-" in name and "." not in name.rsplit("-", 1)[-1]
        if not mine or mode != "start":
            return command
        self._fault.met += 1
        argv[-1] = self._fault.instead_of(argv[-1])
        return Command(tuple(argv), command.stdin, command.timeout_s)
