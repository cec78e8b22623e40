"""The steady beat: only clusters whose host keys a person accepted, and never an exception."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from nodes import selectors, services, summary, tasks
from nodes.models import Cluster, HostKey
from nodes.transport import pool
from tests.fakes import recorded
from tests.fakes.recorded import HOSTS

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluster() -> Cluster:
    return services.cluster_create(
        by=None,
        name="Office",
        galera_peer_hosts=HOSTS,
        cluster_fs_peer_hosts=HOSTS,
        cluster_primary_host=HOSTS[0],
    )


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    sent: list[object] = []
    monkeypatch.setattr(
        tasks.observe_cluster, "apply_async", lambda args, **_: sent.append(args[0])
    )
    return sent


def pin(cluster: Cluster, host: str) -> None:
    HostKey.objects.create(cluster=cluster, host=host, type="ssh-ed25519", base64="A", sha256="S")


def test_a_cluster_without_accepted_keys_is_left_alone(
    cluster: Cluster, sent: list[object]
) -> None:
    tasks.observe_all()
    assert sent == []


def test_a_cluster_is_asked_once_however_many_keys_it_has(
    cluster: Cluster, sent: list[object]
) -> None:
    for host in HOSTS:
        pin(cluster, host)
    tasks.observe_all()
    assert sent == [cluster.pk]


def test_a_cluster_that_was_just_seen_waits_for_its_turn(
    cluster: Cluster, sent: list[object]
) -> None:
    pin(cluster, HOSTS[0])
    seen = cluster.observations.create(host=HOSTS[0], taken_at=timezone.now(), facts={})
    tasks.observe_all()
    assert sent == []
    seen.taken_at -= timedelta(seconds=2)
    seen.save()
    tasks.observe_all()
    assert sent == [cluster.pk]


def test_with_many_clusters_the_beat_is_slower(cluster: Cluster) -> None:
    assert selectors.observe_every_s() == 2.0
    Cluster.objects.bulk_create(Cluster(name=f"Office {n}") for n in range(99))
    assert selectors.observe_every_s() == pytest.approx(10)
    assert summary.stale_after_s() == pytest.approx(25)


def test_a_broker_that_is_away_is_no_exception(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError

    pin(cluster, HOSTS[0])
    monkeypatch.setattr(tasks.observe_cluster, "apply_async", away)
    tasks.observe_all()


def test_the_task_stores_a_sweep(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "transport_for", recorded.connect("healthy"))
    tasks.observe_cluster(cluster.pk)
    assert cluster.observations.count() == 3


def test_a_cluster_that_was_deleted_meanwhile_is_no_error() -> None:
    tasks.observe_cluster(12345)
