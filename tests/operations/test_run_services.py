"""Start, cancel and resume: what was shown is what runs, and one run at a time."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from clusterpanel.models import AuditEntry
from nodes.domain.refusal import Refusal, Refused
from nodes.models import Cluster, SettingsRevision
from operations import holder, services
from operations.domain.plan import Step
from operations.models import Backup, Run, RunStep, ShownPlan
from operations.runtime import journal, lease
from tests.builders import HOSTS, node, synced
from tests.operations.office import ACCEPT, Office

ONE, TWO, _ = HOSTS


def refusal_of(act: Any, *args: Any, **kwargs: Any) -> Refusal:
    with pytest.raises(Refused) as refused:
        act(*args, **kwargs)
    return refused.value.first


def fail(run: Run, done: int = 1) -> Run:
    """As the engine leaves a run whose step after `done` failed."""
    for row in run.steps.all():
        state = "succeeded" if row.position < done else "pending"
        state = "failed" if row.position == done else state
        attempt = int(state != "pending")
        RunStep.objects.filter(pk=row.pk).update(state=state, attempt=attempt)
    Run.objects.filter(pk=run.pk).update(state="failed")
    run.refresh_from_db()
    return run


def test_a_started_run_is_the_plan_that_was_shown(office: Office) -> None:
    plan = office.plan("install_galera")
    answer = {"backup-database": {"backup": office.backup().pk}, **ACCEPT}
    run = office.start("install_galera", confirmations=answer, plan_hash=plan.hash)
    assert run.plan == plan
    assert run.state == "waiting"
    assert list(run.steps.values_list("key", "node", "position", "state", "attempt")) == [
        (step.key, step.node, place, "pending", 0) for place, step in enumerate(plan.steps)
    ]
    assert run.confirmations == answer


def test_the_audit_tells_what_was_shown_and_confirmed(office: Office) -> None:
    answer = {"backup-database": {"backup": office.backup().pk}, **ACCEPT}
    run = office.start("install_galera", confirmations=answer)
    entry = AuditEntry.objects.get(action="run.start")
    assert (entry.who, entry.subject) == ("ivanov", f"run {run.pk}")
    assert entry.detail["plan_hash"] == run.plan_hash
    assert entry.detail["confirmations"] == answer
    assert "are lost" in entry.detail["gates"]["databases-replaced"]


def test_a_broker_that_is_away_does_not_stop_it(office: Office) -> None:
    before = time.monotonic()
    assert office.start().state == "waiting"
    assert time.monotonic() - before < 2


def test_another_plan_than_the_shown_one_is_refused_with_the_difference(office: Office) -> None:
    shown = office.plan("install_galera")
    office.see(node(ONE, galera=synced(1)))
    refusal = refusal_of(office.start, "install_galera", plan_hash=shown.hash)
    assert refusal.code == "plan_changed"
    assert f"Start the Galera cluster on the primary {ONE}" in str(refusal.evidence["differences"])
    assert not Run.objects.exists()


def test_changed_settings_change_the_plan(office: Office) -> None:
    shown = office.plan("backup_database")
    _new_revision(office)
    refusal = refusal_of(office.start, "backup_database", plan_hash=shown.hash)
    assert "revision 1 was shown, now it is 2" in str(refusal.why)


def _new_revision(office: Office) -> None:
    old = office.cluster.revision
    SettingsRevision.objects.create(
        cluster=office.cluster,
        number=old.number + 1,
        galera_peer_hosts=old.galera_peer_hosts,
        cluster_fs_peer_hosts=old.cluster_fs_peer_hosts,
        cluster_primary_host=old.cluster_primary_host,
    )


def test_a_hash_that_nobody_saw_is_refused(office: Office) -> None:
    refusal = refusal_of(office.start, "backup_database", plan_hash="0" * 64)
    assert refusal.code == "plan_changed"
    assert "was not shown" in str(refusal.why)


def test_the_plan_of_another_procedure_is_refused(office: Office) -> None:
    other = office.plan("backup_storage")
    refusal = refusal_of(office.start, "backup_database", plan_hash=other.hash)
    assert "another procedure" in str(refusal.why)


def test_a_refusal_of_the_planner_comes_through(office: Office) -> None:
    assert refusal_of(office.plan, "install_galera", nodes=[TWO]).code == "order_primary_first"
    assert refusal_of(office.plan, "install_glusterfs", stages=["mount"]).code == (
        "order_volume_missing"
    )
    assert refusal_of(office.plan, "format_disks").code == "procedure_unknown"


def test_a_shown_plan_is_kept_once_and_not_for_ever(office: Office) -> None:
    plan = office.plan("backup_database")
    office.plan("backup_database")
    assert ShownPlan.objects.count() == 1
    ShownPlan.objects.update(shown_at="2020-01-01T00:00:00Z")
    office.plan("backup_storage")
    assert not ShownPlan.objects.filter(hash=plan.hash).exists()


def test_a_second_run_is_refused_by_name(office: Office) -> None:
    first = office.start()
    refusal = refusal_of(office.start, "backup_storage", by=office.operator)
    assert refusal.code == "run_active"
    assert (refusal.evidence["run"], refusal.evidence["by"]) == (first.pk, "ivanov")
    assert "ivanov" in str(refusal.why)


def test_of_two_starts_at_once_one_runs(office: Office) -> None:
    plan_hash = office.plan("backup_database").hash
    barrier = threading.Barrier(2)
    ends: list[str] = []

    def one() -> None:
        barrier.wait()
        try:
            ends.append(office.start("backup_database", plan_hash=plan_hash).state)
        except Refused as refused:
            ends.append(refused.first.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["run_active", "waiting"]
    assert Run.objects.count() == 1


def test_the_database_decides_even_when_the_first_look_saw_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = office.start()
    looks = 0

    def blind_at_first(cluster: Cluster) -> Run | None:
        nonlocal looks
        looks += 1
        return holder.active_run(cluster) if looks > 1 else None

    monkeypatch.setattr("operations.services.active_run", blind_at_first)
    refusal = refusal_of(office.start, "backup_storage")
    assert (refusal.code, refusal.evidence["run"]) == ("run_active", first.pk)
    assert AuditEntry.objects.filter(action="run.start").count() == 1


def test_a_run_that_nobody_began_is_cancelled_at_once(office: Office) -> None:
    run = services.run_cancel(run=office.start(), by=office.operator)
    assert run.state == "cancelled"
    assert run.ended_at is not None
    events = [line.event for line in journal.read(run.pk)]
    assert [event["state"] for event in events] == ["cancelled"]
    assert office.start().state == "waiting"  # the cluster is free again


def test_a_run_that_a_worker_drives_is_only_asked_to_end(office: Office) -> None:
    run = office.start()
    assert lease.claim(run.pk) is not None
    run = services.run_cancel(run=run, by=office.admin)
    assert (run.state, run.cancelling) == ("waiting", True)
    assert AuditEntry.objects.get(action="run.cancel").subject == f"run {run.pk}"


def test_a_resumed_run_with_a_job_behind_it_is_not_called_over(office: Office) -> None:
    run = fail(office.start())
    RunStep.objects.filter(run=run).update(state="unknown", attempt=1)
    run = services.run_resume(run=run, by=office.admin)
    assert services.run_cancel(run=run, by=office.admin).state == "waiting"


def test_what_is_over_cannot_be_cancelled(office: Office) -> None:
    run = services.run_cancel(run=office.start(), by=office.admin)
    assert refusal_of(services.run_cancel, run=run, by=office.admin).code == "run_over"


def galera_run(office: Office) -> tuple[Run, Backup]:
    backup = office.backup()
    answer = {"backup-database": {"backup": backup.pk}, **ACCEPT}
    return fail(office.start("install_galera", confirmations=answer)), backup


def test_resume_proves_again_what_was_done_and_runs_the_rest(office: Office) -> None:
    run, _ = galera_run(office)
    run = services.run_resume(run=run, by=office.operator)
    assert run.state == "waiting"
    assert list(run.steps.values_list("state", flat=True)) == ["verifying", "pending", "pending"]
    assert AuditEntry.objects.get(action="run.resume").who == "petrov"


def test_resume_asks_the_gates_again(office: Office) -> None:
    run, backup = galera_run(office)
    del office.files[ONE, backup.path]
    assert refusal_of(services.run_resume, run=run, by=office.admin).code == "backup_invalid"
    run.refresh_from_db()
    assert run.state == "failed"


def test_resume_waits_for_the_cluster_to_be_free(office: Office) -> None:
    run, _ = galera_run(office)
    other = office.start("backup_database")
    refusal = refusal_of(services.run_resume, run=run, by=office.admin)
    assert (refusal.code, refusal.evidence["run"]) == ("run_active", other.pk)
    run.refresh_from_db()
    assert run.state == "failed"
    assert list(run.steps.values_list("state", flat=True)) == ["succeeded", "failed", "pending"]


def test_only_a_run_without_success_is_resumed(office: Office) -> None:
    run = office.start()
    assert refusal_of(services.run_resume, run=run, by=office.admin).code == "run_active"
    Run.objects.filter(pk=run.pk).update(state="succeeded")
    assert refusal_of(services.run_resume, run=run, by=office.admin).code == "run_not_resumable"


def test_resume_does_not_mix_two_settings(office: Office) -> None:
    run, _ = galera_run(office)
    _new_revision(office)
    assert refusal_of(services.run_resume, run=run, by=office.admin).code == "settings_changed"


def evidence(**changes: Any) -> dict[str, Any]:
    return {"node": ONE, "path": "/b/x.gz", "bytes": 7, "sha256": "c" * 64, **changes}


def test_a_proven_backup_is_written_down_once(office: Office) -> None:
    run = office.start()
    step = run.plan.steps[0]
    services.record_effect(run, step, evidence())
    services.record_effect(run, step, evidence())  # a resumed run proves again
    backup = Backup.objects.get()
    assert (backup.kind, backup.node, backup.bytes, backup.run) == ("database", ONE, 7, run)
    assert AuditEntry.objects.filter(action="backup.verified").count() == 1


def test_other_steps_leave_nothing_in_the_books(office: Office) -> None:
    run = office.start()
    step: Step = replace(run.plan.steps[0], records="")
    services.record_effect(run, step, evidence())
    assert not Backup.objects.exists()
