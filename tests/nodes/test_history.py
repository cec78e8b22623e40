"""History of the servers' numbers: small on disk, the worst is kept, gaps stay gaps."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from nodes import samples, services
from nodes.domain.observation import Sample
from nodes.models import Cluster, NodeSample
from tests.fakes.recorded import HOSTS

pytestmark = pytest.mark.django_db
NOW = 1_800_000_000.0
HOUR = 3600


@pytest.fixture
def cluster() -> Cluster:
    return services.cluster_create(
        by=None,
        name="Office",
        galera_peer_hosts=HOSTS,
        cluster_fs_peer_hosts=HOSTS,
        cluster_primary_host=HOSTS[0],
    )


def keep(cluster: Cluster, at: float, host: str = HOSTS[0], **numbers: float) -> None:
    samples.keep(cluster, {host: Sample(at, **numbers)})  # type: ignore[arg-type]


def thin_all(now: float = NOW) -> None:
    while samples.thin(now):
        pass


def count(level: int) -> int:
    return NodeSample.objects.filter(level=level).count()


def test_however_fast_the_beat_one_slice_is_one_row(cluster: Cluster) -> None:
    for second in range(0, 40, 2):
        keep(cluster, NOW + second, load1=second)
    assert list(NodeSample.objects.values_list("load1", flat=True)) == [0, 10, 20, 30]


def test_a_day_becomes_minutes_and_a_month_quarters_of_an_hour(cluster: Cluster) -> None:
    for age in range(0, 2 * HOUR, 10):
        keep(cluster, NOW - age, load1=1.0)
    for age in range(2 * HOUR, 48 * HOUR, 300):
        keep(cluster, NOW - age, load1=2.0)
    thin_all()
    assert 360 <= count(0) <= 367  # the last hour, and the minute that it cuts
    assert count(1) <= 24 * 60
    assert 90 <= count(2) <= 4 * 24 + 1


def test_what_is_older_than_a_month_is_dropped(cluster: Cluster, settings: LazySettings) -> None:
    keep(cluster, NOW - 40 * 24 * HOUR, load1=1.0)
    keep(cluster, NOW - 20 * 24 * HOUR, load1=1.0)
    thin_all()
    assert (count(0), count(1), count(2)) == (0, 0, 1)
    settings.HISTORY_DAYS = 10
    thin_all()
    assert count(2) == 0


def test_a_peak_survives_every_thinning_in_pieces_of_any_size(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "PIECE", 7)
    for age in range(3 * HOUR, 4 * HOUR, 10):
        keep(cluster, NOW - age, load1=99.0 if age == 3 * HOUR + 500 else 1.0, cluster_size=3)
    thin_all()
    thin_all(NOW + 30 * HOUR)
    assert count(0) == count(1) == 0
    assert NodeSample.objects.filter(load1=99.0).count() == 1
    assert count(2) <= 5


def test_one_turn_of_thinning_is_bounded(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "PIECE", 5)
    for age in range(2 * HOUR, 2 * HOUR + 1000, 10):
        keep(cluster, NOW - age)
    assert samples.thin(NOW) == 5


def test_a_chart_has_a_line_for_each_server_and_few_points(cluster: Cluster) -> None:
    for age in range(0, HOUR, 10):
        keep(cluster, NOW - age, load1=float(age == 600))
    first, second, third = samples.history(cluster, "load1", NOW - HOUR, points=50)
    assert [series.host for series in (first, second, third)] == list(HOSTS)
    assert 25 <= len(first.points) <= 50
    assert max(value or 0 for _, value in first.points) == 1.0  # the peak is not lost
    assert second.points == ()


def test_flow_control_is_a_fraction_and_a_restart_is_a_gap(cluster: Cluster) -> None:
    for at, ns in ((0, 0), (10, 5_000_000_000), (20, 5_000_000_000), (30, 7), (40, 10_000_000_007)):
        keep(cluster, NOW + at, paused_ns=ns)
    points = samples.history(cluster, "paused", NOW)[0].points
    assert [value for _, value in points] == [0.5, 0.0, None, 1.0]


def test_an_unheard_of_metric_is_an_error(cluster: Cluster) -> None:
    with pytest.raises(KeyError):
        samples.history(cluster, "mood", NOW)


def test_rules_about_change_get_the_last_minutes_and_one_sample_a_minute_before(
    cluster: Cluster,
) -> None:
    for age in range(0, HOUR, 10):
        keep(cluster, NOW - age, heal_pending=1)
    recent = samples.recent(cluster, NOW)[HOSTS[0]]
    assert recent[-1].at == NOW
    assert recent[0].at <= NOW - 900
    assert len(recent) < 40
