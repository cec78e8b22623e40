"""The settings: lists and primary, drift, access, apply command, dpiui2's page, history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clusterpanel.people.roles import Role
from clusterpanel.people.standing import role_of
from nodes import history, selectors, services
from nodes.domain.env_lines import EnvFile
from nodes.domain.live_lists import CHANGE_PRIMARY, Consequence, Live, consequences
from nodes.domain.refusal import Refusal, Refused
from nodes.forms import SettingsForm, by_field, nodes_initial
from nodes.models import Acknowledgement, Cluster, SettingsRevision
from nodes.views.steps.common import person

_LISTS = ("galera_peer_hosts", "cluster_fs_peer_hosts")


@dataclass(frozen=True)
class Drift:
    """A node's file that reads otherwise, and who said that it may, until it changes."""

    file: EnvFile
    ignored: Acknowledgement | None


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    if cluster.adopting:
        return redirect("adopt", cluster.pk)
    if request.method != "POST":
        return _page(request, cluster, nodes_initial(cluster))
    form = SettingsForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused
        before, saved = _save(request, cluster, form)
    except Refused as refused:
        return _again(request, cluster, form, refused)
    if saved.number == before:
        messages.info(request, gettext("Nothing was changed."))
        return redirect("settings", cluster.pk)
    return redirect("difference", cluster.pk)


def _save(
    request: HttpRequest, cluster: Cluster, form: SettingsForm
) -> tuple[int, SettingsRevision]:
    """The number that the change was based on, and what is the newest now."""
    based_on = form.cleaned_data["based_on"] or 0
    saved = services.settings_save(
        cluster=cluster,
        by=person(request),
        based_on=based_on,
        accepted=request.POST.getlist("accepted"),
        **form.settings(),
    )
    return based_on, saved


def _again(
    request: HttpRequest, cluster: Cluster, form: SettingsForm, refused: Refused
) -> HttpResponse:
    """What was typed stays. After a conflict the next save is based on what is the newest now."""
    conflict = next((r for r in refused.refusals if r.code == "settings_stale"), None)
    live = [r for r in refused.refusals if r.code == "live_list"]
    rest = [r for r in refused.refusals if r is not conflict and r not in live]
    typed = {
        **request.POST.dict(),
        **{name: request.POST.getlist(name) for name in _LISTS},
        "same_hosts": "same_hosts" in request.POST,
        "two_galera_acknowledged": "two_galera_acknowledged" in request.POST,
    }
    if conflict:
        typed["based_on"] = cluster.revision.number
    more = {
        "problems": by_field(rest, form),
        "conflict": conflict,
        "newest": cluster.revision,
        "consequences": live,
        "accepted": request.POST.getlist("accepted"),
        "two_galera": any(r.code == "galera_two_hosts" for r in rest),
    }
    return _page(request, cluster, typed, more, status=409 if conflict or live else 422)


@require_POST
def page_url(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    wanted = request.POST.get("page_url", "")
    try:
        services.page_url_save(cluster=cluster, by=person(request), page_url=wanted)
    except Refused as refused:
        more = {"page_url": wanted, "page_problems": refused.refusals}
        return _page(request, cluster, nodes_initial(cluster), more, status=422)
    messages.success(request, gettext("Saved. The servers are asked for it within a minute."))
    return redirect("settings", cluster.pk)


@require_POST
def apply_command(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    wanted = request.POST.get("apply_command", "")
    try:
        services.apply_command_save(cluster=cluster, by=person(request), apply_command=wanted)
    except Refused as refused:
        more = {"apply_command": wanted, "apply_problems": refused.refusals}
        return _page(request, cluster, nodes_initial(cluster), more, status=422)
    messages.success(request, gettext("Saved. It runs when settings are applied the next time."))
    return redirect("settings", cluster.pk)


@require_safe
def look(request: HttpRequest, cluster_id: int | None = None) -> HttpResponse:
    """What a host that is being typed answers right now."""
    cluster = get_object_or_404(Cluster, pk=cluster_id) if cluster_id else None
    if role_of(request.user) is not Role.ADMINISTRATOR:  # nobody else changes the lists
        return HttpResponse(status=204)
    found = services.host_look(
        host=request.GET.get("host", "")[:253], cluster=cluster, by=person(request)
    )
    return render(request, "nodes/look.html", {"looks": found})


@require_safe
def difference(request: HttpRequest, cluster_id: int) -> HttpResponse:
    """What was saved beside what each server has, line by line, and what is left to do by hand."""
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    facts = selectors.latest_facts(cluster)
    files = selectors.env_difference(cluster, facts)
    context = {
        "cluster": cluster,
        "revision": cluster.revision,
        "files": files,
        "different": any(not file.same for file in files),
        "active_run": history.of().active_run(cluster),
        "left": _left_to_do(cluster),
    }
    return render(request, "nodes/difference.html", context)


def _left_to_do(cluster: Cluster) -> tuple[Consequence, ...]:
    """What the newest revision means for a cluster that runs; the lists alone moved nothing."""
    newest = cluster.revision
    before = cluster.revisions.filter(number=newest.number - 1).first()
    if before is None:
        return ()
    facts, is_live = selectors.latest_facts(cluster), services.live_now(cluster)
    return consequences(before.peers, newest.peers, is_live, facts)


def _page(
    request: HttpRequest,
    cluster: Cluster,
    values: dict[str, Any],
    more: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    facts, is_live = selectors.latest_facts(cluster), services.live_now(cluster)
    context = {
        "cluster": cluster,
        "revision": cluster.revision,
        "values": values,
        "live": is_live,
        "primaries": _hosts(values),
        "change_primary": history.of().offers(CHANGE_PRIMARY),
        "drift": _drift(cluster, selectors.env_difference(cluster, facts), is_live),
        "waiting": history.of().waiting_settings(cluster),
        "rows": selectors.revision_rows(cluster, facts),
        "page_url": cluster.page_url,
        "apply_command": cluster.apply_command,
        **(more or {}),
    }
    return render(request, "nodes/settings.html", context, status=status)


def _hosts(values: dict[str, Any]) -> list[str]:
    """Whom the primary can be chosen among: the Galera list as it is typed, and the one there is."""
    typed = [host for host in values["galera_peer_hosts"] if host.strip()]
    return list(dict.fromkeys([*typed, values.get("cluster_primary_host") or ""])) if typed else []


def _drift(cluster: Cluster, files: Iterable[EnvFile], is_live: Live) -> list[Drift]:
    """Before the installation a file without any value is no drift: nobody wrote one yet."""
    known = {a.finding: a for a in cluster.acknowledgements.filter(ended_at=None)}
    shown = (file for file in files if file.finding and (file.written or is_live))
    return [Drift(file, known.get(file.finding)) for file in shown]


def refusals_of_live(refused: Refused) -> tuple[list[Refusal], list[Refusal]]:
    """Those that a tick answers, and the others."""
    live = [r for r in refused.refusals if r.code == "live_list"]
    return live, [r for r in refused.refusals if r not in live]
