"""The three keys as they are now, who saved which revision when, and where dpiui2's page is."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from nodes import services
from nodes.domain.refusal import Refused
from nodes.models import Cluster


@require_safe
def settings(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    return render(request, "nodes/settings.html", _context(cluster))


@require_POST
def page_url(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    wanted = request.POST.get("page_url", "")
    assert isinstance(request.user, User)
    try:
        services.page_url_save(cluster=cluster, by=request.user, page_url=wanted)
    except Refused as refused:
        context = {**_context(cluster), "page_url": wanted, "problems": refused.refusals}
        return render(request, "nodes/settings.html", context, status=422)
    messages.success(request, gettext("Saved. The servers are asked for it within a minute."))
    return redirect("settings", cluster.pk)


def _context(cluster: Cluster) -> dict[str, Any]:
    return {
        "cluster": cluster,
        "revision": cluster.revision,
        "revisions": cluster.revisions.select_related("author"),
        "page_url": cluster.page_url,
    }
