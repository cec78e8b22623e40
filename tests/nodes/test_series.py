"""Numbers over time for charts: worst of each slot, one query, gaps stay gaps."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from nodes import series
from nodes.models import Cluster, NodeSample
from tests.fakes import recorded, seen

pytestmark = pytest.mark.django_db
ONE, TWO = recorded.HOSTS[:2]


@pytest.fixture
def site() -> Cluster:
    return seen.cluster()


def sample(site: Cluster, at: int, host: str = ONE, level: int = 0, **numbers: float) -> None:
    NodeSample.objects.create(cluster=site, host=host, level=level, at=at, **numbers)


def test_a_slot_holds_the_worst_of_its_time(site: Cluster) -> None:
    sample(site, 1000, cluster_size=3, recv_queue=1)
    sample(site, 1010, cluster_size=2, recv_queue=7)
    sample(site, 1060, cluster_size=3, recv_queue=0)
    lines = series.history(site, 960, 1080, 60).lines
    assert lines["cluster_size"][ONE] == ((960, 2), (1020, 3))
    assert lines["recv_queue"][ONE] == ((960, 7.0), (1020, 0.0))
    assert lines["recv_queue"][TWO] == ()


def test_held_back_time_is_the_growth_of_its_counter(site: Cluster) -> None:
    for at, paused_ns in ((1000, 0), (1010, 5 * 10**9), (1020, 5 * 10**9), (1030, 1)):
        sample(site, at, paused_ns=paused_ns)
    points = series.history(site, 1000, 1040, 10).lines["paused"][ONE]
    assert points == ((1010, 0.5), (1020, 0.0), (1030, None))


def test_what_is_not_known_is_no_number(site: Cluster) -> None:
    sample(site, 1000)
    assert series.history(site, 990, 1010, 10).lines["load1"][ONE] == ((1000, None),)


def test_a_month_is_one_question_and_few_points(
    site: Cluster, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    seen.month(site, 31 * 86400 + 86400)
    with django_assert_num_queries(2):  # the settings, the numbers
        found = series.history(site, 2 * 86400, 32 * 86400, 4 * 3600)
    for metric in series.METRICS:
        for host in recorded.HOSTS:
            assert 170 <= len(found.lines[metric][host]) <= 181
