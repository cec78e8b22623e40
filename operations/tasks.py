"""What workers do. Early acknowledgement and no retries: the lease and the reconciler see to it that
every run is driven, and a second delivery finds the lease taken (law 5)."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from nodes.models import Cluster
from operations import fences, pending, retention
from operations.driving import ports_for
from operations.runtime import checking, executor
from operations.runtime.reconcile import abandoned

MESSAGE_LIVES_S = 10  # the next offers come anyway; a full queue must not fill up with them
TIDY_S = 5.0  # the worker of the beat has other things to do


@shared_task(ignore_result=True)
def execute(run_id: str) -> None:
    executor.execute(run_id, ports_for)


@shared_task(ignore_result=True)
def check(run_id: str, step: str) -> None:
    checking.check(run_id, step, ports_for)


@shared_task(ignore_result=True)
def reconcile() -> None:
    for run_id in abandoned():
        execute.apply_async((run_id,), expires=MESSAGE_LIVES_S)


@shared_task(ignore_result=True)
def tidy_journals() -> None:
    """A few seconds of it; what is left is for the next time."""
    retention.tidy(seconds=TIDY_S)


@shared_task(ignore_result=True)
def retry_fences() -> None:
    """Every beat: a server that is back is told at once whom the primary is now."""
    for fence_id in fences.due():
        retry_fence.apply_async((fence_id,), expires=settings.OBSERVE_EVERY_S)


@shared_task(ignore_result=True)
def retry_fence(fence_id: int) -> None:
    fences.retry(fence_id, ports_for)


@shared_task(ignore_result=True)
def deliver_settings() -> None:
    """Nodes that were away get the settings that wait for them; a slow cluster delays no other."""
    for cluster_id in pending.clusters_that_wait():
        deliver_settings_to.apply_async((cluster_id,), expires=MESSAGE_LIVES_S)


@shared_task(ignore_result=True)
def deliver_settings_to(cluster_id: int) -> None:
    cluster = Cluster.objects.filter(pk=cluster_id).first()
    if cluster:
        pending.deliver(cluster)
