"""What the books say of earlier stops and restarts, and guards asked by a new look."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nodes.domain.text import say
from operations import gates, situations
from operations.domain.plan import Guard, Plan, Proof, Stage, Step
from operations.memory import memory_of
from operations.models import Run, RunStep
from tests.builders import HOSTS, friends, gluster_units, mounted, node, silent, synced, volume
from tests.operations.office import Office

pytestmark = pytest.mark.django_db
ONE, TWO, THREE = HOSTS


def a_run(
    office: Office, procedure: str, *states: str, state: str = "succeeded", **params: str
) -> Run:
    """One step on each server in turn, TWO, THREE, ONE; `states` of those that there are."""
    run = Run.objects.create(
        cluster=office.cluster, procedure=procedure, params=params, plan_json={}, state=state
    )
    for place, (host, each) in enumerate(zip((TWO, THREE, ONE), states, strict=False)):
        RunStep.objects.create(
            run=run, key=f"x-{place}", position=place, stage="all", node=host, state=each, attempt=1
        )
    return run


def test_the_order_of_a_stop_is_the_order_of_its_steps(office: Office) -> None:
    a_run(office, "stop_cluster", *("succeeded",) * 3)
    assert memory_of(office.cluster).stopped == (TWO, THREE, ONE)


def test_half_a_stop_is_no_order(office: Office) -> None:
    a_run(office, "stop_cluster", "succeeded", "failed", "pending", state="failed")
    assert memory_of(office.cluster).stopped == ()


def test_what_changed_the_members_since_ends_the_order(office: Office) -> None:
    a_run(office, "stop_cluster", *("succeeded",) * 3)
    a_run(office, "start_node", "succeeded")
    assert memory_of(office.cluster).stopped == ()


def test_what_an_unfinished_rolling_restart_has_done(office: Office) -> None:
    a_run(
        office, "rolling_restart", "succeeded", "failed", "pending", state="failed", service="host"
    )
    assert memory_of(office.cluster).restarted["host"] == (TWO,)
    assert memory_of(office.cluster).restarted["mariadb"] == ()
    # The next one began with what was left, and failed as well.
    run = a_run(office, "rolling_restart", state="failed", service="host")
    RunStep.objects.create(run=run, key="y", position=0, stage="a", node=THREE, state="succeeded")
    RunStep.objects.create(run=run, key="z", position=1, stage="b", node=ONE, state="failed")
    assert set(memory_of(office.cluster).restarted["host"]) == {TWO, THREE}


def test_a_wait_for_the_others_is_not_what_is_left_of_a_server(office: Office) -> None:
    run = a_run(office, "rolling_restart", "succeeded", state="failed", service="host")
    RunStep.objects.create(run=run, key="whole-2", position=9, stage="a", node=TWO, state="failed")
    assert memory_of(office.cluster).restarted["host"] == (TWO,)


def test_a_complete_rolling_restart_begins_anew(office: Office) -> None:
    a_run(office, "rolling_restart", "succeeded", "failed", state="failed", service="host")
    a_run(office, "rolling_restart", *("succeeded",) * 3, service="host")
    assert memory_of(office.cluster).restarted["host"] == ()


def a_step() -> Step:
    guard = Guard("may_stop", (TWO, "mariadb"))
    return Step(
        "restart-2", TWO, say("x"), ("true",), Proof("member_back", (TWO, "3", "")), guard=guard
    )


def test_a_guard_is_asked_by_a_new_look(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def observe(*, cluster: object) -> object:
        looks.append(cluster)
        return office.facts

    monkeypatch.setattr(situations, "observe", observe)
    plan = Plan("restart_node", say("x"), 1, (Stage("a", say("a"), say("a"), (a_step(),)),))
    run = a_run(office, "restart_node", state="running")
    Run.objects.filter(pk=run.pk).update(plan_json=plan.to_json())
    run.refresh_from_db()
    well = node(TWO, galera=synced(), units=gluster_units(), mount=mounted())
    whole = [
        replace(well, host=h, gluster_peers=friends(h), gluster_volumes=(volume(),)) for h in HOSTS
    ]
    office.see(*whole)
    assert gates.check_step(run, a_step()) is None
    office.see(*whole[:2], silent(THREE))
    refusal = gates.check_step(run, a_step())
    assert refusal is not None
    assert refusal.code == "node_unknown"
    assert len(looks) == 3  # what is unknown is looked at once more
