"""Who holds a cluster, and why a run cannot be stopped, checked or gone on with."""

from __future__ import annotations

from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from nodes.models import Cluster
from operations import gates
from operations.domain.machine import ACTIVE, RESUMABLE, StepState
from operations.domain.plan import Plan
from operations.models import Run

CHECKABLE = (StepState.CANCELLED, StepState.UNKNOWN)


def active_run(cluster: Cluster) -> Run | None:
    """The run that holds the cluster now (law 1: there is at most one)."""
    runs = Run.objects.select_related("started_by")
    return runs.filter(cluster=cluster, state__in=ACTIVE).first()


def run_active(holder: Run | None) -> Refusal:
    """Law 1, by name: which run holds the cluster, whose it is, since when."""
    if holder is None:  # it ended between the refusal of the database and our question
        why, evidence = say("Another run was just being started."), {}
    else:
        who = holder.started_by.get_username() if holder.started_by else "?"
        since = f"{holder.created_at:%Y-%m-%d %H:%M:%S} UTC"
        title = holder.plan.title
        why = say(
            "“%(title)s” (run %(id)s) of %(who)s is active since %(since)s.",
            title=title,
            id=holder.pk,
            who=who,
            since=since,
        )
        evidence = {"run": holder.pk, "procedure": holder.procedure, "by": who, "since": since}
    fix = say("Wait for its end, or cancel it. One run at a time changes a cluster.")
    return Refusal("run_active", why, fix, evidence)


def lost_the_race(cluster: Cluster, plan: Plan) -> Refusal:
    """Somebody else started a run, or saved settings, between our look and our start."""
    holder, now = active_run(cluster), cluster.revision.number
    if holder is None and plan.primary and now >= plan.settings_revision:
        return settings_moved(plan.settings_revision - 1, now)
    return run_active(holder)


def run_over(run: Run) -> Refusal:
    why = say("The run %(id)s is over: %(state)s.", id=run.pk, state=run.state)
    return Refusal("run_over", why, say("Nothing has to be stopped."), {"state": run.state})


def not_resumable(run: Run) -> Refusal | None:
    if run.state in RESUMABLE:
        return _forgotten(run)
    if run.state in ACTIVE:
        return run_active(run)
    why = say("The run %(id)s has succeeded; nothing is left to do.", id=run.pk)
    fix = say("Plan the procedure again if you need it.")
    return Refusal("run_not_resumable", why, fix, {"state": run.state})


def _forgotten(run: Run) -> Refusal | None:
    if run.log_removed is None:
        return None
    why = say("The run %(id)s is so old that its output was removed.", id=run.pk)
    fix = say("Plan the procedure again: it will contain what is left to do.")
    return Refusal("run_not_resumable", why, fix, {"state": run.state})


def cannot_resume(run: Run) -> Refusal | None:
    """Why the run will not be gone on with, before anybody asks; no node is asked for it."""
    if refusal := not_resumable(run) or settings_changed(run):
        return refusal
    holder = active_run(run.cluster)
    return run_active(holder) if holder else gates.recheck(run, ask=False)


def not_checkable(run: Run, key: str) -> Refusal | None:
    """A check reads the nodes beside nobody: not while a run changes them (law 1)."""
    if holder := active_run(run.cluster):
        return run_active(holder)
    if refusal := _forgotten(run):
        return refusal
    state = run.steps.filter(key=key).values_list("state", flat=True).first()
    if state in CHECKABLE:
        return None
    why = say("The effect of this step is not in doubt: %(state)s.", state=state or "-")
    return Refusal("nothing_to_check", why, say("Nothing has to be checked."), field="step")


def settings_changed(run: Run) -> Refusal | None:
    """The plan of the run was made for other settings; going on would mix the two."""
    planned, now = run.plan.settings_revision, run.cluster.revision.number
    if planned == now or run.procedure in ("backup_database", "backup_storage", "verify_backup"):
        return None
    return settings_moved(planned, now)


def settings_moved(planned: int, now: int) -> Refusal:
    why = say(
        "The run was planned for settings revision %(planned)s, now it is %(now)s.",
        planned=planned,
        now=now,
    )
    fix = say("Plan the procedure again: it will contain what is left to do.")
    return Refusal("settings_changed", why, fix, {"planned": planned, "now": now})
