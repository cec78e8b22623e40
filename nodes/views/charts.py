"""History as drawings: numbers become lines in SVG, a run becomes a mark. The words are the page's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from django.core.cache import cache
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.timezone import get_current_timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from nodes import history, series
from nodes.models import Cluster
from nodes.series import Points

Seen = Sequence[tuple[float, float | None]]
W, H = 300, 90  # of the drawing, in its own units
GAP_SLOTS = 2.5  # a longer silence is not bridged by a line


@dataclass(frozen=True)
class Range:
    """`step_s`: one point for so many seconds; `every_s`: how often an open page draws it again."""

    key: str
    label: object
    seconds: int
    step_s: int
    every_s: int
    clock: str  # Django's date format for the ends of the axis


RANGES = (
    Range("15m", _("15 min"), 900, 10, 10, "H:i"),
    Range("3h", _("3 h"), 3 * 3600, 60, 30, "H:i"),
    Range("24h", _("24 h"), 86400, 600, 120, "j M H:i"),
    Range("7d", _("7 d"), 7 * 86400, 3600, 600, "j M H:i"),
    Range("30d", _("30 d"), 30 * 86400, 6 * 3600, 600, "j M"),
)


@dataclass(frozen=True)
class Metric:
    """`scale` makes the shown number of the stored one; `least` is how high the axis is at least;
    `low` when the lowest number is the worst."""

    name: str
    title: object
    unit: object
    raw: str
    scale: float = 1.0
    least: float = 1.0
    digits: int = 0
    low: bool = False


METRICS = (
    Metric(
        "cluster_size", _("Servers in the database cluster"), "", "wsrep_cluster_size", low=True
    ),
    Metric(
        "paused",
        _("Time that writes were held back"),
        "%",
        "wsrep_flow_control_paused_ns",
        scale=100,
        least=10,
    ),
    Metric(
        "recv_queue",
        _("Changes waiting to be applied"),
        "",
        "wsrep_local_recv_queue",
        least=10,
    ),
    Metric(
        "heal_pending",
        _("Files waiting for healing"),
        "",
        "gluster volume heal … info summary",
        least=10,
    ),
    Metric("disk_used_pct", _("Fullest disk"), "%", "df", least=100),
    Metric("load1", pgettext_lazy("of a computer", "Load"), "", "/proc/loadavg", digits=1),
)


@dataclass(frozen=True)
class Line:
    """One server. `now` None: not known at the end; `low` and `high` None: never seen."""

    host: str
    place: int
    path: str
    now: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Mark:
    """A run that began at `x`."""

    run: history.PastRun
    x: float


@dataclass(frozen=True)
class Chart:
    metric: Metric
    lines: tuple[Line, ...]
    top: float  # the number at the upper end of the axis
    y_half: float

    @property
    def empty(self) -> bool:
        return all(line.high is None for line in self.lines)


@dataclass(frozen=True)
class Charts:
    range: Range
    charts: tuple[Chart, ...]
    marks: tuple[Mark, ...]
    since: datetime
    until: datetime
    hosts: tuple[str, ...]


def drawn(
    cluster: Cluster, key: str | None, now: float, runs: Sequence[history.PastRun]
) -> SafeString:
    """The history as HTML. It is kept for as long as an open page waits with drawing it again, for
    every reader of this language, unless the settings change or a run begins.

    `runs`: the newest, newest first; more than one is not looked at.
    """
    chosen = range_of(key)
    moment = int(now // chosen.every_s)
    of = (cluster.pk, cluster.revision.pk, runs[0].id if runs else 0)
    name = ":".join(map(str, ("history", *of, chosen.key, moment, get_language())))
    kept = cache.get_or_set(name, lambda: _draw(cluster, chosen, now), chosen.every_s)
    return cast(SafeString, kept)


def _draw(cluster: Cluster, chosen: Range, now: float) -> SafeString:
    made = charts(cluster, chosen, now)
    # The same in all charts, so it is written once.
    marks = render_to_string("nodes/parts/marks.html", {"marks": made.marks})
    context = {"cluster": cluster, "history": made, "ranges": RANGES, "marks": marks}
    return render_to_string("nodes/parts/history.html", context)


def range_of(key: str | None) -> Range:
    """An unknown key is the shortest range."""
    return next((each for each in RANGES if each.key == key), RANGES[0])


def charts(cluster: Cluster, chosen: Range, now: float) -> Charts:
    """Whole slots only: the drawing moves on slot by slot and does not dance in between."""
    until = now // chosen.step_s * chosen.step_s + chosen.step_s
    since = until - chosen.seconds
    found = series.history(cluster, since, until, chosen.step_s)
    zone = get_current_timezone()
    return Charts(
        chosen,
        tuple(_chart(metric, found) for metric in METRICS),
        tuple(_marks(cluster, since, until)),
        datetime.fromtimestamp(since, zone),
        datetime.fromtimestamp(until, zone),
        tuple(found.lines["load1"]),
    )


def _marks(cluster: Cluster, since: float, until: float) -> Iterable[Mark]:
    for run in history.of().runs(cluster, 50, datetime.fromtimestamp(since, UTC)):
        at = run.created_at.timestamp()
        if at <= until:
            yield Mark(run, _x(at, since, until))


def _x(at: float, since: float, until: float) -> float:
    return round(W * (at - since) / (until - since), 1)


def _chart(metric: Metric, found: series.History) -> Chart:
    lines = found.lines[metric.name]
    values = [v * metric.scale for p in lines.values() for _, v in p if v is not None]
    top = _round_up(max([metric.least, *values]))
    drawn = (
        _line(metric, host, place, points, top, found)
        for place, (host, points) in enumerate(lines.items())
    )
    return Chart(metric, tuple(drawn), top, H / 2)


def _line(
    metric: Metric, host: str, place: int, points: Points, top: float, found: series.History
) -> Line:
    values = [v * metric.scale for _, v in points if v is not None]
    path = _path(points, metric.scale, top, found)
    last = points[-1] if points else (0, None)
    fresh = last[1] is not None and last[0] >= found.until - GAP_SLOTS * found.step_s
    now = last[1] * metric.scale if fresh and last[1] is not None else None
    return Line(host, place, path, now, min(values, default=None), max(values, default=None))


def _path(points: Points, scale: float, top: float, found: series.History) -> str:
    """SVG path data; the pen is lifted where nothing is known. A lone point is a short stroke."""
    parts: list[str] = []
    before: float | None = None
    for at, value in points:
        if value is None:
            before = None
            continue
        lifted = before is None or at - before > GAP_SLOTS * found.step_s
        x = W * (at - found.since) / (found.until - found.since)
        y = H - H * min(value * scale, top) / top
        parts.append(f"M{x:.0f} {y:.1f}h.8" if lifted else f"L{x:.0f} {y:.1f}")
        before = at
    return "".join(parts)


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50…: a number that is easy to read on an axis."""
    step = 1.0
    while True:
        for factor in (1, 2, 3, 5):
            if value <= factor * step:
                return factor * step
        step *= 10


def sparkline(points: Seen) -> str:
    """Path data in a box of 100 by 20; "" when nothing is known."""
    known = [(at, value) for at, value in points if value is not None]
    if len(known) < 2 or known[-1][0] <= known[0][0]:
        return ""
    start, end = known[0][0], known[-1][0]
    top = max(10.0, *(value for _, value in known))
    spots = (
        f"{100 * (at - start) / (end - start):.0f} {19 - 18 * value / top:.1f}"
        for at, value in known
    )
    return "M" + "L".join(spots)
