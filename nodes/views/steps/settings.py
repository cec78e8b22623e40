"""Step 4: what changes in each server's `.env`, line by line."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from nodes import selectors
from nodes.models import Cluster
from nodes.views.steps.common import around


def page(request: HttpRequest, cluster: Cluster) -> HttpResponse:
    peers = cluster.revision.peers
    context = {
        **around(cluster, "settings"),
        "files": selectors.env_difference(cluster, selectors.latest_facts(cluster)),
        "lines": [f"{key}={value}" for key, value in peers.as_env().items()],
    }
    return render(request, "nodes/steps/settings.html", context)
