"""What can be done to a running cluster, each with its verdict of now."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from nodes import history, selectors, summary
from nodes.domain.assess import fresh
from nodes.history import Offer
from nodes.models import Cluster
from nodes.views.parts import offer_url
from operations import offers

# Procedures whose plan belongs to this page and not to the installation.
OPERATIONS = frozenset(
    {
        "restart_node",
        "stop_node",
        "start_node",
        "remount_storage",
        "rolling_restart",
        "stop_cluster",
        "start_cluster",
        "survey_galera",
        "recover_galera",
    }
)


@require_safe
def operations(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    now = time.time()
    cluster.hold_revision()
    facts = selectors.latest_facts(cluster)
    where = offers.situation(cluster, fresh(facts, now, summary.stale_after_s()) if facts else None)
    running = history.of().active_run(cluster)
    whole = offers.cluster_offers(where, running)
    context = {
        "cluster": cluster,
        "age_s": summary.age(facts, now),
        "primary": cluster.revision.cluster_primary_host,
        "rolling": _shown(cluster, whole["rolling"]),
        "whole": _shown(cluster, whole["whole"]),
        "servers": [
            {"host": host, "offers": _shown(cluster, offers.node_offers(where, host, running))}
            for host in where.settings.hosts
        ],
    }
    return render(request, "operations/operations.html", context)


def _shown(cluster: Cluster, found: Sequence[Offer]) -> list[dict[str, Any]]:
    return [{"offer": each, "url": offer_url(cluster, each), "tone": _tone(each)} for each in found]


def _tone(offer: Offer) -> str:
    if offer.done or offer.unknown:
        return "ok" if offer.done else "unknown"
    return "attention" if offer.why_not else "working"
