"""Runs as the pages meet them: rows as the engine leaves them, without an engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from nodes.domain.text import Text, say
from nodes.models import Cluster, SettingsRevision
from operations.domain.plan import Gate, Plan, Proof, Stage, Step
from operations.models import Run, RunStep
from operations.runtime import journal
from operations.runtime.lines import LineBuffer

HOSTS = ("node1", "node2", "node3")
HOSTILE = b"<script>alert('x')</script> \x1b[31m<b>red</b>\x1b[0m \x1b]0;title\x07end\n"


def made_cluster(name: str = "site") -> Cluster:
    cluster, created = Cluster.objects.get_or_create(name=name)
    if created:
        hosts = list(HOSTS)
        SettingsRevision.objects.create(
            cluster=cluster,
            number=1,
            galera_peer_hosts=hosts,
            cluster_fs_peer_hosts=hosts,
            cluster_primary_host=hosts[0],
        )
    return cluster


def made_step(place: int, host: str) -> Step:
    title = say("%(host)s joins the cluster", host=host) if place > 1 else say("Start it")
    argv = ("sh", "/app/galera_setup.sh", "-a", "init_cluster")
    proof = Proof("galera_member", (host, str(place), HOSTS[0]))
    return Step(f"galera-{place}-{host}", host, title, argv, proof, overwrites=True)


def made_plan(gates: tuple[Gate, ...] = (), warnings: tuple[Text, ...] = ()) -> Plan:
    steps = tuple(made_step(place, host) for place, host in enumerate(HOSTS, 1))
    stages = (
        Stage("primary", say("The primary"), say("First."), steps[:1]),
        Stage("join", say("The other nodes"), say("One after the other."), steps[1:]),
    )
    return Plan("install_galera", say("Install Galera"), 1, stages, gates, warnings)


def made_run(
    state: str,
    steps: Sequence[str] = ("pending",) * 3,
    *,
    cluster: Cluster | None = None,
    alive: bool = True,
    by: User | None = None,
    sentence: Text | None = None,
    plan: Plan | None = None,
) -> Run:
    """A run in `state` whose steps are in these states; started ten minutes ago."""
    plan = plan or made_plan()
    now = timezone.now()
    active = state in ("waiting", "running")
    run = Run.objects.create(
        cluster=cluster or made_cluster(),
        procedure=plan.procedure,
        plan_json=plan.to_json(),
        plan_hash=plan.hash,
        state=state,
        started_by=by,
        started_at=now - timedelta(minutes=10),
        ended_at=None if active else now,
        sentence=sentence.to_json() if sentence else None,
        lease_owner="worker" if active else "",
        lease_until=now + timedelta(hours=1 if alive else -1) if active else None,
    )
    for place, (step, its_state) in enumerate(zip(plan.steps, steps, strict=True)):
        RunStep.objects.create(
            run=run, position=place, stage="s", **_row(step, its_state, now, place)
        )
    return run


def _row(step: Step, state: str, now: Any, place: int) -> dict[str, Any]:
    row: dict[str, Any] = {"key": step.key, "node": step.node, "state": state}
    if state == "pending":
        return row
    start = now - timedelta(minutes=9 - place)
    row |= {"attempt": 1, "started_at": start}
    if state not in ("running", "verifying"):
        row["ended_at"] = start + timedelta(seconds=42)
    if state == "failed":
        row |= {"exit_code": 7, "sentence": say("The command ended with exit code 7.").to_json()}
    if state == "succeeded":
        row |= {"exit_code": 0, "sentence": say("%(n)s is Synced.", n=step.node).to_json()}
    return row


def printed(run: Run, step: str, data: bytes, attempt: int = 1) -> int:
    """The step's job printed `data`; the number of the newest line."""
    buffer = LineBuffer()
    chunks = buffer.feed(data) + buffer.drain()
    return journal.append_output(
        run_id=run.pk, fence=run.fence, step=step, attempt=attempt, chunks=chunks
    )


def happened(run: Run, **event: Any) -> int:
    return journal.append_event(run_id=run.pk, fence=None, event=event)
