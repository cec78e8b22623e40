"""Restart, stop and start on simulated servers with real shells: to the proven end, and not beyond."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection

from nodes.domain.refusal import Refused
from nodes.simulation import events
from nodes.transport import pool
from operations import services, tasks
from operations.models import Run, RunStep
from operations.runtime import proving, reconcile
from tests.laws.test_every_step_fails_once import HOSTS, MATRIX, Site, site
from tests.simulation.scenario import SETTINGS, vendor
from tests.simulation.sides import APP, Simulated
from tests.simulation.sides import run as typed

__all__ = ["site"]
ONE, TWO, THREE = HOSTS
TRIES = 25  # a boot takes a while even here
more = pytest.mark.skipif(not MATRIX, reason="a minute and a half: MATRIX=all, or power")


@pytest.fixture
def office(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Galera and GlusterFS as the vendor's scripts install them, everything well."""
    patient = property(lambda self: self._tries >= TRIES)
    monkeypatch.setattr(proving._Waiting, "over", patient)
    side = Simulated(site.cluster)
    for host in HOSTS:
        typed(side, host, SETTINGS, f"{APP}/backend/.env", ",".join(HOSTS), ONE)
    codes = vendor("galera_setup.sh", "init_cluster", 1, 2, 3)(side)
    for action, places in (
        ("init_gluster", (1, 2, 3)),
        ("init_peers", (1,)),
        ("init_volume", (1,)),
        ("mount", (1, 2, 3)),
    ):
        codes += vendor("glusterfs_setup.sh", action, *places)(side)
    assert set(codes) == {0}
    return site


def started(where: Site, procedure: str, **params: Any) -> Run:
    """A busy machine may be too slow for one look at the servers; a person looks again."""
    for _ in range(5):
        with suppress(Refused):
            return _started(where, procedure, params)
    return _started(where, procedure, params)


def _started(where: Site, procedure: str, params: dict[str, Any]) -> Run:
    plan = services.plan_preview(cluster=where.row, procedure=procedure, params=params)
    return services.run_start(
        cluster=where.row,
        procedure=procedure,
        params=params,
        plan_hash=plan.hash,
        confirmations=where._answers(plan),
        by=where.admin,
    )


def play(where: Site, procedure: str, **params: Any) -> Run:
    run = driven(started(where, procedure, **params))
    assert run.state == "succeeded", (procedure, run.sentence)
    return run


def driven(run: Run) -> Run:
    tasks.execute(run.pk)
    run.refresh_from_db()
    return run


def refusal(where: Site, procedure: str, **params: Any) -> str:
    with pytest.raises(Refused) as refused:
        services.plan_preview(cluster=where.row, procedure=procedure, params=params)
    return refused.value.first.code


def boots(where: Site) -> list[int]:
    return [where.cluster.node(host).boot for host in HOSTS]


def test_stopped_started_and_restarted_by_a_panel_that_dies(office: Site) -> None:
    """One world for all of it: installing takes longer than what is tested."""
    _outlives_the_panel(office)
    _stop_and_start(office)
    _nobody_remembers(office)


@more
def test_servers_are_restarted_one_by_one_until_the_first_doubt(office: Site) -> None:
    _one_server(office)
    _rolling(office)


def _one_server(office: Site) -> None:
    before = boots(office)
    play(office, "restart_node", node=THREE, service="host")
    assert boots(office) == [before[0], before[1], before[2] + 1]
    play(office, "stop_node", node=TWO, service="host")
    seen = office.look()[TWO]
    assert (seen["units"]["mariadb"], seen["units"]["glusterd"]) == ("inactive", "inactive")
    assert not seen["mount"]["mounted"]
    # One server is away: nobody else may go from the storage, and nothing is restarted in turn.
    assert refusal(office, "restart_node", node=THREE, service="host") == "storage_quorum"
    assert refusal(office, "rolling_restart", service="host") == "member_missing"
    play(office, "start_node", node=TWO, service="host")
    office.cluster.happen(events.Unmount(THREE, f"{office.row.app_dir}/backend/storage"))
    play(office, "remount_storage", node=THREE)
    assert office.look()[THREE]["mount"]["answers"]


def _rolling(office: Site) -> None:
    """It stops at the first doubt, and a new plan leaves out what is done."""
    before = boots(office)
    run = started(office, "rolling_restart", service="host")
    third = threading.Thread(target=_when_done, args=(office, run.pk, TWO, THREE))
    third.start()
    driven(run)
    third.join()
    assert run.state == "failed"
    after = boots(office)
    assert (after[0] - before[0], after[1] - before[1]) == (0, 1)  # the primary was not touched
    with suppress(AssertionError, Refused):
        play(office, "start_node", node=THREE, service="mariadb")
    rest = play(office, "rolling_restart", service="host")
    assert list(rest.plan.nodes) == [THREE, ONE]
    assert boots(office)[0] == before[0] + 1


def _when_done(office: Site, run: str, first: str, victim: str) -> None:
    """Somebody stops the database of `victim` as soon as `first` is back in its layers."""
    back = RunStep.objects.filter(run_id=run, node=first, key__startswith="services")
    deadline = time.monotonic() + 120
    while not back.filter(state="succeeded").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    office.cluster.happen(events.StopUnit(victim, "mariadb.service"))
    connection.close()


def _stop_and_start(office: Site) -> None:
    stop = play(office, "stop_cluster")
    seen = office.look()
    assert {seen[h]["units"]["mariadb"] for h in HOSTS} == {"inactive"}
    assert {seen[h]["starts at boot"]["mariadb"] for h in HOSTS} == {"disabled"}
    flags = {h: seen[h]["grastate"]["safe_to_bootstrap"] for h in HOSTS}
    assert flags == {ONE: True, TWO: False, THREE: False}
    # The servers are switched off and on again: the order must outlive that.
    for host in HOSTS:
        office.cluster.power_off(host)
    pool.close_all()
    for host in HOSTS:
        office.cluster.power_on(host)
    _wait_until_up(office)
    start = play(office, "start_cluster")
    order = [s.node for s in start.plan.steps if s.proof.name == "member_back"]
    assert order == [ONE, THREE, TWO]
    assert [step.node for step in stop.plan.steps] == [TWO, THREE, ONE]
    seen = office.look()
    assert {seen[h]["galera"]["size"] for h in HOSTS} == {3}
    assert {seen[h]["starts at boot"]["mariadb"] for h in HOSTS} == {"enabled"}
    assert all(seen[h]["mount"]["answers"] for h in HOSTS)
    assert refusal(office, "start_cluster") == "already_running"


def _wait_until_up(office: Site) -> None:
    while not all(office.cluster.node(host).up for host in HOSTS):
        time.sleep(0.05)


def _outlives_the_panel(office: Site) -> None:
    """The worker dies when its server goes down, in whatever moment; the reconciler offers the run."""
    run = started(office, "restart_node", node=THREE, service="host")
    before = boots(office)[2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proving, "prove", _dies)
        with suppress(PanelGone):
            tasks.execute(run.pk)
    run.refresh_from_db()
    assert run.state == "running"
    Run.objects.filter(pk=run.pk).update(lease_owner="", lease_until=None)  # it ran out meanwhile
    pool.close_all()
    while boots(office)[2] == before:
        time.sleep(0.05)
    assert reconcile.abandoned() == [run.pk]
    driven(run)
    assert run.state == "succeeded", run.sentence
    assert boots(office)[2] == before + 1  # once, not twice
    assert max(office.jobs(run).values()) == 1


class PanelGone(BaseException):
    """As a power cut: nothing is caught, nothing is tidied up."""


def _dies(*_: Any) -> None:
    raise PanelGone


def _nobody_remembers(office: Site) -> None:
    """All lost their power: no order, no note, and safe_to_bootstrap may lie."""
    office.cluster.power_cut(*HOSTS)
    pool.close_all()
    for host in HOSTS:
        office.cluster.power_on(host)
    _wait_until_up(office)
    for host in HOSTS:
        office.cluster.happen(
            events.KillDatabase(host), events.ResetFailed(host, "mariadb.service")
        )
    with pytest.raises(Refused) as refused:
        services.plan_preview(cluster=office.row, procedure="start_cluster", params={})
    assert refused.value.first.code == "order_unknown"
    assert refused.value.first.evidence["instead"] == "recover_galera"
