"""The steady beats of observation. Tasks hold no rule: they call services."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from nodes import samples, selectors, services
from nodes.models import Cluster

log = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def observe_all() -> None:
    """Start a sweep of each cluster whose turn has come; a slow one delays no other."""
    _start(observe_cluster, selectors.due(timezone.now()), settings.OBSERVE_EVERY_S)


@shared_task(ignore_result=True)
def observe_gluster_all() -> None:
    _start(observe_gluster, selectors.watched(), settings.GLUSTER_EVERY_S)


@shared_task(ignore_result=True)
def observe_cluster(cluster_id: int) -> None:
    """One sweep, unless one is going on."""
    cluster = Cluster.objects.filter(pk=cluster_id).first()
    if cluster:
        services.observe_if_idle(cluster=cluster)


@shared_task(ignore_result=True)
def observe_gluster(cluster_id: int) -> None:
    """One round of questions to glusterd, unless somebody else works with it."""
    cluster = Cluster.objects.filter(pk=cluster_id).first()
    if cluster:
        services.observe_gluster_if_idle(cluster=cluster)


@shared_task(ignore_result=True)
def thin_history() -> None:
    """One small piece of work; the next comes soon."""
    samples.thin()


def _start(task: Any, clusters: QuerySet[Cluster], every_s: float) -> None:
    for cluster in clusters:
        try:
            task.apply_async((cluster.pk,), expires=every_s)
        except OperationalError as error:  # the next beat comes soon
            log.warning("%s was not observed: %s", cluster, error)
