"""What was done: runs, their steps and journal, and backups."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q

from nodes.models import Cluster
from operations.body import BodyField
from operations.domain.machine import ACTIVE, RunState, StepState
from operations.domain.plan import Plan

# No vowels and no look-alikes: an id is read over the phone and never spells a word.
_ID_ALPHABET = "23456789bcdfghjkmnpqrstvwxz"


def new_run_id() -> str:
    """Ten characters; also part of the job's directory on the nodes, so file-name safe."""
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(10))


class Run(models.Model):
    """One execution of one accepted plan."""

    id = models.CharField(primary_key=True, max_length=16, default=new_run_id, editable=False)
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="runs")
    procedure = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    plan_json = models.JSONField()
    plan_hash = models.CharField(max_length=64)
    confirmations = models.JSONField(default=dict)
    state = models.CharField(max_length=12, default=RunState.WAITING)
    cancelling = models.BooleanField(default=False)
    sentence = models.JSONField(null=True)  # Text: how it ended, or what it waits for
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    # The lease: who drives this run now. `fence` grows with every claim; writes carry it.
    lease_owner = models.CharField(max_length=64, blank=True, default="")
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)

    next_line = models.PositiveIntegerField(default=1)  # number of the next journal line
    log_removed = models.JSONField(null=True)  # Text: when and why the output was removed

    class Meta:
        constraints = [
            # Law 1: one mutating run per cluster, decided here and nowhere else.
            models.UniqueConstraint(
                fields=["cluster"],
                condition=Q(state__in=sorted(ACTIVE)),
                name="one_active_run_per_cluster",
            )
        ]
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.procedure} {self.id}"

    @property
    def plan(self) -> Plan:
        return Plan.from_json(self.plan_json)


class ShownPlan(models.Model):
    """A plan as it was shown: kept a while, so that a changed one can be compared with it (law 2)."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="+")
    hash = models.CharField(max_length=64)
    plan_json = models.JSONField()
    shown_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "hash"], name="one_row_per_shown_plan")
        ]

    def __str__(self) -> str:
        return f"{self.hash[:12]} shown at {self.shown_at:%F %T}"


class RunStep(models.Model):
    """Where one step of a run stands. `position` is its place in the plan, from 0."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    key = models.CharField(max_length=80)
    position = models.PositiveIntegerField()
    stage = models.CharField(max_length=40)
    node = models.CharField(max_length=253)
    state = models.CharField(max_length=10, default=StepState.PENDING)
    attempt = models.PositiveIntegerField(default=0)
    when_unproven = models.CharField(max_length=10, default="fail")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True)
    log_bytes = models.BigIntegerField(default=0)  # bytes of this attempt's log in the journal
    sentence = models.JSONField(null=True)  # Text: what the proof or the failure said

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="one_row_per_step")]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.run_id} {self.key}: {self.state}"


class JournalChunk(models.Model):
    """Some whole lines of a run's journal, numbered from `first_line` without a gap.

    kind "output": bytes of a job's log exactly as the node has them, from `byte_offset` on;
    kind "event": one JSON object, one line. A line longer than the limit is split in numbered parts.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="journal")
    first_line = models.PositiveIntegerField()
    line_count = models.PositiveIntegerField()
    kind = models.CharField(max_length=6)
    step_key = models.CharField(max_length=80, blank=True, default="")
    attempt = models.PositiveIntegerField(default=0)
    byte_offset = models.BigIntegerField(default=0)
    body = BodyField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "first_line"], name="one_chunk_per_line")
        ]
        ordering = ["first_line"]

    def __str__(self) -> str:
        return f"{self.run_id} lines {self.first_line}+{self.line_count}"


class Backup(models.Model):
    """A backup that was read back: path on its node, size, checksum, when it was verified."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="backups")
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="backups")
    kind = models.CharField(max_length=10)  # database, storage
    node = models.CharField(max_length=253)
    path = models.CharField(max_length=1024)
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    verified_at = models.DateTimeField()

    class Meta:
        ordering = ["-verified_at"]

    def __str__(self) -> str:
        return f"{self.kind} backup {self.path} on {self.node}"


class PendingSettings(models.Model):
    """A node was away when a revision was written; it gets the same lines when it answers.

    `run` is the one that left the node out, behind a gate that `by` confirmed. `said`: Text, why it
    still waits or how it ended.
    """

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="pending_settings")
    host = models.CharField(max_length=253)
    revision = models.PositiveIntegerField()
    apply_command = models.CharField(max_length=1000, blank=True, default="")  # as it was shown
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    tried_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    said = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "host"],
                condition=Q(ended_at__isnull=True),
                name="one_open_pending_per_host",
            )
        ]
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"revision {self.revision} for {self.host}"


class Fence(models.Model):
    """A server that was not told of a change of the primary, because it did not answer (law 11).

    Opened together with the run, never changed, closed once: by the proof in `evidence`, that its
    `.env` names the primary of the settings. `names` is whom it named as far as was known. The last
    three fields say only what came of the newest try.
    """

    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="fences")
    host = models.CharField(max_length=253)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="fences")
    names = models.CharField(max_length=253, blank=True, default="")
    opened_by = models.CharField(max_length=150)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    evidence = models.JSONField(null=True)
    trying_until = models.DateTimeField(null=True)  # somebody is at it, or it must rest
    tried_at = models.DateTimeField(null=True)
    said = models.JSONField(null=True)  # Text: why it is still open

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "host"],
                condition=Q(closed_at__isnull=True),
                name="one_open_fence_per_host",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, evidence__isnull=True)
                | Q(closed_at__isnull=False, evidence__isnull=False),
                name="a_fence_is_closed_by_proof",
            ),
        ]
        ordering = ["opened_at"]

    def __str__(self) -> str:
        return f"fence of {self.host}, run {self.run_id}"
