"""Tells the pages of `nodes` what was done to a cluster, through the port that `nodes` defines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery

from nodes.domain.observation import ClusterFacts
from nodes.domain.text import Text
from nodes.history import KnownBackup, NodeWork, Offer, PastRun, WaitingSettings
from nodes.models import Cluster
from operations import node_work, offers, selectors
from operations.domain.life import StepState
from operations.domain.machine import ACTIVE
from operations.domain.planners import PLANNERS
from operations.models import Backup, Run
from operations.selectors import SeenBackup

# Proofs of steps that work with glusterd, or are proven by asking it.
_USE_GLUSTER = frozenset({"glusterd_active", "peers_connected", "volume_well", "storage_shared"})
_TOLD = ("procedure", "state", "created_at", "ended_at", "started_by__username")


class StoredHistory:
    """The `nodes.history.History` of this database."""

    def node_offers(
        self, cluster: Cluster, host: str, facts: ClusterFacts | None, running: PastRun | None
    ) -> Sequence[Offer]:
        return offers.node_offers(offers.situation(cluster, facts), host, running)

    def offers(self, procedure: str) -> bool:
        return procedure in PLANNERS

    def active_run(self, cluster: Cluster) -> PastRun | None:
        run = self._runs(cluster).filter(state__in=sorted(ACTIVE)).first()
        return _past(run) if run else None

    def gluster_in_use(self, cluster: Cluster) -> bool:
        run = selectors.active_run(cluster)
        if run is None:
            return False
        moving = run.steps.filter(state__in=(StepState.RUNNING, StepState.VERIFYING))
        return any(run.plan.step(step.key).proof.name in _USE_GLUSTER for step in moving)

    def runs(
        self, cluster: Cluster, limit: int, since: datetime | None = None
    ) -> Sequence[PastRun]:
        found = self._runs(cluster)
        wanted = found.filter(created_at__gte=since) if since else found
        return [_past(run) for run in wanted[:limit]]

    def last_run(self, cluster: Cluster, procedure: str) -> PastRun | None:
        run = self._runs(cluster).filter(procedure=procedure).first()
        return _past(run) if run else None

    def last_runs(self, cluster: Cluster) -> dict[str, PastRun]:
        same = Run.objects.filter(cluster=cluster, procedure=OuterRef("procedure"))
        newest = Subquery(same.order_by("-created_at").values("pk")[:1])
        return {run.procedure: _past(run) for run in self._runs(cluster).filter(pk=newest)}

    def backups(self, cluster: Cluster) -> Sequence[KnownBackup]:
        return [_known(backup, None) for backup in cluster.backups.all()[:50]]

    def backups_now(self, cluster: Cluster) -> Sequence[KnownBackup]:
        return [_known(backup, backup.why) for backup in selectors.backups(cluster)]

    def waiting_settings(self, cluster: Cluster) -> Sequence[WaitingSettings]:
        rows = cluster.pending_settings.filter(ended_at=None).select_related("by")
        return [
            WaitingSettings(
                host=row.host,
                revision=row.revision,
                by=str(row.by or ""),
                since=row.created_at,
                said=Text.from_json(row.said) if row.said else None,
            )
            for row in rows
        ]

    def work_on_nodes(self, cluster: Cluster) -> Sequence[NodeWork]:
        return node_work.of(cluster)

    def _runs(self, cluster: Cluster) -> QuerySet[Any]:
        """Newest first, only what is told of them: a list of runs must not read their plans whole."""
        runs = Run.objects.filter(cluster=cluster).select_related("started_by").only(*_TOLD)
        return runs.annotate(title=F("plan_json__title"))


def _past(run: Any) -> PastRun:
    return PastRun(
        id=run.id,
        procedure=run.procedure,
        title=_title(run),
        state=run.state,
        by=str(run.started_by or ""),
        created_at=run.created_at,
        ended_at=run.ended_at,
    )


def _title(run: Any) -> Text:
    title = run.title or {"template": run.procedure, "params": []}
    return Text(title["template"], tuple((name, value) for name, value in title["params"]))


def _known(backup: Backup | SeenBackup, why_not: Text | None) -> KnownBackup:
    return KnownBackup(
        kind=backup.kind,
        node=backup.node,
        path=backup.path,
        bytes=backup.bytes,
        sha256=backup.sha256,
        verified_at=backup.verified_at,
        why_not=why_not,
    )
