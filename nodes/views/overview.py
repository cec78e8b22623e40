"""All clusters, worst first: for those who have several."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from nodes import selectors, summary
from nodes.domain.verdict import SEVERITIES, STATES
from nodes.models import Cluster
from nodes.summary import Summary


@dataclass(frozen=True)
class Row:
    cluster: Cluster
    summary: Summary

    @property
    def rank(self) -> tuple[int, int, str]:
        """Small is worse; clusters that are equally well stand in the order of their names."""
        verdict = self.summary.verdict
        severity = SEVERITIES.index(verdict.severity) if verdict.severity else len(SEVERITIES)
        return severity, STATES.index(verdict.state), self.cluster.name


def rows(now: float) -> list[Row]:
    found = [Row(cluster, summary.of(cluster, now)) for cluster in selectors.clusters()]
    return sorted(found, key=lambda row: row.rank)


@require_safe
@gzip_page
def overview(request: HttpRequest) -> HttpResponse:
    htmx = request.htmx  # type: ignore[attr-defined]
    template = "nodes/overview_rows.html" if htmx else "nodes/overview.html"
    return render(request, template, {"rows": rows(time.time())})
