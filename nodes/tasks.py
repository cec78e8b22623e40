"""The steady beat of observation. Tasks hold no rule: they call services."""

from __future__ import annotations

import logging

from celery import shared_task
from kombu.exceptions import OperationalError

from nodes import selectors, services
from nodes.models import Cluster

log = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def observe_all() -> None:
    """Start a sweep of each cluster with an accepted host key; a slow one delays no other."""
    for cluster in selectors.clusters().filter(host_keys__isnull=False).distinct():
        try:
            observe_cluster.apply_async((cluster.pk,), expires=5)
        except OperationalError as error:  # the next beat comes in five seconds
            log.warning("%s was not observed: %s", cluster, error)


@shared_task(ignore_result=True)
def observe_cluster(cluster_id: int) -> None:
    """One sweep, unless one is going on."""
    cluster = Cluster.objects.filter(pk=cluster_id).first()
    if cluster:
        services.observe_if_idle(cluster=cluster)
