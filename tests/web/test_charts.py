"""Lines of a chart: in the box, broken where nothing is known, at rest while nothing is new."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as some

from nodes import history
from nodes.history import PastRun
from nodes.models import Cluster, NodeSample
from nodes.series import History
from nodes.views import charts
from tests.fakes import recorded, seen
from tests.web import made
from tests.web.made import made_run

VALUES = some.none() | some.floats(0, 10**7)
NUMBER = r"-?\d+(?:\.\d+)?"


@given(some.lists(VALUES, max_size=40), some.floats(0.01, 100))
def test_a_line_stays_in_its_box(values: list[float | None], scale: float) -> None:
    points = tuple((1000 + 10 * i, value) for i, value in enumerate(values))
    found = History(1000, 1400, 10, {"x": {"n1": points}})
    metric = charts.Metric("x", "x", "", "x", scale=scale)
    chart = charts._chart(metric, found)
    assert all(chart.top >= v * scale for v in values if v is not None)
    for x, y in re.findall(rf"[ML]({NUMBER}) ({NUMBER})", chart.lines[0].path):
        assert 0 <= float(x) <= charts.W
        assert 0 <= float(y) <= charts.H


def line(*points: tuple[int, float | None]) -> charts.Line:
    found = History(1000, 1200, 10, {"load1": {"n1": points}})
    return charts._chart(charts.METRICS[5], found).lines[0]


def test_a_silence_is_not_bridged() -> None:
    assert line((1000, 1), (1010, 1), (1020, 1)).path.count("M") == 1
    assert line((1000, 1), (1010, 1), (1080, 1)).path.count("M") == 2
    assert line((1000, 1), (1010, None), (1020, 1)).path.count("M") == 2


def test_an_old_number_is_not_the_present_one() -> None:
    assert line((1180, 2), (1190, 3)).now == 3
    assert line((1000, 2), (1010, 3)).now is None
    assert line((1180, 2), (1190, None)).now is None
    assert (line((1000, 2), (1010, 3)).low, line((1000, 2)).high) == (2, 2)


@pytest.mark.django_db
def test_a_chart_moves_slot_by_slot() -> None:
    site = seen.cluster()
    seen.month(site, 2_000_000_000, days=1)
    chosen = charts.range_of("3h")
    first = charts.charts(site, chosen, 2_000_000_001.0)
    assert charts.charts(site, chosen, 2_000_000_031.0).charts == first.charts
    assert all(not chart.empty for chart in first.charts)


@pytest.mark.django_db
def test_runs_are_marked_where_they_began() -> None:
    site = made.made_cluster()
    run = made_run("succeeded", ["succeeded"] * 3, cluster=site)
    at = run.created_at.timestamp()
    marks = charts.charts(site, charts.range_of("15m"), at + 450).marks
    assert [mark.run.id for mark in marks] == [run.id]
    assert 140 < marks[0].x < 160
    assert charts.charts(site, charts.range_of("15m"), at + 5000).marks == ()


@pytest.mark.django_db
def test_nothing_recorded_is_said_and_not_drawn_as_zero() -> None:
    site: Cluster = seen.cluster()
    assert all(chart.empty for chart in charts.charts(site, charts.RANGES[0], 10**9).charts)
    NodeSample.objects.create(
        cluster=site, host=recorded.HOSTS[0], level=0, at=10**9 - 100, load1=0.0
    )
    drawn = charts.charts(site, charts.RANGES[0], 10**9).charts
    assert [chart.metric.name for chart in drawn if not chart.empty] == ["load1"]


def newest(site: Cluster) -> Sequence[PastRun]:
    return history.of().runs(site, 1)


@pytest.mark.django_db
def test_it_is_drawn_once_until_something_would_look_different() -> None:
    site, start = seen.cluster(), 2_000_000_000.0
    seen.month(site, start, days=1)
    first = charts.drawn(site, "15m", start, newest(site))
    NodeSample.objects.all().delete()
    assert charts.drawn(site, "15m", start + 9, newest(site)) == first
    assert charts.drawn(site, "3h", start, newest(site)) != first
    with translation.override("ru"):
        assert charts.drawn(site, "15m", start, newest(site)) != first  # has no numbers any more
    assert charts.drawn(site, "15m", start + 10, newest(site)) != first
    other = charts.drawn(site, "15m", start + 20, newest(site))
    made_run("succeeded", ["succeeded"] * 3, cluster=site)
    seen.month(site, start, days=1)
    assert charts.drawn(site, "15m", start + 20, newest(site)) != other
