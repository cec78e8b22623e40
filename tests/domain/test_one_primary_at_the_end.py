"""The last step of a recovery and of a start: the panel's settings everywhere, one primary at work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nodes.domain.peers import PeerSettings
from operations.domain.causes import likely_cause
from operations.domain.plan import Plan
from operations.domain.planners import PLANNERS, agreement
from operations.domain.proofs import Holds, Never, NotYet, Verdict
from operations.domain.situation import Workers
from tests.domain.powered import planned, situation, stopped
from tests.domain.test_proofs import ONE, SILENT, THREE, TWO, on, out
from tests.fakes.situations import facts

BACKEND = "/app/backend"
WANTED = PeerSettings((ONE, TWO, THREE), (ONE, TWO, THREE), TWO).as_env()
LINES = tuple(f"{key}={value}" for key, value in WANTED.items())


def env(workers: str = "", **changes: str) -> Any:
    told = "".join(f"{key}={value}\n" for key, value in {**WANTED, **changes}.items())
    return out(told + (f"workers={workers}\n" if workers else ""))


def consistent(
    *answers: Any, hosts: tuple[str, ...] = (ONE, TWO, THREE), check: str = ""
) -> Verdict:
    given = dict(zip((ONE, TWO, THREE), answers, strict=True))
    return on(given, "primary_consistent", BACKEND, check, *LINES, *hosts)


def test_the_same_settings_everywhere_are_one_primary() -> None:
    found = consistent(env(), env(), env())
    assert isinstance(found, Holds)
    assert found.evidence == {"primary": TWO, "agreed": [ONE, TWO, THREE]}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    "changes",
    [
        {"CLUSTER_PRIMARY_HOST": ONE},
        {"CLUSTER_PRIMARY_HOST": ""},
        {"GALERA_PEER_HOSTS": f"{ONE},{TWO}"},
        {"CLUSTER_FS_PEER_HOSTS": f"{THREE},{TWO},{ONE}"},
    ],
)
def test_a_difference_is_said_at_once_with_what_to_do(place: int, changes: dict[str, str]) -> None:
    answers = [env()] * 3
    answers[place] = env(**changes)
    found = consistent(*answers)
    assert isinstance(found, Never)
    said = str(found.sentence)
    assert said.startswith("The cluster runs, but")
    assert (ONE, TWO, THREE)[place] in said
    assert next(iter(changes)) in said
    cause = likely_cause(0, [said])
    assert cause
    assert "applies the panel's" in str(cause.fix)


@pytest.mark.parametrize(("code", "says"), [(3, "is missing"), (4, "older than its .env")])
def test_a_file_that_dpiui2_does_not_read_is_no_agreement(code: int, says: str) -> None:
    found = consistent(env(), out("", code), env())
    assert isinstance(found, Never)
    assert says in str(found.sentence)


def test_who_was_silent_may_stay_so_and_a_primary_among_them_is_said() -> None:
    hosts = (ONE, f"{TWO}?", THREE)
    assert isinstance(consistent(env(), SILENT, env()), NotYet)
    found = consistent(env(), SILENT, env(), hosts=hosts)
    assert isinstance(found, Holds)
    assert "nobody does the background work" in str(found.sentence)
    assert isinstance(consistent(env(), env(CLUSTER_PRIMARY_HOST=THREE), env(), hosts=hosts), Never)
    assert isinstance(consistent(SILENT, SILENT, SILENT, hosts=(f"{ONE}?", f"{TWO}?")), NotYet)


def test_the_workers_of_the_primary_run_where_a_command_can_tell() -> None:
    check = "systemctl is-active dpiui2-worker"
    assert isinstance(consistent(env(), env("0"), env(), check=check), Holds)
    idle = consistent(env(), env("3"), env(), check=check)
    assert isinstance(idle, NotYet)
    assert f"workers of {TWO} do not run" in str(idle.sentence)


def test_a_start_gives_no_work_back_before_all_name_one_primary() -> None:
    plan = PLANNERS["start_cluster"](stopped("n2 n3 n1"))
    assert isinstance(plan, Plan)
    keys = [stage.key for stage in plan.stages]
    assert keys[-5:] == ["named", "work-2", "work-3", "work-1", "agree"]
    assert keys.index("whole") < keys.index("named")
    (named,) = (step for step in plan.steps if step.proof.name == "primary_agreed")
    assert named.proof.args[1:] == ("n1", "n1", "n2", "n3")


def test_nothing_to_give_back_is_one_look_at_the_end() -> None:
    away = {"n1": "size 2", "n2": "size 2", "n3": "stopped"}
    plan = planned("start_cluster", away)
    assert [step.proof.name for step in plan.steps][-1] == "primary_consistent"
    assert "primary_agreed" not in {step.proof.name for step in plan.steps}


def test_a_silent_primary_is_asked_by_another_and_need_not_answer() -> None:
    where = replace(situation(), facts=facts({"n1": "silent"}), workers=Workers(check="true"))
    (stage,) = agreement.stages(where)
    (step,) = stage.steps
    assert step.node == "n2"
    assert step.proof.args[1] == "true"
    assert step.proof.args[-3:] == ("n1?", "n2", "n3")
