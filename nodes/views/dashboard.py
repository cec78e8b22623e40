"""How the cluster is now."""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from nodes import history, services, summary
from nodes.domain.card import cards
from nodes.domain.wizard import StepStand
from nodes.models import Cluster


@require_safe
def dashboard(request: HttpRequest, cluster_id: int) -> HttpResponse:
    return render(request, "nodes/dashboard.html", _context(cluster_id))


@require_safe
def live(request: HttpRequest, cluster_id: int) -> HttpResponse:
    """The part of the dashboard that refreshes itself."""
    return render(request, "nodes/dashboard_live.html", _context(cluster_id))


@require_safe
def strip(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    context = {"cluster": cluster, "summary": summary.of(cluster, time.time())}
    return render(request, "components/strip.html", context)


@require_POST
def observe(request: HttpRequest, cluster_id: int) -> HttpResponse:
    """Ask the servers now instead of at the next beat."""
    services.observe(cluster=get_object_or_404(Cluster, pk=cluster_id))
    if request.htmx:  # type: ignore[attr-defined]
        answer = render(request, "nodes/dashboard_live.html", _context(cluster_id))
        answer["HX-Trigger"] = "observed"  # the header strip shows the same age at once
        return answer
    return redirect("dashboard", cluster_id)


def _context(cluster_id: int) -> dict[str, Any]:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    seen = summary.of(cluster, time.time())
    past = history.of()
    return {
        "cluster": cluster,
        "summary": seen,
        "cards": cards(seen.settings, seen.facts),
        "runs": past.runs(cluster, 5),
        "backups": past.backups(cluster)[:4],
        "go_on": _next_step(cluster),
    }


def _next_step(cluster: Cluster) -> StepStand | None:
    """Where the installation goes on; none once it has come to its end, whatever broke later."""
    last = history.of().last_runs(cluster).get("install_glusterfs")
    if last and last.state == "succeeded":
        return None
    return next((stand for stand in summary.installation(cluster) if not stand.done), None)
