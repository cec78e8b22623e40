"""The first page: the last cluster's dashboard, or how to begin."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from clusterpanel.context import frame


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    cluster = frame(request)["cluster"]
    if cluster is not None:
        return redirect("dashboard", cluster.id)
    return render(request, "nodes/empty.html")
