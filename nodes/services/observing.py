"""Asking the servers, and keeping the newest answer of each."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from nodes import selectors
from nodes.domain.facts_json import to_json
from nodes.domain.observation import ClusterFacts, Unknown
from nodes.models import Cluster, Observation
from nodes.probes.gluster import Backlog
from nodes.probes.sweep import DEADLINE_S, Sweep
from nodes.services.clusters import targets_for
from nodes.transport import pool

# `heal info` takes locks and may be slow: the steady beat asks it at most this often.
HEAL_EVERY_S = 30.0
_GUARD = timedelta(seconds=DEADLINE_S + 5)


def observe(*, cluster: Cluster, max_age_s: float = 0) -> ClusterFacts:
    """Ask every server now and store the answers. Takes at most about ten seconds; never raises
    because of a server: what could not be asked is Unknown.

    `max_age_s`: if everything that is stored is younger (seconds), that is returned instead.
    """
    stored = selectors.latest_facts(cluster)
    if stored and max_age_s and _age(stored) <= max_age_s:
        return stored
    return _sweep(cluster, None)


def observe_if_idle(*, cluster: Cluster) -> ClusterFacts | None:
    """The steady beat: None when somebody is asking already, in whatever process."""
    now = timezone.now()
    idle = Q(sweep_until__isnull=True) | Q(sweep_until__lt=now)
    ours = Cluster.objects.filter(idle, pk=cluster.pk).update(sweep_until=now + _GUARD)
    if not ours:
        return None
    try:
        return _sweep(cluster, _fresh_backlog(selectors.latest_facts(cluster)))
    finally:
        Cluster.objects.filter(pk=cluster.pk).update(sweep_until=None)


def _sweep(cluster: Cluster, backlog: Backlog | None) -> ClusterFacts:
    sweep = Sweep(
        cluster_id=cluster.pk,
        targets=targets_for(cluster),
        app_dir=cluster.app_dir,
        monitor_password=cluster.monitor_password,
        backlog=backlog,
    )
    facts = sweep.run(pool.transport_for)
    _store(cluster, facts)
    return facts


def _store(cluster: Cluster, facts: ClusterFacts) -> None:
    """Each node's newest answer; a slow sweep never overwrites a later one."""
    with transaction.atomic():
        for node in facts.nodes:
            taken_at = datetime.fromtimestamp(node.taken_at, UTC)
            values = {"taken_at": taken_at, "facts": to_json(node)}
            newest = Observation.objects.filter(cluster=cluster, host=node.host)
            if newest.filter(taken_at__gt=taken_at).exists():
                continue
            Observation.objects.update_or_create(cluster=cluster, host=node.host, defaults=values)


def _age(facts: ClusterFacts) -> float:
    return time.time() - min((node.taken_at for node in facts.nodes), default=0.0)


def _fresh_backlog(facts: ClusterFacts | None) -> Backlog | None:
    """What waits for healing, if it was counted a short while ago."""
    pending: dict[str, int | None] = {}
    counted_at = 0.0
    for node in facts.nodes if facts else ():
        counted_at = max(counted_at, float(node.extra.get("heal_at", 0.0)))
        for volume in () if isinstance(node.gluster_volumes, Unknown) else node.gluster_volumes:
            pending |= {brick.name: brick.heal_pending for brick in volume.bricks}
    fresh = time.time() - counted_at < HEAL_EVERY_S
    return Backlog(pending, counted_at) if fresh else None
