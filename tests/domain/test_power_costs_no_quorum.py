"""Over random clusters: a plan that stops something never costs the quorum, and never guesses.

What is lawful is counted here from the words of the case alone, not by the rules under test.
"""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from nodes.domain.refusal import Refusal
from operations.domain.guards import refused as guard_refuses
from operations.domain.plan import Plan
from operations.domain.planners import PLANNERS
from operations.domain.power import SERVICES
from tests.domain.powered import situation
from tests.fakes.facts import HOSTS

Case = dict[str, Any]
STOPPING = ("restart_node", "stop_node", "rolling_restart", "stop_cluster")
UNSURE = {"silent", "sql-unknown", "process-left"}
MOVING = {"donor", "joiner", "joined", "starting", "not-ready"}
OUT = {"stopped", "crashed"}

WORDS = st.sampled_from(
    ["well"] * 12
    + ["stopped", "crashed", "donor", "joined", "silent", "sql-unknown", "joiner"]
    + ["process-left", "non-primary", "other-uuid", "marker", "unmounted", "glusterd-unknown"]
)
VOLUMES = st.fixed_dictionaries(
    {
        "bricks": st.lists(st.sampled_from(["up"] * 6 + ["down", "?"]), min_size=3, max_size=3).map(
            " ".join
        ),
        "heal": st.lists(st.sampled_from([0] * 8 + [7, None]), min_size=3, max_size=3),
        "arbiter": st.booleans(),
    }
)
CASES = st.fixed_dictionaries({**dict.fromkeys(HOSTS, WORDS), "volume": VOLUMES})
NODES = st.sampled_from(HOSTS)
# A boot would let n1 join n3 and lose all that it has.
OF_ANOTHER: Case = {
    "n1": "stopped",
    "n2": "stopped",
    "n3": "other-uuid",
    "volume": {"bricks": "up up up", "heal": [0, 0, 0], "arbiter": False},
}


def params_of(procedure: str, host: str, service: str) -> dict[str, Any]:
    if procedure == "stop_cluster":
        return {}
    return (
        {"service": service}
        if procedure == "rolling_restart"
        else {"service": service, "node": host}
    )


def members(case: Case) -> list[str]:
    return [h for h in HOSTS if case[h] not in OUT | UNSURE | MOVING | {"non-primary"}]


def database_may_lose(case: Case, host: str) -> bool:
    words = {case[h] for h in HOSTS}
    if words & (UNSURE | MOVING | {"non-primary"}):
        return False
    histories = {case[h] == "other-uuid" for h in members(case)}
    if len(histories) > 1:
        return False
    return len(members(case)) > 1 if host in members(case) else histories == {False}


def storage_may_lose(case: Case, host: str) -> bool:
    bricks, heal = case["volume"]["bricks"].split(), case["volume"]["heal"]
    mine = HOSTS.index(host)
    if bricks[mine] == "?":
        return False
    if bricks[mine] == "down":
        return True
    if any(count != 0 for state, count in zip(bricks, heal, strict=True) if state == "up"):
        return False
    left = [i for i, state in enumerate(bricks) if state == "up" and i != mine]
    only_arbiter = case["volume"]["arbiter"] and left == [2]
    return len(left) >= 2 and not only_arbiter


@settings(max_examples=500, deadline=None)
@given(CASES, st.sampled_from(STOPPING), NODES, st.sampled_from(SERVICES))
@example({"n1": "well", "n2": "well", "n3": "well", "volume": {}}, "stop_cluster", "n1", "host")
@example(OF_ANOTHER, "restart_node", "n1", "host")
def test_never_a_plan_that_costs_quorum(
    case: Case, procedure: str, host: str, service: str
) -> None:
    where = situation(case, **params_of(procedure, host, service))
    plan = PLANNERS[procedure](where)
    if isinstance(plan, Refusal):
        assert str(plan.why)
        assert str(plan.fix)
        return
    stopped = list(dict.fromkeys(plan.nodes))
    assert "silent" not in {case[h] for h in stopped}
    if procedure == "stop_cluster":
        assert {case[h] for h in HOSTS} <= {"well", "unmounted", "glusterd-unknown"}
        assert stopped[-1] == "n1"
        return
    for each in stopped:
        if service in ("mariadb", "host"):
            assert database_may_lose(case, each)
        if service in ("glusterd", "host") and not _nobody_told(case):
            assert storage_may_lose(case, each)
    if procedure == "rolling_restart":
        assert stopped[-1] == "n1"
        assert {case[h] for h in HOSTS} == {"well"}


def _nobody_told(case: Case) -> bool:
    return all(case[h] in {"glusterd-unknown", "silent"} for h in HOSTS)


@settings(max_examples=150, deadline=None)
@given(CASES, CASES, st.sampled_from(SERVICES))
def test_a_turn_that_the_guard_lets_begin_costs_no_quorum_either(
    before: Case, now: Case, service: str
) -> None:
    """The plan was made of one look, the guard is asked at another one."""
    plan = PLANNERS["rolling_restart"](situation({}, service=service))
    assert isinstance(plan, Plan)
    for step in plan.steps:
        if step.guard.name and guard_refuses(step.guard, situation(now)) is None:
            if service != "glusterd":
                assert database_may_lose(now, step.node)
            if service != "mariadb":
                assert storage_may_lose(now, step.node)
            others = [h for h in HOSTS if h != step.node]
            assert {now[h] for h in others} == {"well"}


@settings(max_examples=200, deadline=None)
@given(CASES)
def test_a_cluster_is_never_begun_beside_somebody(case: Case) -> None:
    """Without a remembered order nothing is begun at all, whatever else is true."""
    plan = PLANNERS["start_cluster"](situation(case))
    if isinstance(plan, Plan):
        assert "may_bootstrap" not in {step.guard.name for step in plan.steps}
        assert members(case)
