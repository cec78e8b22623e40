"""The live parts of the dashboard. Each is a template of its own, drawn by the page and by its
stream alike; none of them needs the request.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode

from nodes import history, summary
from nodes.domain.card import cards
from nodes.domain.topology import Edge, Link, edges
from nodes.domain.verdict import Action, Finding
from nodes.domain.wizard import StepStand
from nodes.history import Offer
from nodes.models import Acknowledgement, Cluster
from nodes.summary import Summary
from nodes.views.charts import sparkline

PARTS = {
    "strip": "components/strip.html",
    "verdict": "nodes/parts/verdict.html",
    "servers": "nodes/parts/servers.html",
    "attention": "nodes/parts/attention.html",
    "topology": "nodes/parts/topology.html",
    "done": "nodes/parts/done.html",
}
_ON_ONE_NODE = frozenset({"start_node", "stop_node", "restart_node", "remount_storage"})


@dataclass(frozen=True)
class Next:
    """An action as it is shown; `url` of its plan, "" when the panel has none for it."""

    action: Action
    url: str


@dataclass(frozen=True)
class Item:
    finding: Finding
    next: Next
    tone: str
    acknowledged: Acknowledgement | None


@dataclass(frozen=True)
class Spot:
    host: str
    x: float
    y: float
    state: str
    primary: bool


@dataclass(frozen=True)
class Line:
    """A link between two spots, drawn a little beside the straight line when there are two."""

    edge: Edge
    link: Link
    x1: float
    y1: float
    x2: float
    y2: float


def context(cluster: Cluster, now: float) -> dict[str, Any]:
    """`now` in seconds since the epoch."""
    cluster.hold_revision()
    seen = summary.of(cluster, now)
    past = history.of()
    shown = cards(seen.settings, seen.facts)
    known = _acknowledged(cluster)
    joined = edges(seen.settings, seen.facts, now)
    spots = _spots([(card.host, card.state, card.primary) for card in shown])
    go_on = _next_step(cluster, seen)
    return {
        "cluster": cluster,
        "summary": seen,
        "next": None if go_on else _verdict_next(cluster, seen),
        "cards": [(card, sparkline(card.queue)) for card in shown],
        "items": [_item(cluster, f, known.get(f.id)) for f in seen.verdict.findings],
        "edges": joined,
        "spots": spots,
        "lines": list(_lines(joined, {spot.host: spot for spot in spots})),
        "runs": past.runs(cluster, 5),
        "backups": past.backups(cluster)[:4],
        "go_on": go_on,
    }


def offer_url(cluster: Cluster, offer: Offer) -> str:
    """Of its plan; of its refusal, when it is not now."""
    url = reverse("plan", args=[cluster.pk, offer.procedure])
    return f"{url}?{urlencode(offer.params)}" if offer.params else url


def drawn(shown: Mapping[str, Any], name: str) -> str:
    return render_to_string(PARTS[name], dict(shown))


def _acknowledged(cluster: Cluster) -> dict[str, Acknowledgement]:
    return {each.finding: each for each in cluster.acknowledgements.filter(ended_at=None)}


def _item(cluster: Cluster, finding: Finding, known: Acknowledgement | None) -> Item:
    tones = {"critical": "failed", "warning": "attention", "notice": "working"}
    tone = "unknown" if finding.state == "unknown" else tones[finding.severity]
    return Item(finding, _next(cluster, finding.action), tone, known)


def _next(cluster: Cluster, action: Action) -> Next:
    if not history.of().offers(action.procedure):
        return Next(action, "")
    if action.procedure == "recover_galera":
        return Next(action, reverse("recovery", args=[cluster.pk]))  # the evidence before the plan
    url = reverse("plan", args=[cluster.pk, action.procedure])
    if action.node and action.procedure == "change_primary":
        url += "?" + urlencode({"primary": action.node})
    if action.node and action.procedure in _ON_ONE_NODE:
        service = {"service": action.service} if action.service else {}
        url += "?" + urlencode({"node": action.node, **service})
    return Next(action, url)


def _verdict_next(cluster: Cluster, seen: Summary) -> Next | None:
    return _next(cluster, seen.verdict.action) if seen.verdict.action else None


def _next_step(cluster: Cluster, seen: Summary) -> StepStand | None:
    """Where the installation goes on, as long as it is what to do next; none once it has come to its
    end, whatever broke later."""
    if seen.verdict.state not in ("healthy", "not_installed") and seen.facts:
        return None
    last = history.of().last_run(cluster, "install_glusterfs")
    if last and last.state == "succeeded":
        return None
    return next((s for s in summary.installation(cluster, seen.facts) if not s.done), None)


WIDTH, HEIGHT, MARGIN_X, MARGIN_Y = 400.0, 220.0, 78.0, 30.0


def _spots(nodes: list[tuple[str, str, bool]]) -> list[Spot]:
    """On a circle that begins at the top and goes to the left, stretched to fill the drawing."""
    start = -math.pi if len(nodes) == 2 else math.pi / 2
    angles = [start + 2 * math.pi * place / max(1, len(nodes)) for place in range(len(nodes))]
    xs = _stretched([math.cos(angle) for angle in angles], MARGIN_X, WIDTH - MARGIN_X)
    ys = _stretched([-math.sin(angle) for angle in angles], MARGIN_Y, HEIGHT - MARGIN_Y)
    placed = zip(nodes, xs, ys, strict=True)
    return [Spot(host, x, y, state, primary) for (host, state, primary), x, y in placed]


def _stretched(values: list[float], least: float, most: float) -> list[float]:
    low, high = min(values, default=0.0), max(values, default=0.0)
    if high - low < 1e-6:
        return [(least + most) / 2] * len(values)
    return [round(least + (most - least) * (v - low) / (high - low), 1) for v in values]


def _lines(joined: Iterable[Edge], spots: Mapping[str, Spot]) -> Iterable[Line]:
    for edge in joined:
        one, other = spots[edge.one], spots[edge.other]
        length = math.hypot(other.x - one.x, other.y - one.y) or 1.0
        across = ((one.y - other.y) / length, (other.x - one.x) / length)
        for place, link in enumerate(edge.links):
            beside = 5.0 * (2 * place - len(edge.links) + 1)
            dx, dy = across[0] * beside, across[1] * beside
            ends = (one.x + dx, one.y + dy, other.x + dx, other.y + dy)
            yield Line(edge, link, *(round(value, 1) for value in ends))
