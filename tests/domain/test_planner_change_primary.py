"""Changing the primary: the order of writing, who must be told, what is refused, what is confirmed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import pytest

from nodes.domain.observation import EnvFacts, GaleraFacts, MountFacts, NodeFacts, Unknown
from nodes.domain.peers import PRIMARY_KEY, PeerSettings
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from nodes.env_file_script import WRITE
from operations.domain.difference import differences
from operations.domain.invariants import BrokenPlan, check_plan
from operations.domain.plan import Plan
from operations.domain.planners import change_primary
from operations.domain.situation import Situation, Workers
from tests.builders import HOSTS, NO_ANSWER, node, peers, silent, situation, synced, well

A, B, C = HOSTS
WORKERS = Workers("stop-them", "start-them", "are-they-up")
LISTS = (HOSTS, HOSTS)


def names(host: str, value: str | None, **changes: Any) -> NodeFacts:
    keys = {**peers().as_env(), PRIMARY_KEY: value}
    return replace(well(host), env=EnvFacts(True, "0" * 64, keys), **changes)


def wanted(primary: str) -> PeerSettings:
    return PeerSettings(*LISTS, primary)


def ask(*nodes: NodeFacts, to: object = B, primary: str = A, **changes: Any) -> Plan | Refusal:
    given = {each.host: each for each in nodes}
    seen = [given.get(host) or well(host) for host in HOSTS]
    where = situation(*seen, settings=wanted(primary), params={"primary": to})
    return change_primary.plan(replace(where, **changes))


def plan(*nodes: NodeFacts, **more: Any) -> Plan:
    answer = ask(*nodes, **more)
    assert isinstance(answer, Plan), str(answer)
    return answer


def refused(*nodes: NodeFacts, **more: Any) -> str:
    answer = ask(*nodes, **more)
    assert isinstance(answer, Refusal)
    assert str(answer.fix)
    return answer.code


def outline(made: Plan) -> list[str]:
    return [f"{stage.key} {step.node}" for stage in made.stages for step in stage.steps]


def gates(made: Plan) -> dict[str, tuple[str, str]]:
    return {gate.id: (gate.kind, gate.subject) for gate in made.gates}


def away(host: str, size: int = 2) -> list[NodeFacts]:
    """`host` is off, and the others have noticed it."""
    rest = [replace(well(h), galera=synced(size)) for h in HOSTS if h != host]
    return [silent(host), *rest]


def test_a_planned_change_writes_the_old_one_first_and_the_new_one_last() -> None:
    made = plan(workers=WORKERS)
    assert outline(made) == [
        f"able {B}",
        f"stop {A}",
        f"old {A}",
        f"others {C}",
        f"new {B}",
        f"start {B}",
        f"agree {B}",
    ]
    assert gates(made) == {"primary": ("typed", B)}
    assert (made.primary, made.settings_revision, made.fences) == (B, 4, ())
    writes = [step for step in made.steps if step.argv[2] == WRITE]
    assert {step.argv[4:] for step in writes} == {
        ("/var/www/html/dpiui2/backend/.env", f"{PRIMARY_KEY}={B}")
    }, "one line is written: the lists stay as they are"


def test_without_commands_for_the_workers_only_the_files_are_written() -> None:
    assert outline(plan()) == [f"able {B}", f"old {A}", f"others {C}", f"new {B}", f"agree {B}"]


def test_the_apply_command_follows_each_writing_and_comes_before_the_new_one() -> None:
    made = plan(apply_command="php artisan config:cache")
    assert outline(made)[1:] == [
        f"old {A}",
        f"old-apply {A}",
        f"others {C}",
        f"new {B}",
        f"new-apply {B}",
        f"new-apply {C}",
        f"agree {B}",
    ]
    proof = made.step("apply-1").proof
    assert proof.args[2:] == (f"{PRIMARY_KEY}={B}",)


def test_each_server_is_read_again_at_the_end() -> None:
    proof = plan().steps[-1].proof
    assert proof.name == "primary_agreed"
    assert proof.args[1:] == (B, A, B, C)


def test_an_old_primary_that_is_off_is_confirmed_by_name_and_gets_a_fence() -> None:
    made = plan(*away(A), workers=WORKERS)
    assert outline(made) == [f"able {B}", f"others {C}", f"new {B}", f"start {B}", f"agree {B}"]
    assert gates(made) == {"off-1": ("typed", A), "primary": ("typed", B)}
    assert [(fence.host, fence.names) for fence in made.fences] == [(A, A)]
    assert made.steps[-1].proof.args[1:] == (B, f"{A}?", B, C)
    assert [str(w) for w in made.warnings] == [str(made.fences[0].why)]


def test_another_server_that_is_off_gets_a_fence_too() -> None:
    made = plan(*away(C))
    assert outline(made) == [f"able {B}", f"old {A}", f"new {B}", f"agree {B}"]
    assert gates(made) == {"away": ("accept", ""), "primary": ("typed", B)}
    assert [fence.host for fence in made.fences] == [C]


def test_a_fence_that_is_open_already_is_not_opened_twice() -> None:
    made = plan(*away(C), fences=(C,))
    assert made.fences == ()
    assert made.steps[-1].proof.args[1:] == (B, A, B, f"{C}?")


def test_a_fenced_server_that_is_back_is_written_before_the_new_one() -> None:
    made = plan(names(A, A), names(B, B), names(C, B), to=C, primary=B, fences=(A,))
    assert outline(made) == [f"able {C}", f"old {A}", f"old {B}", f"new {C}", f"agree {C}"]


def test_two_primaries_are_both_written_before_the_new_one() -> None:
    made = plan(names(A, A), names(B, A), names(C, C), workers=WORKERS)
    assert outline(made)[1:5] == [f"stop {A}", f"stop {C}", f"old {A}", f"old {C}"]


def test_a_half_written_change_is_ended_by_what_is_left() -> None:
    made = plan(names(A, B), names(B, A), names(C, A), primary=B)
    assert outline(made) == [f"able {B}", f"others {C}", f"new {B}", f"agree {B}"]
    assert (made.primary, made.settings_revision) == ("", 3), "the settings name it already"


def test_the_old_primary_that_was_lost_in_the_middle_of_a_change_is_still_suspected() -> None:
    """The settings name the new one already; whom the lost one names nobody has read."""
    made = plan(*away(A), primary=B, former=(A,))
    assert gates(made)["off-1"] == ("typed", A)
    assert [(fence.host, fence.names) for fence in made.fences] == [(A, A)]
    assert refused(*away(A, size=3), primary=B, former=(A,)) == "primary_counted"


def test_workers_of_a_former_primary_are_stopped_although_its_file_is_written() -> None:
    made = plan(names(A, B), names(B, A), names(C, A), primary=B, former=(A,), workers=WORKERS)
    assert f"stop {A}" in outline(made)


def test_it_can_be_taken_back_half_way() -> None:
    made = plan(names(A, B), names(B, A), names(C, A), primary=B, to=A)
    assert outline(made) == [f"able {A}", f"new {A}", f"agree {A}"]
    assert made.primary == A


def test_one_that_names_itself_by_its_address_is_an_old_primary() -> None:
    other = names(C, "192.0.2.3", addresses=("192.0.2.3",))
    assert outline(plan(names(A, B), names(B, B), other))[1:3] == [f"old {C}", f"agree {B}"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"galera": synced(local_state=2, local_state_comment="Donor/Desynced")}, "Donor"),
        ({"galera": GaleraFacts(wsrep_on=False)}, "not Primary and Synced"),
        ({"galera": NO_ANSWER}, "could not be asked"),
        ({"mount": MountFacts(mounted=False)}, "is not mounted"),
        ({"mount": MountFacts(True, "fuse.glusterfs")}, "does not answer"),
        ({"mount": NO_ANSWER}, "not known"),
    ],
)
def test_a_candidate_that_is_not_fit_needs_the_name_of_the_cluster(
    changes: dict[str, Any], words: str
) -> None:
    made = plan(replace(well(B), **changes))
    assert gates(made)["override"] == ("typed", "Office")
    assert words in str(next(gate.why for gate in made.gates if gate.id == "override"))
    assert "able" not in [stage.key for stage in made.stages], "what is overridden is not proven"


@pytest.mark.parametrize("value", [None, "", "10.0.0.99", ["10.0.0.12"], 3, {}])
def test_the_candidate_is_one_of_the_peers(value: object) -> None:
    assert refused(to=value) == "params_invalid"


def test_a_host_of_one_list_only_cannot_be_the_primary() -> None:
    where = situation(settings=PeerSettings((A, B), HOSTS, A), params={"primary": C})
    answer = change_primary.plan(where)
    assert isinstance(answer, Refusal)
    assert answer.code == "params_invalid"


def test_a_candidate_that_does_not_answer_is_refused() -> None:
    assert refused(*away(B)) == "candidate_away"


def test_a_candidate_behind_a_fence_is_refused() -> None:
    assert refused(fences=(B,)) == "fence_open"


@pytest.mark.parametrize("code", ["ssh_auth", "host_key_changed", "host_key_unknown"])
def test_a_server_that_is_on_and_does_not_let_us_in_is_not_off(code: str) -> None:
    shut = replace(silent(A), ssh=Unknown(say("It refused."), code=code))
    assert refused(shut) == "node_shut"


def test_a_server_that_answers_too_slowly_to_be_read_is_not_off() -> None:
    assert refused(replace(silent(A), ssh=True)) == "node_unknown"


def test_a_primary_that_the_others_count_is_not_off() -> None:
    assert refused(*away(A, size=3)) == "primary_counted"


def test_the_member_that_is_counted_may_be_one_whose_database_did_not_answer() -> None:
    rest = [silent(A), replace(well(B), galera=synced(2)), replace(well(C), galera=NO_ANSWER)]
    assert isinstance(ask(*rest), Plan)


def test_nothing_to_do() -> None:
    assert refused(to=A) == "nothing_to_do"


def test_a_server_without_the_file_is_refused() -> None:
    assert refused(node(C, env=EnvFacts(False))) == "env_missing"
    assert refused(node(C, is_root=False)) == "not_root"
    assert refused(node(C, env=NO_ANSWER)) == "node_unknown"


def test_what_changed_is_said_when_a_server_comes_back_before_the_start() -> None:
    told = [str(text) for text in differences(plan(*away(C)), plan())]
    assert any("answers again" in text for text in told)
    told = [str(text) for text in differences(plan(), plan(*away(C)))]
    assert any("does not answer any more" in text for text in told)


def test_a_plan_that_writes_the_new_primary_too_early_is_a_defect() -> None:
    made = plan()
    stages = (made.stages[0], made.stages[3], *made.stages[1:3], made.stages[4])
    with pytest.raises(BrokenPlan, match="law 11"):
        check_plan(replace(made, stages=stages), HOSTS)
    with pytest.raises(BrokenPlan, match="law 11"):
        check_plan(replace(made, stages=made.stages[:-1]), HOSTS)


# Every state of three servers: whom each names, or that it is away

VALUES = ("A", "B", "C", "", "n9", "away")
REAL = {"A": A, "B": B, "C": C}


def worlds() -> list[tuple[str, ...]]:
    return list(product(VALUES, repeat=3))


def seen(world: tuple[str, ...]) -> list[NodeFacts]:
    size = sum(value != "away" for value in world)
    return [
        silent(host)
        if value == "away"
        else names(host, REAL.get(value, value), galera=synced(size))
        for host, value in zip(HOSTS, world, strict=True)
    ]


def prefixes(made: Plan, world: tuple[str, ...]) -> list[dict[str, str]]:
    """Whom each server that answers names, before and after each step that writes."""
    state = {
        host: REAL.get(value, value)
        for host, value in zip(HOSTS, world, strict=True)
        if value != "away"
    }
    states = [dict(state)]
    for step in made.steps:
        if step.argv[2] == WRITE:
            state[step.node] = step.argv[-1].partition("=")[2]
            states.append(dict(state))
    return states


def own(state: dict[str, str]) -> set[str]:
    return {host for host, value in state.items() if host == value}


@pytest.mark.parametrize("candidate", HOSTS)
@pytest.mark.parametrize("primary", HOSTS)
def test_in_every_world_no_step_makes_a_second_primary(candidate: str, primary: str) -> None:
    seen_kinds: Counter[str] = Counter()
    for world in worlds():
        answer = ask(*seen(world), to=candidate, primary=primary)
        if isinstance(answer, Refusal):
            seen_kinds[answer.code] += 1
            continue
        seen_kinds["plan"] += 1
        states = prefixes(answer, world)
        for before, after in pairwise(states):
            assert own(after) <= own(before) | {candidate}
            if candidate in own(after) - own(before):
                assert own(after) == {candidate}, "the new one began beside another one"
        assert set(states[-1].values()) == {candidate}
        silent_hosts = {h for h, v in zip(HOSTS, world, strict=True) if v == "away"}
        assert {fence.host for fence in answer.fences} == silent_hosts
        typed = {subject for gate, (_, subject) in gates(answer).items() if gate.startswith("off-")}
        assert typed == {primary} & silent_hosts
        _ends_from_everywhere(answer, world, candidate)
    assert seen_kinds["plan"] > 50
    assert seen_kinds["candidate_away"] > 10


def _ends_from_everywhere(made: Plan, world: tuple[str, ...], candidate: str) -> None:
    """A run that stopped after any step is ended by planning again."""
    silent_hosts = tuple(h for h, v in zip(HOSTS, world, strict=True) if v == "away")
    letters = {host: letter for letter, host in REAL.items()}
    for state in prefixes(made, world):
        left = tuple(letters.get(state.get(h, "away"), state.get(h, "away")) for h in HOSTS)
        again = ask(*seen(left), to=candidate, primary=candidate, fences=silent_hosts)
        if isinstance(again, Refusal):
            assert again.code == "nothing_to_do"
            assert set(state.values()) == {candidate}
        else:
            assert set(prefixes(again, left)[-1].values()) == {candidate}


def test_the_situation_has_no_fences_and_no_workers_unless_told() -> None:
    plain: Situation = situation()
    assert plain.fences == ()
    assert plain.workers == Workers()
