"""Who is the primary, who could be, who was not told of the last change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from nodes import selectors as seen
from nodes import services
from nodes.domain.find_primary import named_by, takes_itself
from nodes.domain.observation import NOT_ASKED, ClusterFacts, Unknown
from nodes.domain.parse_node import unreachable
from nodes.domain.peers import PeerSettings
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import Text, say
from nodes.models import Cluster
from operations import fences as pending
from operations.domain.planners.primary_roles import candidates, doubts
from operations.views.common import person

_CLOSED = 10


@dataclass(frozen=True)
class Row:
    """One server. `unknown`: why it is not known whom its `.env` names."""

    host: str
    wanted: bool
    named: str
    own: bool
    unknown: Text | None
    doubts: tuple[Text, ...]
    choosable: bool
    fence: bool


@require_safe
def primary(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    chosen = request.GET.get("primary", "")
    return render(request, "operations/primary.html", _context(cluster) | {"chosen": chosen})


@require_safe
def fences(request: HttpRequest) -> HttpResponse:
    """What stands above every page."""
    return render(request, "operations/fences.html", {"fences": pending.open_fences()})


@require_POST
def workers(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    typed = {name: request.POST.get(f"worker_{name}", "") for name in ("stop", "start", "check")}
    try:
        services.workers_save(cluster=cluster, by=person(request), **typed)
    except Refused as refused:
        cluster.refresh_from_db()
        context = _context(cluster, typed, refused.refusals)
        return render(request, "operations/primary.html", context, status=422)
    messages.success(request, gettext("Saved. The next change of the primary uses them."))
    return redirect("primary", cluster.pk)


def _context(
    cluster: Cluster,
    typed: Mapping[str, str] | None = None,
    problems: Sequence[Refusal] = (),
) -> dict[str, Any]:
    peers = cluster.revision.peers
    closed = cluster.fences.exclude(closed_at=None).order_by("-closed_at")
    return {
        "cluster": cluster,
        "wanted": peers.cluster_primary_host,
        "rows": list(_rows(peers, seen.latest_facts(cluster), set(pending.hosts(cluster)))),
        "open": pending.open_fences(cluster),
        "closed": closed[:_CLOSED],
        "beat": f"{settings.OBSERVE_EVERY_S:g}",
        "workers": list(_fields(cluster, typed or {}, problems)),
    }


def _rows(peers: PeerSettings, facts: ClusterFacts | None, fenced: set[str]) -> Iterator[Row]:
    known = {node.host: node for node in facts.nodes} if facts else {}
    fit = candidates(peers)
    for host in peers.hosts:
        node = known.get(host) or unreachable(host, 0.0, NOT_ASKED)
        named = named_by(node)
        yield Row(
            host=host,
            wanted=host == peers.cluster_primary_host,
            named=named or "",
            own=takes_itself(node),
            unknown=_unknown(node.env) if named is None else None,
            doubts=tuple(doubts(node)),
            choosable=node.ssh is True and host in fit and host not in fenced,
            fence=host in fenced,
        )


def _unknown(env: Any) -> Text:
    return env.why if isinstance(env, Unknown) else say("There is no such file.")


def _fields(
    cluster: Cluster, typed: Mapping[str, str], problems: Sequence[Refusal]
) -> Iterator[dict[str, Any]]:
    labels = {
        "stop": (gettext("Stop them"), "systemctl stop dpiui2-worker"),
        "start": (gettext("Start them"), "systemctl start dpiui2-worker"),
        "check": (
            gettext("Tell whether they run: exit code 0 while they do"),
            "systemctl is-active --quiet dpiui2-worker",
        ),
    }
    for short, (label, example) in labels.items():
        name = f"worker_{short}"
        yield {
            "name": name,
            "label": label,
            "example": example,
            "value": typed.get(short, getattr(cluster, name)),
            "problems": [problem for problem in problems if problem.field == name],
        }
