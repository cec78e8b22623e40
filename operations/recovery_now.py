"""Everything the recovery page shows, by a look at the servers of this moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nodes.models import Cluster
from operations.domain.recovery import decide
from operations.domain.recovery_by_hand import Command, by_hand
from operations.domain.recovery_choice import Choice, Doubt
from operations.domain.recovery_evidence import Evidence
from operations.domain.recovery_facts import evidence_of
from operations.models import Backup
from operations.situations import situation_now


@dataclass(frozen=True)
class RecoveryNow:
    """`read_at` seconds since the epoch; `backup` the newest of the database on record, or None."""

    evidence: Evidence
    answer: Choice | Doubt
    commands: tuple[Command, ...]
    read_at: float
    backup: Backup | None


def recovery_now(*, cluster: Cluster, accepted: Sequence[str]) -> RecoveryNow:
    """Asks every server. Takes at most about 16 seconds; starts and changes nothing."""
    situation = situation_now(cluster, {}, traced=True)
    evidence = evidence_of(situation)
    answer = decide(evidence, accepted)
    return RecoveryNow(
        evidence,
        answer,
        by_hand(evidence, answer),
        situation.now,
        cluster.backups.filter(kind="database").order_by("-verified_at").first(),
    )
