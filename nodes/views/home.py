"""The first page: how to begin, the one cluster, or all of them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from nodes import selectors


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    found = list(selectors.clusters()[:2])
    if not found:
        return render(request, "nodes/empty.html")
    return redirect("overview") if len(found) > 1 else redirect("dashboard", found[0].pk)
