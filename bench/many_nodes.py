"""What the steady beats cost with many clusters: CPU, memory, and cost per node from 3 to 300.

The nodes are a light, honest double behind the `Transport` contract: they answer with what real
nodes said (tests/fixtures/nodes/healthy). Parsing, judging by rules, storing and thinning are the
product's own; SSH's share is measured by `sweep`, the tasks' way through the broker is not in it.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from nodes.probes.gluster_script import GLUSTER_OWN, GLUSTER_POOL
from nodes.probes.script import BEAT
from nodes.transport.base import Command, Output, Stream, Target, Transport, Tunnel

RECORDS = Path(__file__).parent.parent / "tests" / "fixtures" / "nodes" / "healthy"

EVERY_S = 10.0  # a beat
BEATS = 5


class Double:
    """A node that says what a real one said, with its own addresses and the time of now."""

    def __init__(self, target: Target) -> None:
        self.target = target
        network = target.host.rpartition(".")[0]
        self._said = {
            script: _recorded(kind, target.host[-1]).replace("10.77.2", network)
            for script, kind in ((BEAT, "beat"), (GLUSTER_OWN, "gluster"), (GLUSTER_POOL, "pool"))
        }

    def run(self, command: Command) -> Output:
        said = self._said[command.argv[2]]
        now = f"{time.time():.6f}"
        return Output(0, said.replace("{now}", now).encode(), b"")

    def stream(self, command: Command) -> AbstractContextManager[Stream]:
        raise NotImplementedError

    def tunnel(self, port: int) -> AbstractContextManager[Tunnel]:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""


def _recorded(kind: str, node: str) -> str:
    text = (RECORDS / f"node{node}.{kind}.txt").read_text().split("\n", 1)[1]
    return re.sub(r"(?m)(-- clock(?:_end)?\n)[0-9.]+", r"\g<1>{now}", text)


def measure() -> list[str]:
    lines = []
    for clusters in (1, 10, 100):
        with tempfile.TemporaryDirectory() as home:
            env = {
                **os.environ,
                "PANEL_HOME": home,
                "DJANGO_SETTINGS_MODULE": "clusterpanel.settings",
            }
            done = subprocess.run(
                [sys.executable, "-m", "bench.many_nodes", str(clusters)],
                env=env,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
        lines.append(done.stdout.strip())
    return lines


def one(clusters: int) -> str:
    """In a process of its own: its CPU and memory are those of the beats alone."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from nodes import samples, services, summary
    from nodes.transport import pool

    call_command("migrate", verbosity=0)
    made = [_cluster(number) for number in range(clusters)]
    doubles: dict[str, Transport] = {}
    pool.transport_for = lambda target: doubles.setdefault(target.host, Double(target))  # type: ignore
    settings.OBSERVE_EVERY_S = settings.GLUSTER_EVERY_S = EVERY_S
    used, wall = [], []
    for beat in range(BEATS + 1):
        began, cpu = time.perf_counter(), time.process_time()
        for cluster in made:
            services.observe_if_idle(cluster=cluster)
            services.observe_gluster_if_idle(cluster=cluster)
        samples.thin()
        if beat:  # the first asks everything
            used.append(time.process_time() - cpu)
            wall.append(time.perf_counter() - began)
        time.sleep(max(0.0, EVERY_S - (time.perf_counter() - began)))
    assert summary.of(made[-1], time.time()).verdict.state == "healthy"
    nodes, mean = 3 * clusters, sum(used) / len(used)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{nodes:3} nodes, {clusters:3} clusters, every {EVERY_S:.0f} s: {100 * mean / EVERY_S:5.1f} %"
        f" of a core (goal < 60), {1000 * mean / nodes:.1f} ms CPU a node, {memory:.0f} MB"
        f" (goal < 300), {max(wall):.1f} s of wall at most"
    )


def _cluster(number: int) -> Any:
    from nodes import services
    from nodes.models import HostKey

    hosts = [f"10.78.{number}.{last}" for last in (11, 12, 13)]
    cluster = services.cluster_create(
        by=None,
        name=f"Office {number}",
        galera_peer_hosts=hosts,
        cluster_fs_peer_hosts=hosts,
        cluster_primary_host=hosts[0],
    )
    for host in hosts:
        HostKey.objects.create(
            cluster=cluster, host=host, type="ssh-ed25519", base64="A", sha256="S"
        )
    return cluster


if __name__ == "__main__":
    print(one(int(sys.argv[1])))
