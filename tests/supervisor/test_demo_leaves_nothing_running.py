"""What simulated servers still do when the panel stops: it ends, one way or the other."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from clusterpanel import simulated_demo
from nodes.simulation.skin import processes
from nodes.transport.base import Target, script
from nodes.transport.simulated import connect, host_key

HOST = simulated_demo.HOSTS[0]
DETACHED = 'systemd-run sh -c "$1"'  # as a job begins


@pytest.fixture
def made(tmp_path: Path) -> simulated_demo.Made:
    return simulated_demo.servers(tmp_path, tmp_path, lambda _: None)


def begin(made: simulated_demo.Made, job: str) -> None:
    target = Target(HOST, 22, "root", (host_key(made.cluster, HOST),), password="x")
    connection = connect(made.cluster, target)
    assert connection.run(script(DETACHED, job)).exit_code == 0
    connection.close()


def test_what_takes_a_moment_is_finished(made: simulated_demo.Made) -> None:
    said: list[str] = []
    begin(made, f"sleep 1; echo done > {made.cluster.root(HOST)}/root/effect")
    simulated_demo.end_jobs(made.cluster, said.append)
    assert (made.cluster.root(HOST) / "root/effect").read_text() == "done\n"
    assert said == ["The servers finish what they are doing, in at most 10 s."]


def test_what_takes_longer_is_killed(
    made: simulated_demo.Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated_demo, "PATIENCE_S", 0.3)
    begin(made, "sleep 600 & sleep 600")
    began = time.monotonic()
    simulated_demo.end_jobs(made.cluster, lambda _: None)
    assert time.monotonic() - began < 60
    assert processes.of_node(made.cluster.root(HOST)) == []


def test_idle_servers_are_not_waited_for(made: simulated_demo.Made) -> None:
    said: list[str] = []
    simulated_demo.end_jobs(made.cluster, said.append)
    assert said == []
