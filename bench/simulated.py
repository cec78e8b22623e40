"""A cluster of simulated servers, known to a panel: for what is about the panel and not about SSH."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import direct
from nodes.simulation.cluster import SimulatedCluster
from tests.e2e import steps
from tests.e2e.panel import Client, Panel

HOSTS = ("10.0.0.11", "10.0.0.12", "10.0.0.13")


@contextmanager
def nodes(folder: Path) -> Iterator[Path]:
    """One cluster in a folder that a panel can be given."""
    cluster = SimulatedCluster.create(folder / "site", HOSTS)
    try:
        yield folder
    finally:
        for host in HOSTS:
            cluster.power_off(host)


def add_cluster(client: Client, name: str) -> int:
    """Known, trusted, and with its settings written."""
    body = {
        "name": name,
        "galera_peer_hosts": HOSTS,
        "cluster_fs_peer_hosts": HOSTS,
        "cluster_primary_host": HOSTS[0],
        "ssh": {"username": "root", "port": 22, "password": "any"},
    }
    cluster = int(client.post("/clusters", body, expect=201)["id"])
    for key in client.post(f"/clusters/{cluster}/host-keys/scan"):
        trusted = {"host": key["host"], "sha256": key["sha256"]}
        client.post(f"/clusters/{cluster}/host-keys/trust", trusted)
    steps.run_to_success(client, cluster, "apply_settings", force=True)
    return cluster


def start_writer(panel: Panel, cluster: int, program: str) -> str:
    """A run of one step: a Perl program on the first server; its id."""
    command = (HOSTS[0], ("perl", "-e", program))
    return direct.start(panel, cluster, direct.plan(HOSTS, [command]))


def stamped(lines: int, a_second: int, sign: str = "") -> str:
    """A program that prints `at TIME` so often, from two seconds on or when `sign` is given."""
    begin = f"sleep 0.02 until -e qq($ENV{{HOME}}/{sign});" if sign else "sleep 2;"
    return (
        f"use Time::HiRes qw(time sleep); $| = 1; {begin} my $t0 = time;"
        f" for my $n (1..{lines}) {{ my $d = $t0 + $n / {a_second} - time; sleep $d if $d > 0.002;"
        r" printf qq(at %.6f line %d\n), time, $n }"
    )


def give_sign(panel: Panel, sign: str) -> None:
    site = SimulatedCluster.at(Path(panel.env["SIMULATED_NODES"]) / "site")
    (site.root(HOSTS[0]) / "root" / sign).touch()
