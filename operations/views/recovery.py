"""The page of the recovery: the evidence, what is chosen by it and why, or why nothing is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from nodes.models import Cluster
from operations import gates, selectors
from operations.domain.recovery_choice import Choice, Doubt
from operations.recovery_now import RecoveryNow, recovery_now
from operations.views import recovery_view
from operations.views.common import person


@require_GET
def recovery(request: HttpRequest, cluster_id: int) -> HttpResponse:
    """`?accept=` takes part in the decision as it would in the plan; nothing is started here."""
    cluster = get_object_or_404(Cluster, pk=cluster_id)
    accepted = request.GET.getlist("accept")
    now = recovery_now(cluster=cluster, accepted=accepted)
    context = {
        "cluster": cluster,
        "rows": recovery_view.rows(now.evidence, now.answer),
        "read_at": datetime.fromtimestamp(now.read_at, UTC),
        "backup": now.backup,
        "commands": now.commands,
        "active": selectors.active_run(cluster),
        "here": reverse("recovery", args=[cluster.pk]),
        **_answer(request, cluster, now, accepted),
    }
    return render(request, "operations/recovery.html", context)


def _answer(
    request: HttpRequest, cluster: Cluster, now: RecoveryNow, accepted: list[str]
) -> dict[str, Any]:
    if isinstance(now.answer, Choice):
        tokens = [each.token for each in now.answer.accepted]
        query = urlencode([("accept", token) for token in tokens])
        plan = reverse("plan", args=[cluster.pk, "recover_galera"])
        return {
            "choice": now.answer,
            "title": recovery_view.title(now.answer),
            "plan": f"{plan}?{query}" if query else plan,
            "copy": f"{plan}?{urlencode([('accept', t) for t in tokens] + [('copy', 'yes')])}",
        }
    return {"doubt": now.answer, **_doubt(request, cluster, now.answer, accepted)}


def _doubt(
    request: HttpRequest, cluster: Cluster, doubt: Doubt, accepted: list[str]
) -> dict[str, Any]:
    survey = reverse("plan", args=[cluster.pk, "survey_galera"])
    links = {"positions_unknown": survey, "stop_first": f"{survey}?stop=all"}
    here = reverse("recovery", args=[cluster.pk])
    return {
        "survey": links.get(doubt.code, ""),
        "tone": recovery_view.tone(doubt),
        "may_override": gates.person(person(request)).may_waive,
        "ways": [
            {
                "loss": each.loss,
                "url": f"{here}?{urlencode([('accept', t) for t in (*accepted, each.token)])}",
            }
            for each in doubt.accept
        ],
    }
