"""Step 8: what the servers say now, and what was done to get there."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from nodes import history, summary
from nodes.domain.card import cards
from nodes.domain.observation import GaleraFacts
from nodes.models import Cluster
from nodes.views.steps.common import around


def page(request: HttpRequest, cluster: Cluster) -> HttpResponse:
    seen = summary.of(cluster, time.time())
    nodes = seen.facts.nodes if seen.facts else ()
    uuids = {n.galera.cluster_uuid for n in nodes if isinstance(n.galera, GaleraFacts)} - {""}
    context = {
        **around(cluster, "verify"),
        "summary": seen,
        "cards": cards(seen.settings, seen.facts),
        "uuids": sorted(uuids),
        "has_monitor": bool(cluster.monitor_password),
        "runs": history.of().runs(cluster, 10),
    }
    return render(request, "nodes/steps/verify.html", context)
