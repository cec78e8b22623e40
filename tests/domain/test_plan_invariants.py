"""Every law of a plan is kept by the planners and noticed when it is broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operations.domain.difference import differences
from operations.domain.invariants import BrokenPlan, check_plan
from operations.domain.plan import Plan, Proof, Stage
from operations.domain.planners import PLANNERS
from tests.builders import HOSTS, node, situation, synced


def lawful() -> Plan:
    plan = PLANNERS["install_galera"](situation())
    assert isinstance(plan, Plan)
    return plan


def with_steps(plan: Plan, *stages: Stage) -> Plan:
    return replace(plan, stages=stages)


def broken_plans() -> dict[str, Plan]:
    plan = lawful()
    primary, join = plan.stages
    first, second = join.steps
    return {
        "no step": with_steps(plan),
        "an empty stage": with_steps(plan, primary, replace(join, steps=())),
        "the same key twice": with_steps(
            plan, primary, replace(join, steps=(first, replace(second, key=first.key)))
        ),
        "a key that is no file name": with_steps(
            plan, primary, replace(join, steps=(replace(first, key="../x"), second))
        ),
        "the wrong order": with_steps(plan, primary, replace(join, steps=(second, first))),
        "a stranger": with_steps(
            plan, primary, replace(join, steps=(replace(first, node="10.9.9.9"),))
        ),
        "an unknown proof": with_steps(
            plan, primary, replace(join, steps=(replace(first, proof=Proof("hope")),))
        ),
        "a proof without arguments": with_steps(
            plan, primary, replace(join, steps=(replace(first, proof=Proof("galera_member")),))
        ),
        "no command": with_steps(plan, primary, replace(join, steps=(replace(first, argv=()),))),
        "no backup gate": replace(plan, gates=plan.gates[1:]),
        "a backup of something else": replace(
            plan, gates=(replace(plan.gates[0], subject="storage"),)
        ),
        "two gates of one id": replace(plan, gates=(plan.gates[0], plan.gates[0])),
        "nobody knows what it overwrites": replace(plan, procedure="something_new"),
    }


def test_what_the_planner_made_is_lawful() -> None:
    assert check_plan(lawful(), HOSTS) == lawful()


@pytest.mark.parametrize("fault", sorted(broken_plans()))
def test_a_broken_law_is_noticed(fault: str) -> None:
    with pytest.raises(BrokenPlan):
        check_plan(broken_plans()[fault], HOSTS)


def test_no_difference_between_equal_plans() -> None:
    assert differences(lawful(), lawful()) == []


def test_a_difference_is_told_in_sentences() -> None:
    now = PLANNERS["install_galera"](situation(node(HOSTS[0], galera=synced(1))))
    assert isinstance(now, Plan)
    told = [str(text) for text in differences(lawful(), replace(now, settings_revision=4))]
    assert told[0] == "The settings changed: revision 3 was shown, now it is 4."
    assert f"Start the Galera cluster on the primary {HOSTS[0]}" in told[1]
    assert len(told) == 2


def test_a_changed_command_and_a_changed_gate_are_told() -> None:
    plan = lawful()
    step = replace(plan.stages[0].steps[0], argv=("sh", "/elsewhere"))
    gate = replace(plan.gates[1], why=plan.title)
    now = replace(
        plan,
        stages=(replace(plan.stages[0], steps=(step,)), plan.stages[1]),
        gates=(plan.gates[0], gate),
    )
    told = [str(text) for text in differences(plan, now)]
    assert told[0].endswith("the command changed.")
    assert told[1] == "To be confirmed now: Install Galera"


def test_plans_of_different_hash_always_have_a_difference() -> None:
    plan = lawful()
    renamed = replace(plan, title=plan.stages[0].title)
    assert plan.hash != renamed.hash
    assert differences(plan, renamed)
