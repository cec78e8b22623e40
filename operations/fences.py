"""The life of a pending fence: opened with a run, tried at every beat, closed by proof.

Nothing else closes one: no button, no time, no restart of the panel. It is tried also while a run is
active, because no run may have a fenced server among its nodes, and two servers at work as the primary
cannot wait for a backup to end; the lock on the server keeps law 1 (ADR 17).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from clusterpanel.audit import record
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from nodes.models import Cluster
from nodes.services import primary_set, target_for
from nodes.transport.base import AuthFailed, HostKeyChanged, HostKeyUnknown, TransportError
from nodes.transport.servers import connect
from operations.domain import fencing
from operations.domain.fencing import Order
from operations.domain.plan import Plan
from operations.domain.situation import Workers
from operations.models import Fence, Run
from operations.runtime.fencing import Proven, close_at
from operations.runtime.ports import Ports

log = logging.getLogger(__name__)
CONNECT_S = 4.0
_BUSY = timedelta(seconds=150)  # whoever died at it is waited for so long
_REFUSED = timedelta(seconds=60)  # servers lock out whoever knocks too often
_SHUT = (AuthFailed, HostKeyChanged, HostKeyUnknown)


def open_fences(cluster: Cluster | None = None) -> QuerySet[Fence]:
    found = Fence.objects.filter(closed_at=None).select_related("cluster", "run__started_by")
    return found if cluster is None else found.filter(cluster=cluster)


def hosts(cluster: Cluster) -> tuple[str, ...]:
    return tuple(open_fences(cluster).values_list("host", flat=True))


def workers_of(cluster: Cluster) -> Workers:
    return Workers(cluster.worker_stop, cluster.worker_start, cluster.worker_check)


def in_the_way(run: Run) -> Refusal | None:
    """Of a run that somebody wants to go on with."""
    return fencing.in_the_way(run.procedure, run.plan.nodes, hosts(run.cluster), ())


def open_with(run: Run, plan: Plan, by: Any) -> None:
    """In the transaction that makes the run: what the panel wants, and who cannot be told of it, is
    on record before the first server is written. Raises IntegrityError when settings were saved."""
    if plan.primary:
        number = plan.settings_revision
        primary_set(cluster=run.cluster, by=by, host=plan.primary, number=number)
    for each in plan.fences:
        fence = Fence.objects.create(
            cluster=run.cluster,
            host=each.host,
            run=run,
            names=each.names,
            opened_by=by.get_username(),
            opened_at=timezone.now(),
        )
        detail = {"run": run.pk, "host": each.host, "names": each.names}
        record(who=fence.opened_by, action="fence.opened", subject=_subject(fence), detail=detail)


def due() -> list[int]:
    """Fences that nobody tries now."""
    idle = Q(trying_until=None) | Q(trying_until__lt=timezone.now())
    return list(open_fences().filter(idle).values_list("pk", flat=True))


def retry(fence_id: int, ports_for: Callable[[Run], Ports]) -> None:
    """One try, if nobody else is at it."""
    now = timezone.now()
    idle = Q(trying_until=None) | Q(trying_until__lt=now)
    ours = Fence.objects.filter(idle, pk=fence_id, closed_at=None)
    if not ours.update(trying_until=now + _BUSY):
        return
    fence = open_fences().get(pk=fence_id)
    said, rest = _tried(fence, ports_for)
    Fence.objects.filter(pk=fence_id).update(
        trying_until=rest,
        tried_at=timezone.now(),
        said=said.to_json() if said else F("said"),
    )


def _tried(fence: Fence, ports_for: Callable[[Run], Ports]) -> tuple[Text | None, datetime | None]:
    """Why it is still open, and until when it must rest."""
    try:
        return _try(fence, ports_for(fence.run)), None
    except TransportError as error:
        said = say("%(why)s %(fix)s", why=error.why, fix=error.fix)
        return said, timezone.now() + _REFUSED if isinstance(error, _SHUT) else None
    except Exception as error:
        log.exception("%s: a defect", fence)
        return say("The panel itself failed here (%(error)s).", error=type(error).__name__), None


def _try(fence: Fence, others: Ports) -> Text | None:
    """None: it is closed. A connection of its own: one that a power cut left must not be waited for."""
    cluster = fence.cluster
    order = Order(
        host=fence.host,
        backend=f"{cluster.app_dir.rstrip('/')}/backend",
        primary=cluster.revision.cluster_primary_host,
        workers=workers_of(cluster),
        apply_command=cluster.apply_command,
    )
    transport = connect(target_for(cluster, fence.host), CONNECT_S)
    try:
        ports = replace(
            others, transport=lambda h: transport if h == fence.host else others.transport(h)
        )
        found = close_at(ports, fence.run, transport, order, lambda: _wrote(fence, order))
    finally:
        transport.close()
    return _close(fence, order, found) if isinstance(found, Proven) else found


def _wrote(fence: Fence, order: Order) -> None:
    detail = {"run": fence.run_id, "host": fence.host, "primary": order.primary}
    record(who="panel", action="fence.written", subject=_subject(fence), detail=detail)


def _close(fence: Fence, order: Order, proven: Proven) -> Text | None:
    """Only while the settings still name whom the server was told."""
    with transaction.atomic():
        cluster = Cluster.objects.select_for_update().get(pk=fence.cluster_id)
        if cluster.revision.cluster_primary_host != order.primary:
            return say("The primary was changed meanwhile; it is tried again.")
        open_still = Fence.objects.filter(pk=fence.pk, closed_at=None)
        closed_at = timezone.now()
        if open_still.update(closed_at=closed_at, evidence=dict(proven.evidence)):
            detail = {
                "run": fence.run_id,
                "host": fence.host,
                "opened_by": fence.opened_by,
                "open_s": round((closed_at - fence.opened_at).total_seconds(), 1),
                "evidence": proven.evidence,
            }
            record(who="panel", action="fence.closed", subject=_subject(fence), detail=detail)
    return None


def _subject(fence: Fence) -> str:
    return f"{fence.cluster.name} {fence.host}"


def former_primaries(cluster: Cluster) -> tuple[str, ...]:
    """Primaries of the settings since a change was last proven on every server that answered."""
    proven = Run.objects.filter(
        cluster=cluster, procedure=fencing.CHANGE_PRIMARY, state="succeeded"
    ).order_by("-created_at")
    last = proven.first()
    since = last.plan.settings_revision if last else 0
    found = cluster.revisions.filter(number__gte=since).order_by("number")
    return tuple(dict.fromkeys(found.values_list("cluster_primary_host", flat=True)))
