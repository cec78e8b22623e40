"""Taking back what waits for a server that was away."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from clusterpanel.words import translated
from nodes.domain.refusal import Refused
from nodes.models import Cluster
from operations import pending
from operations.views.common import person


@require_POST
def forget(request: HttpRequest, cluster_id: int) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    host = request.POST.get("host", "")
    try:
        pending.forget(cluster=cluster, host=host, by=person(request))
    except Refused as refused:
        messages.info(request, translated(refused.first.why) or "")
    else:
        messages.success(request, gettext("Nothing will be written to %(host)s.") % {"host": host})
    return redirect("settings", cluster.pk)
