"""Step 2: how the panel signs in, and which host key each server has (law 12)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from clusterpanel.people import confirming
from nodes import services
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import say
from nodes.forms import AccessForm, by_field
from nodes.models import Cluster
from nodes.views.steps.common import around, onwards, own_keys, person


def page(request: HttpRequest, cluster: Cluster) -> HttpResponse:
    if request.method != "POST":
        return _page(request, cluster, {}, {})
    form = AccessForm(request.POST)
    make_key = request.POST.get("then") == "make"
    try:
        if not form.is_valid():
            raise Refused
        services.access_save(
            cluster=cluster, by=person(request), make_key=make_key, **form.access()
        )
    except Refused as refused:
        return _page(request, cluster, form.data, by_field(refused.refusals, form), status=422)
    return _after_save(request, cluster)


def _after_save(request: HttpRequest, cluster: Cluster) -> HttpResponse:
    """Next leads on only when nothing is missing here; else this page says what is."""
    done = around(cluster, "access")["stand"].done
    go_on = done and request.POST.get("then") == "next"
    return onwards(request, cluster, "checks" if go_on else "access")


def page_with(
    request: HttpRequest, cluster: Cluster, done: dict[str, Any], status: int
) -> HttpResponse:
    """The same page with what was done to the panel's own key, for a browser without scripts."""
    return _page(request, cluster, {}, {}, status, done)


def _page(
    request: HttpRequest,
    cluster: Cluster,
    typed: Any,
    problems: dict[str, Any],
    status: int = 200,
    done: dict[str, Any] | None = None,
) -> HttpResponse:
    # Only these two are ever shown again; a key or a password is not.
    values = {
        name: typed.get(name, getattr(cluster, name)) for name in ("ssh_username", "ssh_port")
    }
    context = {**around(cluster, "access"), "values": values, "problems": problems}
    context |= {**own_keys(cluster), **(done or {})}
    context["ask_password"] = not confirming.is_fresh(request.user)
    if "scan" in request.GET:
        context["keys"] = services.host_keys_scan(cluster=cluster)
    return render(request, "nodes/steps/access.html", context, status=status)


@require_safe
def keys(request: HttpRequest, cluster_id: int) -> HttpResponse:
    """The key that each server shows at this moment."""
    return _keys(request, get_object_or_404(Cluster, pk=cluster_id), {})


@require_POST
def trust(request: HttpRequest, cluster_id: int) -> HttpResponse:
    """A person compared the fingerprint and accepts it."""
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    host = request.POST.get("host", "")
    try:
        _trust(request, cluster, host)
    except Refused as refused:
        return _keys(request, cluster, {host: refused.refusals}, status=422)
    if not request.htmx:  # type: ignore[attr-defined]
        return (
            redirect("adopt", cluster.id)
            if cluster.adopting
            else redirect("wizard", cluster.id, "access")
        )
    answer = _keys(request, cluster, {})
    if cluster.adopting:  # what can be done next is elsewhere on that page
        answer["HX-Refresh"] = "true"
    return answer


def _trust(request: HttpRequest, cluster: Cluster, host: str) -> None:
    if "compared" not in request.POST:
        raise Refused(_not_compared(host))
    replace = request.POST.get("replace") == "1"
    if replace and request.POST.get("typed", "").strip() != host:
        raise Refused(_not_typed(host))
    services.host_key_trust(
        cluster=cluster,
        host=host,
        sha256=request.POST.get("sha256", ""),
        by=person(request),
        replace=replace,
        password=request.POST.get("password", ""),
    )


def _not_compared(host: str) -> Refusal:
    why = say("The fingerprint of %(host)s was not confirmed as compared.", host=host)
    fix = say("Compare it with the server's own console, then tick the box.")
    return Refusal("not_compared", why, fix)


def _not_typed(host: str) -> Refusal:
    why = say("The name that was typed is not %(host)s.", host=host)
    return Refusal("typed_wrong", why, say("Type the name exactly as it is shown."))


def _keys(
    request: HttpRequest, cluster: Cluster, problems: dict[str, Any], status: int = 200
) -> HttpResponse:
    context = {
        **around(cluster, "access"),
        "keys": services.host_keys_scan(cluster=cluster),
        "problems": problems,
        "ask_password": not confirming.is_fresh(request.user),
        "oob": not cluster.adopting,
    }
    # htmx shows an answer only when it is a success; the refusal is in the row itself.
    shown = 200 if request.htmx else status  # type: ignore[attr-defined]
    return render(request, "nodes/steps/keys.html", context, status=shown)
