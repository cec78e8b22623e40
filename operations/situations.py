"""What a planner and a guard look at: settings, servers, backups and the books, as one value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.utils import timezone

from nodes.domain.observation import ClusterFacts
from nodes.models import Cluster
from nodes.selectors import last_positions
from nodes.services import observe, traces_now
from operations import fences
from operations.domain.situation import BackupFacts, Situation
from operations.memory import memory_of
from operations.models import Backup


def situation_now(
    cluster: Cluster,
    params: Mapping[str, Any],
    *,
    traced: bool = False,
) -> Situation:
    """By a new look at every server. Takes at most about 16 seconds.

    `traced`: at the databases alone, and at what the stopped ones left on their disks.
    """
    if not traced:
        return situation_of(cluster, params, observe(cluster=cluster))
    seen = observe(cluster=cluster, storage_age_s=math.inf, quick=True)
    return with_traces(cluster, situation_of(cluster, params, seen))


def with_traces(cluster: Cluster, situation: Situation) -> Situation:
    """What lies on the disks is read after the sweep: a start in between changes its mark."""
    traces = traces_now(cluster=cluster, facts=situation.facts)
    return replace(situation, traces=traces, seen=last_positions(cluster))


def situation_of(cluster: Cluster, params: Mapping[str, Any], seen: ClusterFacts) -> Situation:
    revision = cluster.revision
    return Situation(
        cluster_name=cluster.name,
        app_dir=cluster.app_dir.rstrip("/"),
        settings=revision.peers,
        revision=revision.number,
        facts=seen,
        backups=tuple(facts(b) for b in cluster.backups.select_related("run")[:50]),
        params=dict(params),
        now=timezone.now().timestamp(),
        fences=fences.hosts(cluster),
        former=fences.former_primaries(cluster),
        workers=fences.workers_of(cluster),
        apply_command=cluster.apply_command,
        memory=memory_of(cluster),
        patience_s=settings.STEP_PATIENCE_S,
    )


def facts(backup: Backup) -> BackupFacts:
    return BackupFacts(
        id=backup.pk,
        kind=backup.kind,
        node=backup.node,
        path=backup.path,
        bytes=backup.bytes,
        sha256=backup.sha256,
        verified_at=backup.verified_at.timestamp(),
        taken_by=backup.run.procedure if backup.run else "",
    )
