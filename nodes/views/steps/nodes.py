"""Step 1: which servers, in which order. Saving it creates the cluster, or a new revision."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from nodes import services
from nodes.domain.refusal import Refused
from nodes.forms import NodesForm, by_field, nodes_initial
from nodes.models import Cluster
from nodes.views.steps.common import around, onwards, person

_LISTS = ("galera_peer_hosts", "cluster_fs_peer_hosts")


def page(request: HttpRequest, cluster: Cluster | None) -> HttpResponse:
    if request.method != "POST":
        return _page(request, cluster, nodes_initial(cluster), {})
    form = NodesForm(request.POST)
    if not form.is_valid():
        return _again(request, cluster, form, Refused())
    try:
        saved = _save(request, cluster, form)
    except Refused as refused:
        return _again(request, cluster, form, refused)
    return onwards(request, saved, "access")


def _save(request: HttpRequest, cluster: Cluster | None, form: NodesForm) -> Cluster:
    by, settings = person(request), form.settings()
    if cluster and services.live_now(cluster):  # another primary is a procedure, not an order
        settings["cluster_primary_host"] = cluster.revision.cluster_primary_host
    if cluster is None:
        return services.cluster_create(
            by=by,
            name=form.cleaned_data["name"].strip(),
            ssh_username="root",
            ssh_port=22,
            **settings,
        )
    if _changed(cluster, settings):
        based_on = form.cleaned_data["based_on"] or 0
        services.settings_save(cluster=cluster, by=by, based_on=based_on, **settings)
    return cluster


def _changed(cluster: Cluster, settings: dict[str, Any]) -> bool:
    """A revision that says the same as the one before would only blur the history."""
    now = cluster.revision
    return any(getattr(now, name) != value for name, value in settings.items())


def _again(
    request: HttpRequest, cluster: Cluster | None, form: NodesForm, refused: Refused
) -> HttpResponse:
    typed = {
        **request.POST.dict(),
        **{name: request.POST.getlist(name) for name in _LISTS},
        "same_hosts": "same_hosts" in request.POST,
    }
    return _page(request, cluster, typed, by_field(refused.refusals, form), status=422)


def _page(
    request: HttpRequest,
    cluster: Cluster | None,
    values: dict[str, Any],
    problems: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    context = {
        **around(cluster, "nodes"),
        "values": values,
        "problems": problems,
        "live": services.live_now(cluster) if cluster else None,
        # The tick is offered only to somebody who was told why two are too few.
        "two_galera": any(p.code == "galera_two_hosts" for p in problems.get(_LISTS[0], ())),
    }
    return render(request, "nodes/steps/nodes.html", context, status=status)
