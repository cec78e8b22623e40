"""Every step on every node fails once, in four ways, and is resumed: the end is the one without failure.

`MATRIX=all python -m pytest -s tests/laws/test_every_step_fails_once.py` plays every cell and prints them,
`MATRIX=each` one way for each step and node, `MATRIX=install_galera` the same of one procedure,
`MATRIX=power` of what restarts, stops and starts; without it a few of them are played.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User

from nodes.domain.refusal import Refused
from nodes.models import Cluster, HostKey, SettingsRevision
from nodes.simulation.cluster import SimulatedCluster
from nodes.transport import pool, simulated
from operations import services, tasks
from operations.domain.plan import Plan, Step
from operations.models import Backup, Run
from operations.runtime import proving
from tests.laws.faults import KINDS, Fault
from tests.simulation.sides import APP, Looker, Simulated

HOSTS = ("10.0.0.11", "10.0.0.12", "10.0.0.13")
MATRIX = os.environ.get("MATRIX", "")
PROCEDURES = (
    "apply_settings",
    "backup_database",
    "install_galera",
    "backup_storage",
    "install_glusterfs",
    "rolling_restart",
    "stop_cluster",
    "start_cluster",
)
POWER = PROCEDURES[-3:]
# In `make test`: the place of the step in its plan, and how it fails.
SHARE = {"apply_settings": ((1, "dies"),)}
TRIES = 8  # looks of a proof that does not hold; real servers are given minutes

Seen = dict[str, Any]


@dataclass
class Site:
    """A simulated cluster that the panel knows, and the way back to an earlier state of it."""

    folder: Path
    cluster: SimulatedCluster
    row: Cluster
    admin: User
    backups: dict[str, int] = field(default_factory=dict)

    def save(self, name: str) -> None:
        shutil.copytree(self.cluster.layout.base, self.folder / name, symlinks=True)

    def restore(self, name: str) -> None:
        pool.close_all()
        shutil.rmtree(self.cluster.layout.base)
        shutil.copytree(self.folder / name, self.cluster.layout.base, symlinks=True)

    def start(self, procedure: str) -> Run:
        """A busy machine may be too slow for one look at the nodes; a person looks again."""
        for _ in range(5):
            with suppress(Refused):
                return self._start(procedure)
        return self._start(procedure)

    def _start(self, procedure: str) -> Run:
        plan = services.plan_preview(cluster=self.row, procedure=procedure, params={})
        return services.run_start(
            cluster=self.row,
            procedure=procedure,
            params={},
            plan_hash=plan.hash,
            confirmations=self._answers(plan),
            by=self.admin,
        )

    def _answers(self, plan: Plan) -> dict[str, Any]:
        return {
            gate.id: {"backup": self.backups[gate.subject]}
            if gate.kind == "backup"
            else {"typed": gate.subject}
            if gate.kind == "typed"
            else {"accept": True}
            for gate in plan.gates
        }

    def look(self) -> Seen:
        side = Simulated(self.cluster)
        side.rest()
        nodes = self._nodes(side)
        for host, node in nodes.items():
            node["env file"] = (self._backend(host) / ".env").read_bytes()
            node["fstab"] = (self.cluster.root(host) / "etc/fstab").read_text()
            node["files"] = sorted(p.name for p in (self._backend(host) / "storage").iterdir())
            node["lock"] = (self.cluster.root(host) / "var/lib/clusterpanel/lock").exists()
            if isinstance(node["galera"], dict):
                # Both count how often members came and went, as a node that lost its power does.
                del node["galera"]["conf_id"], node["galera"]["last_committed"]
        rows = Backup.objects.values_list("kind", "node")
        return {**nodes, "backups": sorted(set(rows))}

    def _nodes(self, side: Simulated) -> Seen:
        """A busy machine may be too slow for one look; an incomplete one is looked at again."""
        for _ in range(5):
            with suppress(AssertionError):
                return dict(Looker(side).look())
        return dict(Looker(side).look())

    def _backend(self, host: str) -> Path:
        return self.cluster.root(host) / APP.lstrip("/") / "backend"

    def jobs(self, run: Run) -> Counter[str]:
        """How often each step of the run was started, counted on the nodes."""
        found: Counter[str] = Counter()
        for host in HOSTS:
            folder = self.cluster.root(host) / "var/lib/clusterpanel/jobs"
            for job in folder.glob(f"{run.pk}-*"):
                key = next(
                    s.key for s in run.plan.steps if job.name.startswith(f"{run.pk}-{s.key}-")
                )
                found[key] += 1
        return found


@pytest.fixture
def site(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[Site]:
    settings.SIMULATED_NODES = str(tmp_path / "nodes")
    (tmp_path / "nodes").mkdir()
    cluster = SimulatedCluster.create(tmp_path / "nodes" / "site", HOSTS)
    row = Cluster.objects.create(name="Office", ssh_password="x", app_dir=APP)
    SettingsRevision.objects.create(
        cluster=row,
        number=1,
        galera_peer_hosts=list(HOSTS),
        cluster_fs_peer_hosts=list(HOSTS),
        cluster_primary_host=HOSTS[0],
    )
    for host in HOSTS:
        key = simulated.host_key(cluster, host)
        HostKey.objects.create(cluster=row, host=host, type=key.type, base64=key.base64)
    made = Site(tmp_path, cluster, row, User.objects.create_superuser("ivanov"))
    few = property(lambda self: self._tries >= TRIES)
    with (
        patch.object(proving._Waiting, "over", few),
        patch("operations.runtime.hub.notify", lambda run_id, line: None),
        patch("operations.services._send", lambda task, *args: True),
    ):
        yield made
    pool.close_all()
    for host in HOSTS:
        cluster.power_off(host)


def play(site: Site, procedure: str) -> Run:
    """The story without a failure."""
    run = site.start(procedure)
    tasks.execute(run.pk)
    run.refresh_from_db()
    assert run.state == "succeeded", (procedure, run.sentence)
    return run


def lose_power(fault: Fault) -> None:
    deadline = time.monotonic() + 120
    while not fault.began and time.monotonic() < deadline:
        time.sleep(0.05)
    fault.cluster.power_cut(fault.step.node)
    fault.cluster.power_on(fault.step.node)


def fail_and_resume(site: Site, procedure: str, step: Step, kind: str) -> str:
    """Plays one cell; what became of the first try. The run has succeeded after it."""
    fault = Fault(site.cluster, step, kind)
    fault.prepare()
    run = site.start(procedure)
    thread = threading.Thread(target=lose_power, args=(fault,))
    if kind == "dies":
        thread.start()
    with patch("operations.driving.transport_for", fault.transport):
        tasks.execute(run.pk)
        if kind == "dies":
            thread.join()
        run.refresh_from_db()
        first = run.state
        done = {row.key for row in run.steps.filter(state="succeeded")}
        if first != "succeeded":
            failed = run.steps.get(key=step.key)
            assert failed.state in ("failed", "unknown"), failed.state
            Simulated(site.cluster).rest()  # a person waits until a server that boots has come back
            services.run_resume(run=run, by=site.admin)
            tasks.execute(run.pk)
            run.refresh_from_db()
    assert fault.met, "the fault was never met"
    assert run.state == "succeeded", run.sentence
    again = {key: count for key, count in site.jobs(run).items() if count > 1}
    assert set(again) <= {step.key}, f"ran again: {again}"
    assert not done & set(again), "a finished step ran again"
    assert set(site.jobs(run)) == {s.key for s in run.plan.steps}
    return str(first)


def differences(seen: Seen, expected: Seen) -> list[str]:
    return [
        f"{host}, {name}: {seen[host].get(name)!r}, without a failure {value!r}"
        for host in HOSTS
        for name, value in expected[host].items()
        if seen[host].get(name) != value
    ] + [f"backups: {seen['backups']}"] * (seen["backups"] != expected["backups"])


def cells(procedure: str, steps: tuple[Step, ...]) -> list[tuple[Step, str]]:
    if MATRIX == "all":
        return [(step, kind) for step in steps for kind in KINDS]
    if MATRIX in PROCEDURES and procedure != MATRIX:
        return []
    if MATRIX == "power" and procedure not in POWER:
        return []
    if MATRIX:
        return [(step, KINDS[(i + len(procedure)) % len(KINDS)]) for i, step in enumerate(steps)]
    return [(steps[place], kind) for place, kind in SHARE.get(procedure, ())]


@pytest.mark.timeout(7200)
def test_after_any_failure_and_a_resume_the_end_is_the_same(site: Site) -> None:
    bad: list[str] = []
    for procedure in PROCEDURES if MATRIX else SHARE:
        site.save(f"before {procedure}")
        reference = play(site, procedure)
        expected = site.look()
        site.save(f"after {procedure}")
        kept = set(Backup.objects.values_list("pk", flat=True))
        for step, kind in cells(procedure, reference.plan.steps):
            site.restore(f"before {procedure}")
            began = time.monotonic()
            try:
                first = fail_and_resume(site, procedure, step, kind)
                found = differences(site.look(), expected)
            except AssertionError as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                first, found = "?", [f"{where.name} {where.lineno}: {error}"]
                _let_go(site)
            took = time.monotonic() - began
            name = f"{procedure} {step.key} {kind}"
            print(
                f"\n{name:55} {first:12} {took:6.1f} s  {'; '.join(found) or 'same end'}",
                flush=True,
            )
            bad += [f"{name}: {each}" for each in found]
            Backup.objects.exclude(pk__in=kept).delete()
        site.restore(f"after {procedure}")
        for backup in Backup.objects.all():
            site.backups[backup.kind] = backup.pk
    assert not bad, "\n".join(bad)


def _let_go(site: Site) -> None:
    """A cell that went wrong must not hold the cluster against the next one."""
    Run.objects.filter(cluster=site.row, state__in=("waiting", "running")).update(state="failed")
