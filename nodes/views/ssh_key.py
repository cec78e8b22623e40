"""The key that the panel signs in with: one more made, tried, taken into use, forgotten."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from nodes import services
from nodes.domain.refusal import Refused
from nodes.domain.text import Text, say
from nodes.models import Cluster
from nodes.services import NotOpened, Tried
from nodes.services.ssh_keys import closed
from nodes.views import adopt
from nodes.views.steps import access
from nodes.views.steps.common import own_keys, person


@require_POST
def ssh_key(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    status = 200
    try:
        done = _act(request, cluster)
    except NotOpened as refused:
        done, status = _tried(request, refused.tried), 409
        done |= {"without": [each.host for each in closed(refused.tried)]}
        if not done["tried_sha256"]:  # the password has no card of its own
            done["refusals"] = refused.refusals
    except Refused as refused:
        done, status = {"refusals": refused.refusals, "said": refused.first.why}, 409
    if request.htmx:  # type: ignore[attr-defined]
        context = {"cluster": cluster, **own_keys(cluster), **done}
        return render(request, "nodes/steps/ssh_keys.html", context)
    page = adopt.page_with if cluster.adopting else access.page_with
    return page(request, cluster, done, status)


def _act(request: HttpRequest, cluster: Cluster) -> dict[str, Any]:
    by, sha256 = person(request), request.POST.get("sha256", "")
    action = request.POST.get("action", "")
    if action == "make":
        services.ssh_key_make(cluster=cluster, by=by)
        return {"said": say("The new key is made. It is not used yet.")}
    if action == "drop":
        services.ssh_key_drop(cluster=cluster, by=by, sha256=sha256)
        return {"said": say("The key is forgotten.")}
    if action in ("use", "retry"):
        told = request.POST.getlist("told") if "without" in request.POST else []
        without = told if action == "use" else []
        tried = services.ssh_key_use(cluster=cluster, by=by, sha256=sha256, without=without)
        return _tried(request, tried) | {"said": say("The panel signs in with it now.")}
    return _tried(request, services.ssh_key_try(cluster=cluster, by=by, sha256=sha256))


def _tried(request: HttpRequest, tried: list[Tried]) -> dict[str, Any]:
    return {
        "tried": tried,
        "tried_sha256": request.POST.get("sha256", ""),
        "said": _sentence(tried),
    }


def _sentence(tried: list[Tried]) -> Text:
    shut = closed(tried)
    if not shut:
        return say("It opens every server.")
    return say("It was not seen to open %(hosts)s.", hosts=", ".join(each.host for each in shut))
