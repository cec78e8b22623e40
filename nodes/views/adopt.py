"""Adopting a cluster that runs: one host, its keys, the others, what runs there; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from nodes import history, selectors, services
from nodes.domain.card import Card, cards
from nodes.domain.env_lines import EnvFile
from nodes.domain.refusal import Refusal, Refused
from nodes.forms import AdoptForm, by_field
from nodes.history import NodeWork
from nodes.models import DEFAULT_APP_DIR, Cluster
from nodes.services import adoption
from nodes.views.steps.common import own_keys, person

_FIELDS = ("name", "host", "ssh_username", "ssh_port", "app_dir")  # secrets are never shown again


@dataclass(frozen=True)
class Found:
    """One server of the cluster that was found."""

    card: Card
    file: EnvFile
    work: NodeWork | None


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        first = {"ssh_username": "root", "ssh_port": 22, "app_dir": DEFAULT_APP_DIR}
        return render(request, "nodes/adopt_new.html", {"values": first})
    form = AdoptForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused
        make_key = request.POST.get("then") == "make"
        cluster = services.adoption_begin(by=person(request), make_key=make_key, **form.given())
    except Refused as refused:
        values = {name: request.POST.get(name, "") for name in _FIELDS}
        context = {"values": values, "problems": by_field(refused.refusals, form)}
        return render(request, "nodes/adopt_new.html", context, status=422)
    return redirect("adopt", cluster.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def adopt(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    if not cluster.adopting:
        return redirect("dashboard", cluster.pk)
    if request.method != "POST":
        return _page(request, cluster)
    try:
        return _act(request, cluster)
    except Refused as refused:
        return _page(request, cluster, refused.refusals, status=409)


def _act(request: HttpRequest, cluster: Cluster) -> HttpResponse:
    by, action = person(request), request.POST.get("action", "")
    if action == "read":
        services.adoption_read(cluster=cluster, by=by, host=request.POST.get("host", ""))
        return redirect("adopt", cluster.pk)
    if action == "drop":
        services.adoption_drop(cluster=cluster, by=by)
        messages.info(request, gettext("It was forgotten; nothing was changed on any server."))
        return redirect("home")
    if action == "finish":
        services.adoption_finish(cluster=cluster, by=by)
        messages.success(
            request, gettext("The panel manages this cluster now. Nothing was changed.")
        )
        return redirect("dashboard", cluster.pk)
    return redirect("adopt", cluster.pk)


def page_with(
    request: HttpRequest, cluster: Cluster, done: dict[str, Any], status: int
) -> HttpResponse:
    """The same page with what was done to the panel's own key, for a browser without scripts."""
    return _page(request, cluster, (), status, done)


def _page(
    request: HttpRequest,
    cluster: Cluster,
    refusals: tuple[Refusal, ...] = (),
    status: int = 200,
    done: dict[str, Any] | None = None,
) -> HttpResponse:
    peers, facts = cluster.revision.peers, selectors.latest_facts(cluster)
    read = adoption.was_read(cluster)
    found = _found(cluster) if read else []
    context: dict[str, Any] = {
        "cluster": cluster,
        "revision": cluster.revision,
        "first": peers.hosts[0],
        "trusted": cluster.host_keys.filter(host=peers.hosts[0]).exists(),
        "read": read,
        "found": found,
        "different": len({_values(each.file) for each in found if each.file.present}) > 1,
        "busy": [each.work for each in found if each.work and (each.work.run or each.work.jobs)],
        "missing": adoption.not_ready(cluster) if facts or read else None,
        "refusals": refusals,
        **own_keys(cluster),
        **(done or {}),
    }
    return render(request, "nodes/adopt.html", context, status=status)


def _found(cluster: Cluster) -> list[Found]:
    facts = selectors.latest_facts(cluster)
    files = {file.host: file for file in selectors.env_difference(cluster, facts)}
    work = {each.host: each for each in history.of().work_on_nodes(cluster)}
    shown = cards(cluster.revision.peers, facts)
    return [Found(card, files[card.host], work.get(card.host)) for card in shown]


def _values(file: EnvFile) -> tuple[str | None, ...]:
    return tuple(line.found for line in file.lines)
