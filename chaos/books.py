"""The panel's database, in the process of a lane: make a run, look at it, read what it says at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F

from chaos.truth import InBooks
from nodes.domain.refusal import Refused
from nodes.domain.text import Text
from nodes.models import Cluster
from operations import services
from operations.domain.machine import ACTIVE, RunState
from operations.domain.plan import Plan
from operations.models import Backup, Run
from operations.runtime import journal


@dataclass(frozen=True)
class Glance:
    """A run at one moment. `steps`: state and bytes of log, in plan order."""

    state: str
    owner: str
    fence: int
    steps: Sequence[tuple[str, int]]

    @property
    def over(self) -> bool:
        return self.state not in ACTIVE


def start(cluster: int, plan: Plan) -> str:
    """As an accepted plan: stored, then announced to the workers. The id of the run.

    The services refuse a plan that no planner made, and should; so it goes straight into the books.
    """
    admin = get_user_model().objects.get()
    with transaction.atomic():
        run = services._create(Cluster.objects.get(pk=cluster), plan, {}, {}, admin)
        transaction.on_commit(lambda: services._enqueue(run))
    return run.pk


def deliver_again(run: str) -> None:
    """As a broker that lost track of an acknowledgement."""
    services._enqueue(Run.objects.get(pk=run))


def cancel(run: str) -> None:
    """As the person would; a run that is over by now stays as it is."""
    try:
        services.run_cancel(run=Run.objects.get(pk=run), by=get_user_model().objects.get())
    except Refused:
        return


def give_up(run: str) -> None:
    """A run that does not end: it must not keep the cluster from the next one."""
    Run.objects.filter(pk=run).update(state=RunState.INTERRUPTED, fence=F("fence") + 1)


def glance(run: str) -> Glance:
    found = Run.objects.only("state", "lease_owner", "fence").get(pk=run)
    steps = found.steps.order_by("position").values_list("state", "log_bytes")
    return Glance(found.state, found.lease_owner, found.fence, list(steps))


def told(run: str) -> list[InBooks]:
    """Every step as the panel tells it."""
    found = Run.objects.get(pk=run)
    records = {step.key: step.records for step in found.plan.steps}
    return [
        InBooks(
            step.key,
            step.state,
            step.attempt,
            step.exit_code,
            _sha256(run, step.key),
            bool(records[step.key]),
            Backup.objects.filter(run=found, node=step.node).count(),
        )
        for step in found.steps.order_by("position")
    ]


def _sha256(run: str, key: str) -> str:
    digest = hashlib.sha256()
    for body in journal.log_bytes(run, key, 1):
        digest.update(body)
    return digest.hexdigest()


def sentence(run: str) -> str:
    """How the run says that it ended."""
    said = Run.objects.values_list("sentence", flat=True).get(pk=run)
    return str(Text.from_json(said)) if said else ""


def attached(run: str) -> Mapping[int, datetime]:
    """Line number and time of every event that says: attached again."""
    lines = journal.read(run, limit=1_000_000)
    events = [line for line in lines if line.kind == journal.EVENT]
    return {line.number: line.at for line in events if line.event["type"] == "attached"}
