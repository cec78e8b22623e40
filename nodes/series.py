"""Six numbers of every server over time, for charts: one query, whatever the stretch of time.

The database puts the samples into slots of `step_s` seconds and keeps the worst of each number, so
that a month costs a page no more than an hour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db.models import F, Max, Min

from nodes.domain.rates import between
from nodes.models import Cluster

METRICS = ("cluster_size", "paused", "recv_queue", "heal_pending", "disk_used_pct", "load1")
_LEVELS = (0, 1, 2)

Points = tuple[tuple[int, float | None], ...]


@dataclass(frozen=True)
class History:
    """`lines`: metric → host → points, oldest first. A point is the worst of the `step_s` seconds
    that begin at its moment (seconds since the epoch); a moment that is missing was not seen."""

    since: float
    until: float
    step_s: int
    lines: Mapping[str, Mapping[str, Points]]


def history(cluster: Cluster, since: float, until: float, step_s: int) -> History:
    """Of the servers of the settings. `since` and `until` in seconds since the epoch."""
    step = max(step_s, settings.HISTORY_RAW_STEP_S)
    hosts = cluster.revision.peers.hosts
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in _slots(cluster, hosts, since, step):
        rows[row["host"]].append(row)
    lines = {m: {host: _points(rows[host], m) for host in hosts} for m in METRICS}
    return History(since, until, step, lines)


def _slots(cluster: Cluster, hosts: tuple[str, ...], since: float, step: int) -> Any:
    wanted = cluster.samples.filter(host__in=hosts, level__in=_LEVELS, at__gte=int(since))
    slots = wanted.annotate(slot=F("at") - F("at") % step).values("host", "slot")
    worst = {name: Max(name) for name in METRICS if name not in ("cluster_size", "paused")}
    return slots.annotate(
        size=Min("cluster_size"),
        paused_ns=Max("paused_ns"),
        **{f"worst_{name}": value for name, value in worst.items()},
    ).order_by("host", "slot")


def _points(rows: list[dict[str, Any]], metric: str) -> Points:
    if metric == "paused":
        return tuple((b["slot"], _fraction(a, b)) for a, b in pairwise(rows))
    name = "size" if metric == "cluster_size" else f"worst_{metric}"
    return tuple((row["slot"], row[name]) for row in rows)


def _fraction(older: Mapping[str, Any], newer: Mapping[str, Any]) -> float | None:
    """Part of the time, 0 to 1."""
    seconds = newer["slot"] - older["slot"]
    rate = between(older["paused_ns"], newer["paused_ns"], seconds)
    return None if rate is None else min(1.0, rate / 1e9)
