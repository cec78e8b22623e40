"""History of the servers' numbers: written by the beat, thinned in small pieces, read for charts.

    history(cluster, "load1", since=now - 3600, points=300) -> [Series(host, ((at, value), …)), …]

METRICS names what can be drawn. Times are seconds since the epoch; a value of None is a gap, and
so is a missing slice: nothing was known then, which is not zero.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from nodes.domain.observation import Sample
from nodes.domain.rates import HEAL_STUCK_S, PAUSE_WINDOW_S, between
from nodes.domain.thinning import NUMBERS, Level, at_most, slice_of, thinned, worse
from nodes.models import Cluster, NodeSample

METRICS = (
    "cluster_size",  # members of the database cluster as this server sees them
    "paused",  # part of the time, 0 to 1, that flow control held it back
    "recv_queue",  # changes that wait to be applied
    "heal_pending",  # entries that wait for healing from its bricks
    "disk_used_pct",  # of its fullest disk
    "load1",
    "memory_used_pct",
)
PIECE = 2000  # rows that one turn of the thinning touches at most
_MINUTE_S, _QUARTER_S = 60, 900


def levels() -> tuple[Level, ...]:
    return (
        Level(settings.HISTORY_RAW_STEP_S, settings.HISTORY_RAW_H * 3600),
        Level(_MINUTE_S, settings.HISTORY_MINUTES_H * 3600),
        Level(_QUARTER_S, settings.HISTORY_DAYS * 86400),
    )


def keep(cluster: Cluster, numbers: dict[str, Sample]) -> None:
    """Store the numbers by host; the first of a slice counts, so that beats may be as fast as they
    like without more rows."""
    step = levels()[0].step_s
    rows = [_row(cluster.pk, host, 0, slice_of(s.at, step), s) for host, s in numbers.items()]
    NodeSample.objects.bulk_create(rows, ignore_conflicts=True)


def _row(cluster_id: int, host: str, level: int, at: int, sample: Sample) -> NodeSample:
    values = {name: getattr(sample, name) for name in NUMBERS}
    return NodeSample(cluster_id=cluster_id, host=host, level=level, at=at, **values)


def _sample(row: NodeSample) -> Sample:
    return Sample(at=float(row.at), **{name: getattr(row, name) for name in NUMBERS})


def recent(cluster: Cluster, until: float) -> dict[str, tuple[Sample, ...]]:
    """What the rules about change need, by host, oldest first: everything of the last minutes and
    one sample a minute of the last quarter of an hour, before `until`."""
    fine = Q(at__gte=int(until - PAUSE_WINDOW_S - 30))
    coarse = Q(at__gte=int(until - HEAL_STUCK_S - 90), on_minute=0)
    rows = cluster.samples.filter(level=0).annotate(on_minute=F("at") % _MINUTE_S)
    found = _by_host(rows.filter(fine | coarse))
    return {host: tuple(samples) for host, samples in found.items()}


def _by_host(rows: QuerySet[NodeSample]) -> Mapping[str, list[Sample]]:
    """Oldest first. No model is made of a row: that would cost more than reading it."""
    found: defaultdict[str, list[Sample]] = defaultdict(list)
    for host, at, *numbers in rows.order_by("at").values_list("host", "at", *NUMBERS):
        found[host].append(Sample(float(at), *numbers))
    return found


@dataclass(frozen=True)
class Series:
    """One line of a chart: a server and its points, oldest first."""

    host: str
    points: tuple[tuple[float, float | None], ...]


def history(cluster: Cluster, metric: str, since: float, points: int = 300) -> list[Series]:
    """At most `points` points for each server of the settings, in their order.

    Raises KeyError for a metric that is not in METRICS. Where slices were merged, a point is the
    worst value of its stretch of time.
    """
    if metric not in METRICS:
        raise KeyError(metric)
    found = _by_host(cluster.samples.filter(at__gte=int(since)))
    hosts = cluster.revision.peers.hosts
    return [Series(host, _points(found.get(host, []), metric, points)) for host in hosts]


def _points(
    samples: list[Sample], metric: str, points: int
) -> tuple[tuple[float, float | None], ...]:
    few = at_most(samples, points, levels()[0].step_s)
    if metric != "paused":
        return tuple((s.at, getattr(s, metric)) for s in few)
    return tuple((b.at, _fraction(a, b)) for a, b in pairwise(few))


def _fraction(older: Sample, newer: Sample) -> float | None:
    rate = between(older.paused_ns, newer.paused_ns, newer.at - older.at)
    return None if rate is None else min(1.0, rate / 1e9)


def thin(now: float | None = None) -> int:
    """One small piece of work on each level; how many rows were merged or dropped."""
    now = time.time() if now is None else now
    plan = levels()
    done = sum(_merge(i, plan[i], plan[i + 1], now) for i in range(len(plan) - 1))
    return done + _drop(len(plan) - 1, plan[-1], now)


def _merge(number: int, level: Level, longer: Level, now: float) -> int:
    """Moves whole and broken slices alike: a slice may arrive in pieces."""
    before = slice_of(now - level.keep_s, longer.step_s)
    with transaction.atomic():
        old = list(NodeSample.objects.filter(level=number, at__lt=before).order_by("at")[:PIECE])
        if not old:
            return 0
        _store(number + 1, _grouped(old), longer.step_s)
        NodeSample.objects.filter(pk__in=[row.pk for row in old]).delete()
    return len(old)


def _grouped(rows: Iterable[NodeSample]) -> dict[tuple[int, str], list[Sample]]:
    groups: defaultdict[tuple[int, str], list[Sample]] = defaultdict(list)
    for row in rows:
        groups[row.cluster_id, row.host].append(_sample(row))
    return groups


def _store(level: int, groups: dict[tuple[int, str], list[Sample]], step_s: int) -> None:
    wanted = {
        (cluster, host, int(sample.at)): sample
        for (cluster, host), samples in groups.items()
        for sample in thinned(samples, step_s)
    }
    there = NodeSample.objects.filter(level=level, at__in={at for _, _, at in wanted})
    known = {key: r for r in there if (key := (r.cluster_id, r.host, r.at)) in wanted}
    rows = [
        _row(*key[:2], level, key[2], worse(_sample(known[key]), s) if key in known else s)
        for key, s in wanted.items()
    ]
    NodeSample.objects.filter(pk__in=[row.pk for row in known.values()]).delete()
    NodeSample.objects.bulk_create(rows)


def _drop(number: int, level: Level, now: float) -> int:
    old = NodeSample.objects.filter(level=number, at__lt=int(now - level.keep_s)).order_by("at")
    gone: Sequence[int] = list(old.values_list("pk", flat=True)[:PIECE])
    return NodeSample.objects.filter(pk__in=gone).delete()[0]
