"""One server: every fact with its age, where it was read, and the raw answers behind them."""

from __future__ import annotations

import time
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from nodes import history, selectors, services, summary
from nodes.domain import tally
from nodes.domain.assess import fresh
from nodes.domain.card import cards
from nodes.domain.fact_sheet import Group, sheet
from nodes.domain.refusal import Refused
from nodes.models import Cluster
from nodes.views.parts import offer_url
from nodes.views.steps.common import person


@require_safe
@gzip_page
def node(request: HttpRequest, cluster_id: int, host: str) -> HttpResponse:
    return render(request, "nodes/node.html", _context(cluster_id, host))


@require_safe
def menu(request: HttpRequest, cluster_id: int, host: str) -> HttpResponse:
    """What can be done to it, each with its verdict of now; asked for when the menu is opened."""
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    cluster.hold_revision()
    if host not in cluster.revision.peers.hosts:
        raise Http404(host)
    facts, past = selectors.latest_facts(cluster), history.of()
    present = fresh(facts, time.time(), summary.stale_after_s()) if facts else None
    found = past.node_offers(cluster, host, present, past.active_run(cluster))
    offers = [{"offer": each, "url": offer_url(cluster, each)} for each in found]
    return render(request, "nodes/menu.html", {"host": host, "offers": offers})


@require_POST
def raw(request: HttpRequest, cluster_id: int, host: str) -> HttpResponse:
    """Ask this server now and show what it says, word for word."""
    context = _context(cluster_id, host)
    try:
        context["raw"] = services.raw_answers(
            cluster=context["cluster"], host=host, by=person(request)
        )
    except Refused as refused:
        context["refusal"] = refused.first
    htmx = request.htmx  # type: ignore[attr-defined]
    return render(request, "nodes/raw.html" if htmx else "nodes/node.html", context)


def _context(cluster_id: int, host: str) -> dict[str, Any]:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    now = time.time()
    seen = summary.of(cluster, now)
    if host not in seen.settings.hosts:
        raise Http404(host)
    facts = tally.node_of(seen.facts, host)
    return {
        "cluster": cluster,
        "summary": seen,
        "host": host,
        "now": now,
        "card": next(card for card in cards(seen.settings, seen.facts) if card.host == host),
        "groups": _aged(sheet(facts), now) if facts else [],
        "findings": [f for f in seen.verdict.findings if f.node == host],
    }


def _aged(groups: list[Group], now: float) -> list[dict[str, Any]]:
    """The rows with their ages in seconds, as the page's clock wants them."""
    return [
        {
            "title": group.title,
            "rows": [{"row": row, "age_s": max(0.0, now - row.read_at)} for row in group.rows],
        }
        for group in groups
    ]
