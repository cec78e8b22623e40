"""Which servers the panel reaches: real ones over SSH, or simulated ones on this machine.

`settings.SIMULATED_NODES` names a folder with simulated clusters, one per subfolder. While it is
set nothing leaves this machine: a host that no cluster there has is unreachable, never real.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from django.conf import settings

from nodes.simulation.cluster import SimulatedCluster
from nodes.transport import simulated, ssh
from nodes.transport.base import PinnedKey, Target, Transport


class Connection(Transport, Protocol):
    """An open, authenticated connection; False when it turned out to be dead."""

    @property
    def alive(self) -> bool: ...


def connect(target: Target, timeout_s: float = 8) -> Connection:
    """`timeout_s`: until somebody is signed in. Raises Unreachable, HostKeyUnknown, HostKeyChanged or AuthFailed."""
    if settings.SIMULATED_NODES:
        return simulated.connect(_cluster_of(target.host), target)
    return ssh.connect(target, timeout_s=timeout_s)


def scan_host_key(host: str, port: int) -> list[PinnedKey]:
    """The keys that the server shows now. No login; nothing is trusted by it."""
    if settings.SIMULATED_NODES:
        return simulated.scan_host_key(_cluster_of(host), host)
    return ssh.scan_host_key(host, port)


def _cluster_of(host: str) -> SimulatedCluster:
    for base in sorted(Path(settings.SIMULATED_NODES).iterdir()):
        cluster = SimulatedCluster.at(base)
        if cluster.has(host):
            return cluster
    raise simulated.unreachable(host)
