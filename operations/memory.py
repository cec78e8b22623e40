"""What the panel's books say of earlier stops and restarts: runs and their steps, nothing more."""

from __future__ import annotations

from nodes.models import Cluster
from operations.domain.machine import ACTIVE, RunState, StepState
from operations.domain.power import DATABASE, SERVICES
from operations.domain.situation import Memory
from operations.models import Run

# They change who is a member, so an order that was remembered before is no longer the last one.
_CHANGE_MEMBERS = (
    "stop_cluster",
    "start_cluster",
    "start_node",
    "recover_galera",
    "install_galera",
)


def memory_of(cluster: Cluster) -> Memory:
    # Without the plans, which are most of a run: every drawing of a dashboard asks for these.
    runs = Run.objects.filter(cluster=cluster).defer("plan_json").order_by("-created_at")
    newest = runs.filter(procedure__in=_CHANGE_MEMBERS, steps__attempt__gt=0).first()
    stopped = _stopped(newest) if newest and newest.procedure == "stop_cluster" else ()
    rolling = list(runs.filter(procedure="rolling_restart")[:20])
    return Memory(stopped, {name: _restarted(rolling, name) for name in SERVICES})


def _stopped(run: Run) -> tuple[str, ...]:
    """In the order of the plan, which is the order of time; nothing unless all of it was proven."""
    steps = list(run.steps.order_by("position"))
    done = all(step.state == StepState.SUCCEEDED for step in steps)
    return tuple(step.node for step in steps) if done else ()


def _restarted(rolling: list[Run], service: str) -> tuple[str, ...]:
    """What was finished since the last rolling restart of this service that came to its end."""
    done: dict[str, None] = {}
    for run in rolling:
        if run.params.get("service", DATABASE) != service:
            continue
        if run.state in (RunState.SUCCEEDED, *ACTIVE):
            break
        done |= dict.fromkeys(_finished(run))
    return tuple(done)


def _finished(run: Run) -> list[str]:
    """The servers of which no step is left, but the wait for the others, which is proven anew."""
    steps = run.steps.exclude(key__startswith="whole-").order_by("position")
    states = list(steps.values_list("node", "state"))
    left = {node for node, state in states if state != StepState.SUCCEEDED}
    return [node for node in dict.fromkeys(node for node, _ in states) if node not in left]
