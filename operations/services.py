"""Everything an admin can do with a run: see its plan, start, cancel and resume it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import redis
from celery import current_app
from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from clusterpanel.audit import record
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs, of_the_panel, open_to_viewers
from nodes.domain.refusal import Refused
from nodes.domain.text import Text, say
from nodes.models import Cluster
from operations import fences, gates
from operations.domain.machine import ACTIVE, Life, Resumed, RunState, advance
from operations.domain.plan import Plan, Step
from operations.domain.planners.apply_settings import LATER
from operations.holder import (
    active_run,
    lost_the_race,
    not_checkable,
    not_resumable,
    run_active,
    run_over,
    settings_changed,
)
from operations.models import Backup, PendingSettings, Run, RunStep
from operations.planning import plan_now, remember, require_shown
from operations.runtime import checking, hub, journal, store

log = logging.getLogger(__name__)
_EXECUTE = "operations.tasks.execute"  # by name: tasks are a ring further out
_CHECK = "operations.tasks.check"


@open_to_viewers
def plan_preview(*, cluster: Cluster, procedure: str, params: Mapping[str, Any]) -> Plan:
    """The plan of now, remembered as shown. Raises Refused."""
    plan = plan_now(cluster=cluster, procedure=procedure, params=params)
    remember(cluster, plan)
    return plan


@needs(Role.OPERATOR)
def run_start(
    *,
    cluster: Cluster,
    procedure: str,
    params: Mapping[str, Any],
    plan_hash: str,
    confirmations: Mapping[str, Any],
    by: Any,
) -> Run:
    """Accept a plan that was shown and hand it to the workers.

    1. Nothing else runs on the cluster.  2. The plan of now is the plan that was shown.
    3. Every gate is answered.  4. One transaction makes the run; the database decides the race.
    Raises Refused: a planner's refusal, plan_changed, those of the gates, run_active.
    """
    if holder := active_run(cluster):
        raise Refused(run_active(holder))
    plan = plan_now(cluster=cluster, procedure=procedure, params=params)
    require_shown(cluster, plan, plan_hash)
    now = timezone.now().timestamp()
    if refusals := gates.evaluate(
        plan=plan, cluster=cluster, confirmations=confirmations, user=by, now=now
    ):
        raise Refused(*refusals)
    try:
        with transaction.atomic():
            run = _create(cluster, plan, params, confirmations, by)
            transaction.on_commit(lambda: _enqueue(run))
    except IntegrityError:
        raise Refused(lost_the_race(cluster, plan)) from None
    return run


def _create(
    cluster: Cluster,
    plan: Plan,
    params: Mapping[str, Any],
    confirmations: Mapping[str, Any],
    by: Any,
) -> Run:
    run = Run.objects.create(
        cluster=cluster,
        procedure=plan.procedure,
        params=dict(params),
        plan_json=plan.to_json(),
        plan_hash=plan.hash,
        confirmations=gates.to_keep(confirmations),
        started_by=by,
    )
    _add_steps(run, plan)
    _add_pending(run, plan, by)
    _audit_start(run, plan, by)
    fences.open_with(run, plan, by)
    return run


def _add_steps(run: Run, plan: Plan) -> None:
    stages = {step.key: stage.key for stage in plan.stages for step in stage.steps}
    RunStep.objects.bulk_create(
        RunStep(run=run, key=step.key, position=i, stage=stages[step.key], node=step.node)
        for i, step in enumerate(plan.steps)
    )


def _add_pending(run: Run, plan: Plan, by: Any) -> None:
    """Nodes that the plan leaves for later; what waited for them before is settled by it."""
    hosts = [h for g in plan.gates if g.id == LATER for h in g.subject.split(",")]
    now, waiting = timezone.now(), run.cluster.pending_settings.filter(host__in=hosts)
    waiting.filter(ended_at=None).update(ended_at=now)
    PendingSettings.objects.bulk_create(
        PendingSettings(
            cluster=run.cluster,
            host=host,
            revision=plan.settings_revision,
            apply_command=run.cluster.apply_command,
            run=run,
            by=by,
        )
        for host in hosts
    )


def _audit_start(run: Run, plan: Plan, by: Any) -> None:
    """What was shown and what was confirmed (law 14)."""
    detail = {
        "cluster": run.cluster.name,
        "procedure": plan.procedure,
        "params": run.params,
        "plan_hash": plan.hash,
        "steps": [step.key for step in plan.steps],
        "gates": {gate.id: str(gate.why) for gate in plan.gates},
        "confirmations": run.confirmations,
    }
    record(who=by.get_username(), action="run.start", subject=f"run {run.id}", detail=detail)


@needs(Role.OPERATOR)
def run_cancel(*, run: Run, by: Any) -> Run:
    """Ask for the end of a run; what runs on a node is stopped by the worker that drives it.

    A run that no worker has begun ends here and now. Raises Refused `run_over`.
    """
    with transaction.atomic():
        moved = Run.objects.filter(pk=run.pk, state__in=ACTIVE).update(cancelling=True)
        if not moved:
            raise Refused(run_over(Run.objects.get(pk=run.pk)))
        _end_if_untouched(run, by)
        record(who=by.get_username(), action="run.cancel", subject=f"run {run.pk}")
    run.refresh_from_db()
    return run


def _end_if_untouched(run: Run, by: Any) -> None:
    """A waiting run without a lease and without a job: there is nothing to stop anywhere."""
    idle = Run.objects.filter(pk=run.pk, state=RunState.WAITING, lease_owner="")
    if RunStep.objects.filter(run=run, attempt__gt=0).exists():
        return
    sentence = say("%(who)s cancelled it before it began.", who=by.get_username())
    ended = {"state": RunState.CANCELLED, "ended_at": timezone.now()}
    if idle.update(**ended, sentence=sentence.to_json()):
        event = {"type": "run", "state": RunState.CANCELLED, "cancelling": True}
        _note(run, {**event, "text": sentence.to_json()})


def _note(run: Run, event: dict[str, Any]) -> None:
    newest = journal.append_event(run_id=run.pk, fence=None, event=event)
    transaction.on_commit(lambda: hub.notify(run.pk, newest))


@needs(Role.OPERATOR)
def run_resume(*, run: Run, by: Any) -> Run:
    """Go on with a run that ended without success: done steps are proven again, not run again.

    Raises Refused: run_not_resumable, the backup gates of the plan, settings_changed, run_active.
    """
    run = Run.objects.select_related("cluster").get(pk=run.pk)
    refusal = not_resumable(run) or settings_changed(run) or fences.in_the_way(run)
    refusal = refusal or gates.recheck(run)
    if refusal:
        raise Refused(refusal)
    try:
        with transaction.atomic():
            _revive(run, by)
            transaction.on_commit(lambda: _enqueue(run))
    except IntegrityError:
        raise Refused(run_active(active_run(run.cluster))) from None
    run.refresh_from_db()
    return run


def _revive(run: Run, by: Any) -> None:
    """Compare-and-set on the state: of two people who resume, the second is told it runs."""
    moments = frozenset(step.key for step in run.plan.steps if step.moment)
    life, _ = advance(store.load(run.pk), Resumed(moments))
    moved = Run.objects.filter(pk=run.pk, state=run.state, log_removed__isnull=True).update(
        state=life.state, cancelling=False, ended_at=None, sentence=None
    )
    if not moved:
        raise Refused(run_active(active_run(run.cluster)))
    _save_steps(run, life)
    _note(run, {"type": "run", "state": life.state, "cancelling": False, "text": None})
    record(who=by.get_username(), action="run.resume", subject=f"run {run.pk}")


def _save_steps(run: Run, life: Life) -> None:
    for step in life.steps:
        RunStep.objects.filter(run=run, key=step.key).update(
            state=step.state, attempt=step.attempt, when_unproven=step.when_unproven
        )


@needs(Role.OPERATOR)
def run_check(*, run: Run, step: str, by: Any) -> None:
    """Ask a worker to read what a stopped or lost step left behind; the journal gets the finding.

    Nothing is started or stopped by it. Raises Refused run_active, nothing_to_check.
    """
    if refusal := not_checkable(run, step):
        raise Refused(refusal)
    about = run.plan.step(step)
    text = say(
        "%(who)s asked what “%(title)s” left on %(node)s. Its proof is read; nothing is started.",
        who=by.get_username(),
        title=about.title,
        node=about.node,
    )
    with transaction.atomic():
        _note(run, _check_event(about, checking.ASKED, text))
        record(who=by.get_username(), action="run.check", subject=f"run {run.pk} step {step}")
        transaction.on_commit(lambda: _send_check(run, about))


def _send_check(run: Run, step: Step) -> None:
    if not _send(_CHECK, run.pk, step.key):
        text = say("No worker could be told to check: the broker is away. Try again in a moment.")
        with transaction.atomic():
            _note(run, _check_event(step, checking.UNKNOWN, text))


def _check_event(step: Step, state: str, text: Text) -> dict[str, Any]:
    about = {"type": checking.CHECK, "step": step.key, "node": step.node}
    return {**about, "state": state, "text": text.to_json()}


@of_the_panel
def record_effect(run: Run, step: Step, evidence: Mapping[str, Any]) -> None:
    """Write into the panel's books what a proven step left; a second proof changes nothing."""
    kind, _, subject = step.records.partition(":")
    if kind != "backup":
        return
    backup, created = Backup.objects.get_or_create(
        run=run,
        kind=subject,
        node=evidence["node"],
        path=evidence["path"],
        sha256=evidence["sha256"],
        defaults={
            "cluster": run.cluster,
            "bytes": evidence["bytes"],
            "verified_at": timezone.now(),
        },
    )
    if created:
        who = run.started_by.get_username() if run.started_by else ""
        detail = {"run": run.pk, **evidence}
        record(who=who, action="backup.verified", subject=f"backup {backup.pk}", detail=detail)


def _enqueue(run: Run) -> None:
    """Without a broker nobody is told, and the reconciler finds the run instead."""
    if not _send(_EXECUTE, run.pk):
        log.warning("run %s waits for the reconciler", run.pk)


def _send(task: str, *args: str) -> bool:
    """Tell a worker; False when the broker is away.

    The connection is one of its own: a shared one would try for seconds while a person waits.
    """
    once = {"max_retries": 0, "interval_start": 0, "interval_step": 0}
    try:
        with current_app.connection_for_write(transport_options=once) as broker:
            current_app.send_task(task, args=list(args), retry=False, connection=broker)
    except (OperationalError, redis.RedisError, OSError) as error:
        log.warning("%s %s was not sent: the broker is away (%s)", task, " ".join(args), error)
        return False
    return True
