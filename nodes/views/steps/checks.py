"""Step 3: the table node × check."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from clusterpanel.templatetags.panel import say
from nodes import selectors, services
from nodes.domain.refusal import Refused
from nodes.models import Cluster
from nodes.views.steps.common import around, person

_SHOWN = ("ok", "warning", "failed", "unknown")


def page(request: HttpRequest, cluster: Cluster) -> HttpResponse:
    return render(request, "nodes/steps/checks.html", _context(cluster))


@require_POST
def run(request: HttpRequest, cluster_id: int) -> HttpResponse:
    """The whole table, a row, a column or one cell, by what the button names."""
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    asked = {name: request.POST.get(name, "") for name in ("host", "check_id")}
    try:
        services.checks_run(cluster=cluster, by=person(request), **asked)
    except Refused as refused:  # a page older than the settings, or made by hand
        return _refused(request, cluster, refused)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("wizard", cluster.id, "checks")
    context = {**_context(cluster), "oob": True}
    return render(request, "nodes/steps/checks_table.html", context)


def _refused(request: HttpRequest, cluster: Cluster, refused: Refused) -> HttpResponse:
    for refusal in refused.refusals:
        messages.error(request, f"{say(refusal.why)} {say(refusal.fix)}")
    answer = redirect("wizard", cluster.id, "checks")
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(headers={"HX-Redirect": answer.url})
    return answer


def _context(cluster: Cluster) -> dict[str, Any]:
    """The stored table turned over: a line for each check, a column for each server."""
    table = selectors.checks_table(cluster)
    hosts = [row.host for row in table]
    columns = zip(*(row.cells for row in table), strict=True)
    rows = [
        {"check": cells[0].check, "cells": list(zip(hosts, cells, strict=True))}
        for cells in columns
    ]
    counts = Counter(cell.state or "missing" for row in table for cell in row.cells)
    return {
        **around(cluster, "checks"),
        "hosts": hosts,
        "rows": rows,
        "total": counts.total(),
        "counts": counts,
        "shown_counts": [(name, counts[name]) for name in _SHOWN if counts[name]],
    }
