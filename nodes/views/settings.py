"""The three keys as they are now, and who saved which revision when."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from nodes.models import Cluster


@require_safe
def settings(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    revisions = cluster.revisions.select_related("author")
    context = {"cluster": cluster, "revision": cluster.revision, "revisions": revisions}
    return render(request, "nodes/settings.html", context)
