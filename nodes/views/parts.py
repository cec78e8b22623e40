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
    seen = summary.of(cluster, now)
    past = history.of()
    shown = cards(seen.settings, seen.facts)
    known = _acknowledged(cluster)
    joined = edges(seen.settings, seen.facts, now)
    spots = _spots([(card.host, card.state, card.primary) for card in shown])
    return {
        "cluster": cluster,
        "summary": seen,
        "next": _next(cluster, seen.verdict.action) if seen.verdict.action else None,
        "cards": [(card, sparkline(card.queue)) for card in shown],
        "items": [_item(cluster, f, known.get(f.id)) for f in _told(seen)],
        "edges": joined,
        "spots": spots,
        "lines": list(_lines(joined, {spot.host: spot for spot in spots})),
        "runs": past.runs(cluster, 5),
        "backups": past.backups(cluster)[:4],
        "go_on": _next_step(cluster),
    }


def drawn(shown: Mapping[str, Any], name: str) -> str:
    return render_to_string(PARTS[name], dict(shown))


def _told(seen: Summary) -> list[Finding]:
    """Notices that mean nothing bad are told by the verdict, not as something to attend to."""
    return list(seen.verdict.findings)


def _acknowledged(cluster: Cluster) -> dict[str, Acknowledgement]:
    return {each.finding: each for each in cluster.acknowledgements.filter(ended_at=None)}


def _item(cluster: Cluster, finding: Finding, known: Acknowledgement | None) -> Item:
    tones = {"critical": "failed", "warning": "attention", "notice": "working"}
    tone = "unknown" if finding.state == "unknown" else tones[finding.severity]
    return Item(finding, _next(cluster, finding.action), tone, known)


def _next(cluster: Cluster, action: Action) -> Next:
    if not history.of().offers(action.procedure):
        return Next(action, "")
    url = reverse("plan", args=[cluster.pk, action.procedure])
    if action.node and action.procedure in _ON_ONE_NODE:
        url += "?" + urlencode({"nodes": action.node})
    return Next(action, url)


def _next_step(cluster: Cluster) -> StepStand | None:
    """Where the installation goes on; none once it has come to its end, whatever broke later."""
    last = history.of().last_runs(cluster).get("install_glusterfs")
    if last and last.state == "succeeded":
        return None
    return next((stand for stand in summary.installation(cluster) if not stand.done), None)


WIDTH, HEIGHT, MARGIN_X, MARGIN_Y = 400.0, 232.0, 78.0, 36.0


def _spots(nodes: list[tuple[str, str, bool]]) -> list[Spot]:
    """On a circle that begins at the top; two stand side by side."""
    count = len(nodes)
    start = math.pi if count == 2 else -math.pi / 2
    spots = []
    for place, (host, state, primary) in enumerate(nodes):
        angle = start + 2 * math.pi * place / max(1, count)
        x = WIDTH / 2 + (WIDTH / 2 - MARGIN_X) * math.cos(angle)
        y = HEIGHT / 2 + (HEIGHT / 2 - MARGIN_Y) * math.sin(angle)
        spots.append(Spot(host, round(x, 1), round(y, 1), state, primary))
    return spots


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
