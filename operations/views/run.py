"""The run page: what runs, where it stands, every line of it, and what to do when it ends."""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nodes.domain.refusal import Refused
from operations import selectors, services
from operations.domain.machine import RunState
from operations.line_json import Names, line_json
from operations.models import Run
from operations.plain_text import strip_escapes
from operations.runtime import checking, journal
from operations.views.common import (
    is_active,
    person,
    run_or_404,
    state_words,
    tell_refusals,
)
from operations.views.log import segments
from operations.views.matrix import matrix
from operations.views.run_words import words

FIRST_LINES = 200  # rendered by the server, so that the page says something before any script ran
CHECK_ANSWERS = timedelta(minutes=10)  # so long a page waits for what a worker finds
NEXT = {
    "apply_settings": "backup",
    "backup_database": "galera",
    "backup_storage": "galera",
    "verify_backup": "galera",
    "install_galera": "gluster",
    "install_glusterfs": "verify",
}


@require_GET
def run(request: HttpRequest, run_id: str) -> HttpResponse:
    shown = run_or_404(run_id)
    context = _head(shown)
    snapshot = context["snapshot"]
    lines = _first_lines(shown, snapshot["last_line"])
    context |= {
        "matrix": matrix(snapshot),
        "first_lines": [{**line, "text": strip_escapes(line["text"])} for line in lines],
        "words": words(),
        "data": {
            "snapshot": snapshot,
            "segments": segments(shown),
            "lines": lines,
            "states": state_words(),
            "urls": _urls(shown),
        },
    }
    return render(request, "operations/run.html", context)


@require_GET
def run_head(request: HttpRequest, run_id: str) -> HttpResponse:
    """The part above the log, for a page that is open; 204 when it already shows this."""
    context = _head(run_or_404(run_id))
    seen = request.GET.get("seen", "")
    if seen == context["signature"]:
        return HttpResponse(status=204)
    answer = render(request, "operations/_run_head.html", context)
    if not is_active(seen.partition("-")[0] or RunState.WAITING):
        # The page of a run that was over follows no journal: what a check wrote is read with it.
        answer["HX-Refresh"] = "true"
    return answer


def _head(shown: Run) -> dict[str, Any]:
    snapshot = selectors.run_snapshot(shown)
    steps = [step for stage in snapshot["stages"] for step in stage["steps"]]
    active = is_active(snapshot["state"])
    return {
        "run": shown,
        "cluster": shown.cluster,
        "snapshot": snapshot,
        "active": active,
        "signature": _signature(snapshot, steps),
        "stale": active and not snapshot["driver_alive"] and snapshot["state"] == "running",
        "duration": _seconds(snapshot["started_at"], snapshot["ended_at"]),
        "usual": _usual(shown) if active else None,
        "done": sum(step["state"] == "succeeded" for step in steps),
        "steps": steps,
        "changed": list(dict.fromkeys(step["node"] for step in steps)),
        "open": [step for step in steps if step["state"] != "succeeded"],
        "now": next((s for s in steps if s["state"] in ("running", "verifying")), None),
        "doubtful": [step for step in steps if step["state"] in ("unknown", "cancelled")],
        "failed": _failed_step(snapshot, steps),
        **_ways_on(shown, steps),
        "next": _next(shown) if snapshot["state"] == RunState.SUCCEEDED else None,
    }


def _ways_on(shown: Run, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """What the cards of a run without success offer."""
    left = next((step for step in steps if step["state"] != "succeeded"), None)
    return {
        "goes_on_at": left,
        "settings_differ": left is not None and _of_settings(shown, left["key"]),
        "plan_again": _plan_again(shown),
        "checking": any(_looks(step) for step in steps),
        "holder": selectors.active_run(shown.cluster),
    }


def _of_settings(shown: Run, key: str) -> bool:
    """What the step could not prove is mended on the settings page, by a person."""
    return shown.plan.step(key).proof.name in ("primary_consistent", "primary_agreed")


def _signature(snapshot: dict[str, Any], steps: list[dict[str, Any]]) -> str:
    """Changes when the head would look different; the ticking clock ticks by itself."""
    states = "".join(step["state"][0:2] for step in steps)
    checks = "".join(step["check"]["at"] for step in steps if step["check"])
    flags = f"{snapshot['cancelling']:d}{snapshot['driver_alive']:d}{snapshot['resumable']:d}"
    return f"{snapshot['state']}-{flags}-{states}-{''.join(filter(str.isalnum, checks))}"


def _looks(step: dict[str, Any]) -> bool:
    """A worker was asked to check the step and may still answer."""
    if not step["check"] or step["check"]["state"] != checking.ASKED:
        return False
    asked = parse_datetime(step["check"]["at"])
    return asked is not None and timezone.now() - asked < CHECK_ANSWERS


def _plan_again(shown: Run) -> str:
    address = reverse("plan", args=[shown.cluster_id, shown.procedure])
    return f"{address}?{urlencode(shown.params, doseq=True)}" if shown.params else address


def _failed_step(snapshot: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The step that the failure names; its key or its title may have been given."""
    failure = snapshot["failure"]
    if not failure:
        return None
    named = (step for step in steps if failure["step"] in (step["key"], step["title"]))
    here = (step for step in steps if step["state"] == "failed")
    return next(named, None) or next(here, None)


def _seconds(started: str | None, ended: str | None) -> float | None:
    start, end = parse_datetime(started or ""), parse_datetime(ended or "")
    return (end - start).total_seconds() if start and end else None


def _usual(shown: Run) -> float | None:
    """Seconds that the last successes of this procedure took; None when there are none."""
    ended = Run.objects.filter(
        procedure=shown.procedure, state=RunState.SUCCEEDED, started_at__isnull=False
    ).order_by("-ended_at")[:5]
    took = ended.annotate(took=F("ended_at") - F("started_at")).values_list("took", flat=True)
    seconds = [each.total_seconds() for each in took if each]
    return median(seconds) if seconds else None


def _next(shown: Run) -> dict[str, str]:
    """After a success: the step of the wizard that comes now."""
    labels = {
        "backup": gettext("take a backup"),
        "galera": gettext("install Galera"),
        "gluster": gettext("install GlusterFS"),
        "verify": gettext("verify the cluster"),
    }
    if shown.procedure == "survey_galera":
        label = gettext("what the positions mean, and the recovery")
        return {"label": label, "url": reverse("recovery", args=[shown.cluster_id])}
    step = NEXT.get(shown.procedure)
    if step is None:
        return {
            "label": gettext("the dashboard"),
            "url": reverse("dashboard", args=[shown.cluster_id]),
        }
    return {"label": labels[step], "url": reverse("wizard", args=[shown.cluster_id, step])}


def _first_lines(shown: Run, last: int) -> list[dict[str, Any]]:
    names = Names.of(shown)
    found = journal.read(shown.id, after=max(0, last - FIRST_LINES), limit=FIRST_LINES)
    return [line_json(line, names) for line in found]


def _urls(shown: Run) -> dict[str, str]:
    names = {
        "log": "run-log",
        "events": "run-events",
        "search": "run-search",
        "firstError": "run-first-error",
    }
    return {key: reverse(name, args=[shown.id]) for key, name in names.items()}


@require_http_methods(["GET", "POST"])
def run_cancel(request: HttpRequest, run_id: str) -> HttpResponse:
    """GET asks on a page of its own, for a browser without scripts; the page asks in a dialog."""
    shown = run_or_404(run_id)
    if request.method == "GET":
        return render(request, "operations/cancel.html", _head(shown))
    try:
        services.run_cancel(run=shown, by=person(request))
    except Refused as refused:
        tell_refusals(request, refused)
    else:
        messages.info(request, gettext("Asked to cancel. The running command is being stopped."))
    return redirect("run", shown.id)


@require_POST
def run_resume(request: HttpRequest, run_id: str) -> HttpResponse:
    shown = run_or_404(run_id)
    try:
        services.run_resume(run=shown, by=person(request))
    except Refused as refused:
        tell_refusals(request, refused)
    return redirect("run", shown.id)


@require_POST
def run_check(request: HttpRequest, run_id: str) -> HttpResponse:
    shown = run_or_404(run_id)
    try:
        services.run_check(run=shown, step=request.POST.get("step", ""), by=person(request))
    except Refused as refused:
        tell_refusals(request, refused)
    return redirect("run", shown.id)
