"""The list of runs and the dock at the bottom of every page."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from clusterpanel.typed import number_in
from nodes.models import Cluster
from operations.domain.machine import ACTIVE
from operations.models import Run, RunStep

PAGE = 25
MOST_IN_DOCK = 3


def _with_step(runs: QuerySet[Run], *states: str) -> QuerySet[Run]:
    """Each run with the key and node of its first step in one of `states`."""
    steps = RunStep.objects.filter(run=OuterRef("pk"), state__in=states).order_by("position")
    return runs.select_related("cluster", "started_by").annotate(
        step_key=Subquery(steps.values("key")[:1]), step_node=Subquery(steps.values("node")[:1])
    )


@require_GET
def runs(request: HttpRequest) -> HttpResponse:
    """All runs, newest first; `?cluster=` shows one cluster's."""
    found = _with_step(Run.objects.all(), "failed", "unknown", "cancelled", "running", "verifying")
    chosen = request.GET.get("cluster", "")
    cluster = Cluster.objects.filter(pk=number_in(chosen) or 0).first()
    if cluster:
        found = found.filter(cluster=cluster)
    page = Paginator(found.order_by("-created_at"), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "chosen": cluster,
        "clusters": Cluster.objects.order_by("name"),
        "now": timezone.now(),
    }
    return render(request, "operations/runs.html", context)


@require_GET
def dock(request: HttpRequest) -> HttpResponse:
    """What runs now in every cluster; when nothing does, how the newest run ended."""
    active = _with_step(Run.objects.filter(state__in=sorted(ACTIVE)), "running", "verifying")
    now = list(active.order_by("created_at"))
    ended = _with_step(Run.objects.all(), "failed", "unknown", "cancelled")
    context = {
        "active": now[:MOST_IN_DOCK],
        "more": len(now) - MOST_IN_DOCK,
        "last": None if now else ended.order_by("-created_at").first(),
        "now": timezone.now(),
    }
    return render(request, "operations/dock.html", context)
