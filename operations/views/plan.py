"""The plan page: what will happen, what it asks of a person, and the button that starts it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from clusterpanel.people import confirming
from nodes.domain.refusal import Refusal, Refused
from nodes.models import Cluster
from operations import gates, selectors, services
from operations.domain.plan import Plan
from operations.forms import GateAnswer, confirmations, gate_answers
from operations.views import plan_view, refusal_view
from operations.views.common import person
from operations.views.operations import OPERATIONS


@require_http_methods(["GET", "POST"])
def plan(request: HttpRequest, cluster_id: int, procedure: str) -> HttpResponse:
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    params = _params(request)
    try:
        shown = services.plan_preview(cluster=cluster, procedure=procedure, params=params)
    except Refused as refused:
        return _refusal_page(request, cluster, procedure, refused)
    if request.method == "GET":
        return _plan_page(request, cluster, shown, gate_answers(shown, {}), ())
    return _start(request, cluster, shown, params)


def _params(request: HttpRequest) -> dict[str, Any]:
    """The query names the parameters; what may have several values is always a list."""
    several = {"nodes", "stages", "accept"}
    lists = dict(request.GET.lists())
    return {name: values if name in several else values[-1] for name, values in lists.items()}


def _start(
    request: HttpRequest, cluster: Cluster, shown: Plan, params: Mapping[str, Any]
) -> HttpResponse:
    answers = gate_answers(shown, request.POST)
    try:
        run = services.run_start(
            cluster=cluster,
            procedure=shown.procedure,
            params=params,
            plan_hash=request.POST.get("plan_hash", ""),
            confirmations=confirmations(answers),
            by=person(request),
        )
    except Refused as refused:
        return _plan_page(request, cluster, shown, answers, refused.refusals)
    return redirect("run", run.id)


def _plan_page(
    request: HttpRequest,
    cluster: Cluster,
    shown: Plan,
    answers: list[GateAnswer],
    refusals: Iterable[Refusal],
) -> HttpResponse:
    general = _beside_their_gates(answers, refusals)
    changed = next((r for r in general if r.code == "plan_changed"), None)
    context = {
        "cluster": cluster,
        "plan": shown,
        "totals": plan_view.totals(shown),
        "stages": plan_view.stages(shown),
        "gates": [_gate(request, cluster, answer) for answer in answers],
        "ladder": plan_view.ladder(shown),
        "button": plan_view.button(shown),
        "operation": shown.procedure in OPERATIONS,
        "active": selectors.active_run(cluster),
        "refusals": general,
        "changed": changed,
        "differences": changed.evidence.get("differences", ()) if changed else (),
    }
    refused = bool(general) or any(answer.problems for answer in answers)
    return render(request, "operations/plan.html", context, status=409 if refused else 200)


def _beside_their_gates(answers: list[GateAnswer], refusals: Iterable[Refusal]) -> list[Refusal]:
    """Puts each refusal of a gate to its answer; returns the ones that are about the whole plan."""
    by_id = {answer.gate.id: answer for answer in answers}
    general = []
    for refusal in refusals:
        answer = by_id.get(str(refusal.evidence.get("gate", "")))
        if answer is None:
            general.append(refusal)
        else:
            answer.problems.append(refusal)
    return general


def _gate(request: HttpRequest, cluster: Cluster, answer: GateAnswer) -> dict[str, Any]:
    shown: dict[str, Any] = {"answer": answer, "gate": answer.gate}
    if answer.gate.kind == "backup":
        subject = answer.gate.subject
        known = selectors.backups(cluster, subject)
        shown["backups"] = [backup for backup in known if backup.usable]
        shown["unusable"] = [backup for backup in known if not backup.usable]
        shown["take"] = reverse("plan", args=[cluster.id, f"backup_{subject}"])
        shown["may_waive"] = gates.person(person(request)).may_waive
        shown["ask_password"] = not confirming.is_fresh(request.user)
    if answer.gate.kind == "override":
        shown["may_override"] = gates.person(person(request)).may_waive
        shown["ask_password"] = not confirming.is_fresh(request.user)
    return shown


def _refusal_page(
    request: HttpRequest, cluster: Cluster, procedure: str, refused: Refused
) -> HttpResponse:
    context = {
        "cluster": cluster,
        "title": plan_view.procedure_name(procedure),
        "operation": procedure in OPERATIONS,
        "refusals": [refusal_view.shown(cluster, each) for each in refused.refusals],
    }
    status = 200 if request.method == "GET" else 409
    return render(request, "operations/refused.html", context, status=status)
