"""A panel that knows nothing adopts three servers on which another panel's run is at work.

Real shells on simulated servers: the lock, the job and its log are as the other panel left them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from nodes import history, selectors, services
from nodes.domain.observation import EnvFacts
from nodes.domain.peers import KEYS, PeerSettings
from nodes.history import NodeWork
from nodes.models import Cluster
from nodes.services.revisions import revision_add
from nodes.simulation.cluster import SimulatedCluster
from nodes.transport import pool
from nodes.transport.base import script
from nodes.transport.simulated import connect
from operations.runtime import jobs, node_lock
from operations.runtime.jobs import Job, Place
from operations.runtime.node_lock import Claim
from tests.simulation.scenario import SETTINGS, vendor
from tests.simulation.sides import APP, Simulated

pytestmark = pytest.mark.django_db(transaction=True)
A, B, C = HOSTS = ("10.0.0.11", "10.0.0.12", "10.0.0.13")
OTHER = Claim("old panel", "bcdfgh2345", "2026-11-25T20:00:00Z", "maria", HOSTS)
WORK = Job("bcdfgh2345", "galera-2", B, 1, ("sh", "-c", "echo joining; sleep 30", "setup.sh"))


@pytest.fixture
def side(tmp_path: Path, settings: Any) -> Iterator[Simulated]:
    """Galera is installed on all three, and the other panel works on the second."""
    settings.SIMULATED_NODES = str(tmp_path / "nodes")
    (tmp_path / "nodes").mkdir()
    made = Simulated(SimulatedCluster.create(tmp_path / "nodes" / "site", HOSTS))
    for host in HOSTS:
        _run(made, host, SETTINGS, f"{APP}/backend/.env", ",".join(HOSTS), A)
    assert set(vendor("galera_setup.sh", "init_cluster", 1, 2, 3)(made)) == {0}
    yield made
    pool.close_all()
    for host in HOSTS:
        made.power_off(host)


def _run(side: Simulated, host: str, text: str, *args: str) -> bytes:
    return connect(side.cluster, side.target(host)).run(script(text, *args, timeout_s=60)).stdout


def other_panel_works(side: Simulated) -> None:
    for host in HOSTS:
        assert node_lock.take(connect(side.cluster, side.target(host)), Place(), OTHER) is None
    transport = connect(side.cluster, side.target(B))
    with jobs.following(
        transport, Place(), OTHER.panel, WORK, offset=0, may_start=True
    ) as following:
        until = time.monotonic() + 20
        while b"joining" not in b"".join(p for p in following.read(1) if isinstance(p, bytes)):
            assert time.monotonic() < until


def files(side: Simulated) -> dict[str, bytes]:
    """What adoption must not change: the settings, the lock, the jobs."""
    found: dict[str, bytes] = {}
    for host in HOSTS:
        root = side.cluster.root(host)
        for part in (f"{APP.lstrip('/')}/backend/.env", "var/lib/clusterpanel"):
            place = root / part
            every = [place] if place.is_file() else sorted(place.rglob("*"))
            found |= {str(p): p.read_bytes() for p in every if p.is_file() and p.name != "beat"}
    return found


def accept_all(cluster: Cluster, by: User) -> None:
    """As a person who compared each fingerprint with the console."""
    for key in services.host_keys_scan(cluster=cluster):
        if key.state == "new":
            services.host_key_trust(cluster=cluster, host=key.host, sha256=key.sha256, by=by)


def test_a_fresh_panel_adopts_it_with_the_run_in_sight_and_changes_nothing(
    side: Simulated,
) -> None:
    other_panel_works(side)
    before = files(side)
    ann = User.objects.create_superuser("ann")
    began = time.monotonic()
    cluster = services.adoption_begin(by=ann, name="site", host=B, ssh_password="x", app_dir=APP)
    accept_all(cluster, ann)
    services.adoption_read(cluster=cluster, by=ann, host=B)
    assert cluster.revision.peers.hosts == HOSTS
    accept_all(cluster, ann)
    facts = services.adoption_read(cluster=cluster, by=ann, host=B)
    work = history.of().work_on_nodes(cluster)
    services.adoption_finish(cluster=cluster, by=ann)
    assert time.monotonic() - began < 60
    assert all(isinstance(node.env, EnvFacts) and node.env.lines for node in facts.nodes)
    assert [file.same for file in selectors.env_difference(cluster, facts)] == [True] * 3
    _as_the_other_panel_left_it(work)
    assert files(side) == before
    assert services.live_now(cluster).galera


def _as_the_other_panel_left_it(work: Any) -> None:
    told: list[NodeWork] = list(work)
    assert [(w.host, w.panel, w.run, w.user, w.since) for w in told] == [
        (host, "old panel", "bcdfgh2345", "maria", "2026-11-25T20:00:00Z") for host in HOSTS
    ]
    assert all(w.silent_s is not None and w.silent_s < 60 for w in told)
    assert [len(w.jobs) for w in told] == [0, 1, 0]
    job = told[1].jobs[0]
    assert job.name.startswith("bcdfgh2345-galera-2-")
    assert "sleep 30" in job.command
    assert job.last_lines == ("joining",)


def test_nodes_without_any_work_and_a_node_that_is_away(side: Simulated) -> None:
    cluster = Cluster.objects.create(name="site", ssh_password="x", app_dir=APP, adopting=True)
    revision_add(cluster, 1, PeerSettings(HOSTS, HOSTS, A), False, None)
    accept_all(cluster, User.objects.create_superuser("ann"))
    side.power_off(C)
    first, second, third = history.of().work_on_nodes(cluster)
    assert (first.run, first.jobs, first.unknown) == ("", (), None)
    assert second.unknown is None
    assert third.unknown is not None


def test_drift_by_hand_is_seen_with_its_line_at_the_next_look(side: Simulated) -> None:
    ann = User.objects.create_superuser("ann")
    cluster = services.adoption_begin(by=ann, name="site", host=A, ssh_password="x", app_dir=APP)
    accept_all(cluster, ann)
    services.adoption_read(cluster=cluster, by=ann, host=A)
    accept_all(cluster, ann)
    services.observe(cluster=cluster)
    _run(side, B, f"sed -i 's/^{KEYS[2]}=.*/{KEYS[2]}={C}/' {APP}/backend/.env")
    assert services.observe_if_idle(cluster=cluster)
    file = selectors.env_difference(cluster, selectors.latest_facts(cluster))[1]
    (line,) = [each for each in file.lines if not each.same]
    text = _run(side, B, f"cat {APP}/backend/.env").decode().splitlines()
    assert (line.key, line.found) == (KEYS[2], C)
    assert line.number
    assert text[line.number - 1] == f"{KEYS[2]}={C}"
    assert file.changed_at
    assert abs(file.changed_at.timestamp() - time.time()) < 30
