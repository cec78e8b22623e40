"""What every step of the wizard shows around its own content."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from nodes import history, services, summary
from nodes.domain.wizard import PROCEDURES, STEPS, TITLES, StepStand
from nodes.models import Cluster

# Steps that may be left behind unfinished: a gate of the plan asks for a backup or a waiver.
_OPTIONAL = frozenset({"backup"})


def person(request: HttpRequest) -> User:
    """Who asks; every page here needs a signed-in person, so there always is one."""
    assert isinstance(request.user, User)
    return request.user


def around(cluster: Cluster | None, step: str) -> dict[str, Any]:
    """The stepper, the footer and the runs of this step, as template variables."""
    stands = summary.installation(cluster) if cluster else _before()
    at = STEPS.index(step)
    stand = stands[at]
    return {
        "cluster": cluster,
        "step": step,
        "number": at + 1,
        "stands": stands,
        "stand": stand,
        "back": STEPS[at - 1] if at else "",
        "next": STEPS[at + 1] if at + 1 < len(STEPS) else "",
        "open": stand.done or step in _OPTIONAL,
        **_runs(cluster, step),
    }


def own_keys(cluster: Cluster) -> dict[str, Any]:
    """The panel's own keys. Unproven: no server was ever read with what is in use."""
    return {
        "ssh_keys": services.ssh_keys_shown(cluster=cluster),
        "unproven": not cluster.observations.exists(),
    }


def _before() -> tuple[StepStand, ...]:
    """The stepper while there is nothing yet."""
    return tuple(
        StepStand(key, TITLES[key], "needs" if key == STEPS[0] else "waiting") for key in STEPS
    )


def _runs(cluster: Cluster | None, step: str) -> dict[str, Any]:
    """The active run of this cluster, and the newest one of each procedure of this step."""
    if cluster is None:
        return {}
    past = history.of()
    last = past.last_runs(cluster)
    mine = [last[procedure] for procedure in PROCEDURES.get(step, ()) if procedure in last]
    return {"active_run": past.active_run(cluster), "step_runs": mine}


def onwards(request: HttpRequest, cluster: Cluster, step: str) -> HttpResponse:
    """After a save: to where the pressed button points."""
    if request.POST.get("then") == "leave":
        return redirect("dashboard", cluster.id)
    return redirect("wizard", cluster.id, step)
