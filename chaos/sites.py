"""The three servers of a lane, simulated or of the lab, seen past the panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nodes.simulation.__main__ import describe
from nodes.simulation.cluster import SimulatedCluster
from nodes.transport import simulated
from nodes.transport.base import Target, script
from tests.e2e.node import Node, nodes_of

PASSWORD = "any password is accepted"


class Site(Protocol):
    """Three servers, and what a person at their consoles could see and do."""

    @property
    def hosts(self) -> tuple[str, ...]: ...
    @property
    def fingerprints(self) -> Mapping[str, str]: ...
    @property
    def ssh(self) -> Mapping[str, Any]:
        """How the panel shall log in, as its API wants it."""

    def ask(self, host: str, text: str, *args: str) -> str:
        """What a script prints on the node."""

    def cut(self) -> None:
        """End the panel's connections to every server, from the server's side."""


@dataclass(frozen=True)
class Simulated:
    """Simulated servers; `base` is a folder of its own below SIMULATED_NODES."""

    cluster: SimulatedCluster

    @classmethod
    def create(cls, base: Path, subnet: int) -> Simulated:
        hosts = tuple(f"10.0.{subnet}.{10 + number}" for number in (1, 2, 3))
        return cls(SimulatedCluster.create(base, hosts))

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self.cluster.world.nodes)

    @property
    def fingerprints(self) -> Mapping[str, str]:
        return _fingerprints(describe(self.cluster)["nodes"])

    @property
    def ssh(self) -> Mapping[str, Any]:
        return {"username": "root", "port": 22, "password": PASSWORD}

    def ask(self, host: str, text: str, *args: str) -> str:
        key = simulated.host_key(self.cluster, host)
        target = Target(host, 22, "root", (key,), password=PASSWORD)
        output = simulated.connect(self.cluster, target).run(script(text, *args))
        if output.exit_code:
            raise RuntimeError(f"{host}: {output.stderr.decode(errors='replace')}")
        return output.text

    def cut(self) -> None:
        for host in self.hosts:
            self.cluster.cut_connections(host)


@dataclass(frozen=True)
class Lab:
    """Lab servers that are up; `status` is what `lab/lab status --json` says."""

    status: dict[str, Any]

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(node["address"] for node in self.status["nodes"])

    @property
    def fingerprints(self) -> Mapping[str, str]:
        return _fingerprints(self.status["nodes"])

    @property
    def ssh(self) -> Mapping[str, Any]:
        key = Path(self.status["key"]).read_text()
        return {"username": "root", "port": 22, "private_key": key}

    def ask(self, host: str, text: str, *args: str) -> str:
        return self._node(host).run(script(text, *args).line)

    def cut(self) -> None:
        for host in self.hosts:
            self._node(host).run("pkill -KILL -f 'sshd: root@notty'", may_break=True)

    def _node(self, host: str) -> Node:
        return next(node for node in nodes_of(self.status) if node.address == host)


def _fingerprints(nodes: Any) -> Mapping[str, str]:
    described: Sequence[Mapping[str, str]] = nodes
    return {node["address"]: node["host_key_sha256"] for node in described}
