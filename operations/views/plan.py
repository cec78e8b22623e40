"""The plan page: what will happen, what it asks of a person, and the button that starts it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from nodes.domain.refusal import Refusal, Refused
from nodes.models import Cluster
from operations import selectors, services
from operations.domain.plan import Gate, Plan, Step
from operations.domain.proofs import PROOFS
from operations.forms import GateAnswer, confirmations, gate_answers
from operations.models import Run
from operations.views.common import person

# These refusals are about one gate and stand beside it.
_OF_A_GATE = frozenset({"gate_unanswered", "backup_invalid", "typed_wrong", "waiver_forbidden"})

# Where a refused planner's reason is put right, by the start of its code.
_WIZARD_STEP = (
    ("settings", "settings"),
    ("galera_not", "galera"),
    ("gluster", "nodes"),
    ("backup", "backup"),
    ("host_key", "access"),
    ("script", "checks"),
    ("node", "checks"),
)


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
    """The query names the parameters; `nodes` is always a list, as in the API."""
    lists = dict(request.GET.lists())
    return {name: v if name == "nodes" else v[-1] for name, v in lists.items()}


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
    context = {
        "cluster": cluster,
        "plan": shown,
        "totals": _totals(shown),
        "stages": _stages(shown),
        "gates": [_gate(cluster, answer, request) for answer in answers],
        "ladder": _ladder(shown),
        "button": _button(shown),
        "active": selectors.active_run(cluster),
        "refusals": general,
        "changed": next((r for r in general if r.code == "plan_changed"), None),
    }
    status = 409 if general or any(answer.problems for answer in answers) else 200
    return render(request, "operations/plan.html", context, status=status)


def _beside_their_gates(answers: list[GateAnswer], refusals: Iterable[Refusal]) -> list[Refusal]:
    """Puts each refusal of a gate to its answer; returns the ones that are about the whole plan."""
    by_id = {answer.gate.id: answer for answer in answers}
    general = []
    for refusal in refusals:
        answer = by_id.get(str(refusal.evidence.get("gate", "")))
        if answer is None and refusal.code in _OF_A_GATE and len(answers) == 1:
            answer = answers[0]
        if answer is None:
            general.append(refusal)
        else:
            answer.problems.append(refusal)
    return general


def _totals(shown: Plan) -> list[str]:
    """The plan in three figures: steps, nodes, and how many steps replace data."""
    steps, nodes = len(shown.steps), len(shown.nodes)
    replacing = sum(step.overwrites for step in shown.steps)
    return [
        ngettext("%(count)s step", "%(count)s steps", steps) % {"count": steps},
        ngettext("on %(count)s node", "on %(count)s nodes", nodes) % {"count": nodes},
        ngettext("%(count)s replaces data", "%(count)s replace data", replacing)
        % {"count": replacing}
        if replacing
        else gettext("none replaces data"),
    ]


def _stages(shown: Plan) -> list[dict[str, Any]]:
    number = 0
    stages = []
    for stage in shown.stages:
        steps = []
        for step in stage.steps:
            number += 1
            steps.append(_step(number, step))
        stages.append({"stage": stage, "steps": steps})
    return stages


def _step(number: int, step: Step) -> dict[str, Any]:
    """`summary` is one line; `command` is everything, as it could be pasted into a shell."""
    script = next((arg for arg in step.argv if "\n" in arg), "")
    brief = [arg if "\n" not in arg else "…" for arg in step.argv]
    return {
        "number": number,
        "step": step,
        "summary": gettext("script, %(lines)s lines") % {"lines": script.count("\n") + 1}
        if script
        else shlex.join(brief),
        "command": shlex.join(brief),
        "script": script,
        "proof": PROOFS[step.proof.name].sentence(step.proof.args),
        "timeout": _minutes(step.timeout_s),
    }


def _minutes(seconds: int) -> str:
    if seconds < 120:
        return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": seconds}
    minutes = round(seconds / 60)
    return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}


def _ladder(shown: Plan) -> int:
    """The level of confirmation: 1 a click, 2 a tick, 3 something that must not happen by Enter."""
    kinds = {gate.kind for gate in shown.gates}
    if kinds & {"typed", "backup"}:
        return 3
    return 2 if kinds else 1


def _gate(cluster: Cluster, answer: GateAnswer, request: HttpRequest) -> dict[str, Any]:
    shown: dict[str, Any] = {"answer": answer, "gate": answer.gate}
    if answer.gate.kind == "backup":
        shown["backups"] = selectors.usable_backups(cluster, answer.gate.subject)
        shown["take"] = _take_backup(cluster, answer.gate)
        shown["may_waive"] = bool(getattr(request.user, "is_superuser", False))
    return shown


def _take_backup(cluster: Cluster, gate: Gate) -> str:
    return reverse("plan", args=[cluster.id, f"backup_{gate.subject}"])


def _button(shown: Plan) -> str:
    """A verb and a number: never just "OK"."""
    nodes = len(shown.nodes)
    where = {"count": nodes, "node": shown.nodes[0] if shown.nodes else ""}
    match shown.procedure:
        case "install_galera":
            text = ngettext(
                "Install Galera on %(node)s", "Install Galera on %(count)s nodes", nodes
            )
        case "install_glusterfs":
            text = ngettext(
                "Install GlusterFS on %(node)s", "Install GlusterFS on %(count)s nodes", nodes
            )
        case "apply_settings":
            text = ngettext(
                "Write the settings on %(node)s", "Write the settings on %(count)s nodes", nodes
            )
        case "backup_database":
            text = gettext("Back up the database on %(node)s")
        case "backup_storage":
            text = gettext("Back up the storage directory on %(node)s")
        case "verify_backup":
            text = gettext("Check the backup on %(node)s")
        case "create_monitor_account":
            text = gettext("Create the account on %(node)s")
        case _:
            text = ngettext("Start on %(node)s", "Start on %(count)s nodes", nodes)
    return text % where


def _refusal_page(
    request: HttpRequest, cluster: Cluster, procedure: str, refused: Refused
) -> HttpResponse:
    context = {
        "cluster": cluster,
        "procedure": procedure,
        "refusals": [
            {"refusal": each, "link": _fix_link(cluster, each)} for each in refused.refusals
        ],
        "active": selectors.active_run(cluster),
    }
    return render(request, "operations/refused.html", context, status=409)


def _fix_link(cluster: Cluster, refusal: Refusal) -> str:
    """Where the reason can be put right; a running run is its own place."""
    run = str(refusal.evidence.get("run", ""))
    if run and Run.objects.filter(pk=run).exists():
        return reverse("run", args=[run])
    step = next((step for start, step in _WIZARD_STEP if refusal.code.startswith(start)), "checks")
    return reverse("wizard", args=[cluster.id, step])
