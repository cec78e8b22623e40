"""How the cluster is now."""

from __future__ import annotations

import time

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clusterpanel.words import translated
from nodes import history as past
from nodes import services, summary
from nodes.domain.refusal import Refused
from nodes.models import Cluster
from nodes.views import charts, parts


@require_safe
@gzip_page
def dashboard(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    if cluster.adopting:
        return redirect("adopt", cluster.pk)
    now = time.time()
    context = parts.context(cluster, now)
    drawn = charts.drawn(cluster, request.GET.get("range"), now, context["runs"])
    return render(request, "nodes/dashboard.html", {**context, "history": drawn, "streamed": True})


@require_safe
@gzip_page
def history(request: HttpRequest, cluster_id: int) -> HttpResponse:
    """The charts alone, for another range or drawn again; without a script the whole page."""
    if not request.htmx:  # type: ignore[attr-defined]
        return dashboard(request, cluster_id)
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    runs = past.of().runs(cluster, 1)
    return HttpResponse(charts.drawn(cluster, request.GET.get("range"), time.time(), runs))


@require_safe
def strip(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    context = {"cluster": cluster, "summary": summary.of(cluster, time.time())}
    return render(request, "components/strip.html", context)


@require_POST
def observe(request: HttpRequest, cluster_id: int) -> HttpResponse:
    """Ask the servers now instead of at the next beat; an open dashboard hears of it by its stream."""
    services.observe(cluster=get_object_or_404(Cluster, pk=cluster_id))
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204, headers={"HX-Trigger": "observed"})
    asked_from = "operations" if request.GET.get("back") == "operations" else "dashboard"
    return redirect(asked_from, cluster_id)


@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge(request: HttpRequest, cluster_id: int) -> HttpResponse:
    """A page of its own: a note that is being typed is never under a part that refreshes itself."""
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    wanted = request.GET.get("finding", "")
    if request.method == "POST":
        return _acknowledged(request, cluster, wanted)
    items = parts.context(cluster, time.time())["items"]
    item = next((each for each in items if each.finding.id == wanted), None)
    if item is None:
        messages.info(request, gettext("This is not found any more."))
        return redirect("dashboard", cluster_id)
    context = {"cluster": cluster, "item": item, "limit": services.NOTE_MAX}
    return render(request, "nodes/acknowledge.html", context)


def _acknowledged(request: HttpRequest, cluster: Cluster, finding: str) -> HttpResponse:
    assert isinstance(request.user, User)
    try:
        if "take_back" in request.POST:
            services.acknowledgement_take_back(cluster=cluster, finding=finding, by=request.user)
        else:
            note = request.POST.get("note", "")
            services.finding_acknowledge(
                cluster=cluster, finding=finding, note=note, by=request.user
            )
    except Refused as refused:
        first = refused.first
        messages.warning(request, f"{translated(first.why)} {translated(first.fix)}")
    return redirect("dashboard", cluster.pk)
