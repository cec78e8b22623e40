"""The install wizard: one page per step, each step's state read from what is true now."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from nodes import summary
from nodes.domain.wizard import first_open
from nodes.models import Cluster
from nodes.views.steps import access, backup, checks, install_plans, nodes, settings, verify
from nodes.views.steps.common import around

_PAGES: dict[str, Callable[[HttpRequest, Cluster], HttpResponse]] = {
    "nodes": nodes.page,
    "access": access.page,
    "checks": checks.page,
    "settings": settings.page,
    "backup": backup.page,
    "galera": install_plans.galera,
    "gluster": install_plans.gluster,
    "verify": verify.page,
}

# Never reload a page under the hands of somebody who types into it.
_TYPED_INTO = frozenset({"nodes", "access", "checks"})


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Step 1 before there is a cluster."""
    return nodes.page(request, None)


@require_safe
def install(request: HttpRequest, cluster_id: int) -> HttpResponse:
    """Where the person left off: the first step that is not done."""
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    if cluster.adopting:
        return redirect("adopt", cluster.pk)
    return redirect("wizard", cluster.id, first_open(summary.installation(cluster)))


@require_safe
def stepper(request: HttpRequest, cluster_id: int, step: str) -> HttpResponse:
    """The stepper refreshes itself; the page around it does when its own step has moved on."""
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    if step not in _PAGES:
        raise Http404(step)
    context = around(cluster, step)
    answer = render(request, "nodes/stepper.html", context)
    if step not in _TYPED_INTO and request.GET.get("was") != context["stand"].state:
        answer["HX-Refresh"] = "true"
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
def wizard(request: HttpRequest, cluster_id: int, step: str) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    if step not in _PAGES:
        raise Http404(step)
    return _PAGES[step](request, cluster)
