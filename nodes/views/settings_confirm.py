"""Going back to an old revision, or taking what a node has: seen line by line before it is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from clusterpanel.typed import number_in
from nodes import selectors, services
from nodes.domain.peer_changes import LineChange
from nodes.domain.refusal import Refused
from nodes.models import Cluster, SettingsRevision
from nodes.views.settings_page import refusals_of_live
from nodes.views.steps.common import person


@require_http_methods(["GET", "HEAD", "POST"])
def revert(request: HttpRequest, cluster_id: int, number: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    old = get_object_or_404(SettingsRevision, cluster=cluster, number=number)

    def save(**given: Any) -> SettingsRevision:
        return services.settings_revert(cluster=cluster, number=number, **given)

    title = gettext("Back to revision %(number)s") % {"number": number}
    return _confirmed(request, cluster, title, dict(old.peers.as_env()), save)


@require_http_methods(["GET", "HEAD", "POST"])
def take(request: HttpRequest, cluster_id: int) -> HttpResponse:
    """`host` and `finding` in the address: the drift as it was shown."""
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    host, finding = request.GET.get("host", ""), request.GET.get("finding", "")
    files = selectors.env_difference(cluster, selectors.latest_facts(cluster))
    file = next((f for f in files if f.host == host and f.finding == finding != ""), None)
    if file is None:
        messages.info(request, gettext("The .env of this server is no longer as it was shown."))
        return redirect("settings", cluster.pk)

    def save(**given: Any) -> SettingsRevision:
        return services.settings_take(cluster=cluster, host=host, finding=finding, **given)

    title = gettext("Take the settings from %(host)s") % {"host": host}
    wanted = {line.key: line.found or "" for line in file.lines}
    return _confirmed(request, cluster, title, wanted, save)


def _confirmed(
    request: HttpRequest,
    cluster: Cluster,
    title: str,
    wanted: dict[str, str],
    save: Callable[..., SettingsRevision],
) -> HttpResponse:
    """The difference to the newest revision; a POST saves it, with what was confirmed."""
    context: dict[str, Any] = {"cluster": cluster, "title": title, "revision": cluster.revision}
    status, accepted = 200, request.POST.getlist("accepted")
    if request.method == "POST":
        try:
            based_on = number_in(request.POST.get("based_on", "")) or 0
            save(by=person(request), based_on=based_on, accepted=accepted)
        except Refused as refused:
            live, rest = refusals_of_live(refused)
            context |= {"consequences": live, "refusals": rest, "accepted": accepted}
            status = 409
        else:
            return redirect("difference", cluster.pk)
    now = cluster.revision.peers.as_env()
    lines = [LineChange(key, now[key], value) for key, value in wanted.items()]
    return render(request, "nodes/settings_confirm.html", context | {"lines": lines}, status=status)
