"""Restart, stop, start and remount one server: allowed, or "not now" with the fact."""

from __future__ import annotations

from typing import Any

import pytest

from nodes.domain.observation import Grastate
from tests.domain.powered import planned, refused
from tests.fakes.situations import OTHER_UUID

# procedure, params, case, the refusal's code, what it must say
NOT_NOW: dict[str, tuple[str, dict[str, str], dict[str, Any], str, str]] = {
    "a backlog": (
        "restart_node",
        {"node": "n2", "service": "host"},
        {"volume": {"heal": [0, 125, 0]}},
        "heal_backlog",
        "125 files wait for healing on n2:/b",
    ),
    "a backlog does not concern the database": (
        "restart_node",
        {"node": "n2", "service": "glusterd"},
        {"volume": {"heal": [3, 0, 0]}},
        "heal_backlog",
        "3 files",
    ),
    "a donor": (
        "restart_node",
        {"node": "n2"},
        {"n1": "donor"},
        "galera_busy",
        "n1 is “Donor/Desynced”",
    ),
    "a joiner": ("restart_node", {"node": "n1"}, {"n2": "joiner"}, "galera_busy", "n2"),
    "the last member": (
        "restart_node",
        {"node": "n1"},
        {"n1": "size 1", "n2": "stopped", "n3": "stopped"},
        "last_member",
        "0 of 1 are left",
    ),
    "no majority": (
        "restart_node",
        {"node": "n1"},
        {"all": "non-primary"},
        "galera_non_primary",
        "no majority",
    ),
    "two clusters": ("stop_node", {"node": "n1"}, {"n2": "other-uuid"}, "two_clusters", "n2"),
    "too few bricks": (
        "restart_node",
        {"node": "n2", "service": "host"},
        {"volume": {"bricks": "up up down"}},
        "storage_quorum",
        "1 of 3 bricks of files are left; GlusterFS needs 2",
    ),
    "the only data brick": (
        "restart_node",
        {"node": "n2", "service": "glusterd"},
        {"volume": {"bricks": "down up up", "arbiter": True}},
        "storage_quorum",
        "the only data brick",
    ),
    "an unknown brick counts as down": (
        "stop_node",
        {"node": "n2", "service": "glusterd"},
        {"volume": {"bricks": "up up ?"}},
        "storage_quorum",
        "1 of 3 bricks",
    ),
    "an unknown brick of its own": (
        "stop_node",
        {"node": "n2", "service": "glusterd"},
        {"volume": {"bricks": "up ? up"}},
        "node_unknown",
        "n2:/b",
    ),
    "an uncounted backlog": (
        "stop_node",
        {"node": "n2", "service": "glusterd"},
        {"volume": {"heal": [0, None, 0]}},
        "node_unknown",
        "How much waits",
    ),
    "somebody silent": ("restart_node", {"node": "n2"}, {"n3": "silent"}, "node_unknown", "n3"),
    "the server itself is silent": (
        "stop_node",
        {"node": "n3"},
        {"n3": "silent"},
        "node_unknown",
        "n3",
    ),
    "SQL that did not answer": (
        "restart_node",
        {"node": "n2"},
        {"n3": "sql-unknown"},
        "node_unknown",
        "n3",
    ),
    "a marker": (
        "restart_node",
        {"node": "n2"},
        {"n2": "marker"},
        "bootstrap_marker",
        "second cluster",
    ),
    "what is down is not restarted": (
        "restart_node",
        {"node": "n2"},
        {"n2": "stopped", "n1": "size 2", "n3": "size 2"},
        "not_running",
        "MariaDB does not run",
    ),
    "stopped already": (
        "stop_node",
        {"node": "n2"},
        {"n2": "stopped", "n1": "size 2", "n3": "size 2"},
        "nothing_to_do",
        "is stopped",
    ),
    "nobody to join": ("start_node", {"node": "n2"}, {"all": "stopped"}, "no_cluster", "No server"),
    "runs already": ("start_node", {"node": "n2"}, {}, "already_running", "runs already"),
    "a start beside a joiner": (
        "start_node",
        {"node": "n2"},
        {"n2": "stopped", "n3": "joiner", "n1": "size 2"},
        "galera_busy",
        "n3",
    ),
    "a start with a marker": (
        "start_node",
        {"node": "n2"},
        {"n2": "stopped; marker", "n1": "size 2", "n3": "size 2"},
        "bootstrap_marker",
        "n2",
    ),
    "a mount that answers": ("remount_storage", {"node": "n2"}, {}, "nothing_to_do", "answers"),
    "a mount nobody could read": (
        "remount_storage",
        {"node": "n2"},
        {"n2": "mount-unknown"},
        "node_unknown",
        "n2",
    ),
    "a mount without a volume that answers": (
        "remount_storage",
        {"node": "n2"},
        {"n2": "unmounted", "volume": {"bricks": "down up down"}},
        "storage_quorum",
        "too few bricks",
    ),
    "a misspelt service": (
        "restart_node",
        {"node": "n2", "service": "nginx"},
        {},
        "params_invalid",
        "mariadb, glusterd, host",
    ),
    "a stranger": ("restart_node", {"node": "n9"}, {}, "params_invalid", "n1, n2, n3"),
    "no server": ("restart_node", {}, {}, "params_invalid", "n1, n2, n3"),
    "a misspelt parameter": ("stop_node", {"nodes": "n2"}, {}, "params_invalid", "nodes"),
}


@pytest.mark.parametrize("name", NOT_NOW)
def test_not_now(name: str) -> None:
    procedure, params, case, code, said = NOT_NOW[name]
    found = refused(procedure, case, **params)
    assert (found.code, said in str(found.why)) == (code, True), str(found.why)
    assert str(found.fix)


def proofs(procedure: str, case: dict[str, Any], **params: str) -> list[tuple[str, str]]:
    return [(step.proof.name, step.node) for step in planned(procedure, case, **params).steps]


def test_a_database_leaves_and_comes_back_into_a_cluster_of_its_size() -> None:
    plan = planned("restart_node", node="n2")
    (step,) = plan.steps
    assert step.proof.args[:2] == ("n2", "3")
    assert step.guard.args == ("n2", "mariadb")
    assert plan.gates == ()
    assert "goes on with n1, n3" in " ".join(map(str, plan.warnings))


def test_a_server_is_restarted_brought_back_and_waited_for() -> None:
    found = proofs("restart_node", {}, node="n3", service="host")
    assert found == [("rebooted", "n3"), ("member_back", "n3"), ("cluster_whole", "n3")]


def test_glusterd_is_restarted_and_healed() -> None:
    plan = planned("restart_node", node="n3", service="glusterd")
    assert [s.proof.name for s in plan.steps] == ["storage_back", "cluster_whole"]
    assert plan.steps[0].proof.args[2:] == ("n3:/b",)


def test_the_primary_pauses_its_background_work_only_if_accepted() -> None:
    assert [g.id for g in planned("restart_node", node="n1").gates] == ["primary-pauses"]
    assert planned("restart_node", node="n1", service="glusterd").gates == ()


def test_one_member_alone_goes_on_only_if_accepted() -> None:
    two = {"n1": "size 2", "n2": "size 2", "n3": "stopped"}
    assert [g.id for g in planned("restart_node", two, node="n2").gates] == ["no-reserve"]


def test_a_backlog_does_not_stand_against_a_restart_of_the_database() -> None:
    assert planned("restart_node", {"volume": {"heal": [0, 7, 0]}}, node="n2")


def test_stopping_a_server_stops_what_still_runs_of_it() -> None:
    found = proofs("stop_node", {}, node="n3", service="host")
    assert found == [("database_stopped", "n3"), ("storage_stopped", "n3")]
    case = {"n3": "stopped", "n1": "size 2", "n2": "size 2"}
    assert proofs("stop_node", case, node="n3", service="host") == [("storage_stopped", "n3")]


def test_starting_a_server_starts_what_does_not_run() -> None:
    case = {"n3": "stopped; unmounted", "n1": "size 2", "n2": "size 2"}
    found = proofs("start_node", case, node="n3", service="host")
    assert found == [("storage_back", "n3"), ("member_back", "n3")]


def test_a_joiner_forgets_the_component_that_it_was_in() -> None:
    """Only where a cluster lives: alone, a gvwstate.dat of its own would make it one by itself."""
    away = {"n1": "size 2", "n2": "size 2", "n3": "stopped"}
    (start,) = planned("start_node", away, node="n3").steps
    assert "mv -f" in start.argv[2]
    assert "gvwstate.dat" in start.argv[2]
    assert (start.guard.name, start.argv[4]) == ("may_join", "/var/lib/mysql")
    assert refused("start_node", {"all": "stopped"}, node="n3").code == "no_cluster"
    (restart,) = planned("restart_node", node="n3").steps
    assert "mv -f" not in restart.argv[2]


def test_a_brick_that_stayed_down_is_started_by_its_known_remedy() -> None:
    case = {"volume": {"bricks": "up up down"}}
    (step,) = planned("start_node", case, node="n3", service="glusterd").steps
    assert "force" in step.argv[2]
    assert step.proof.args[2:] == ("n3:/b",)


def test_data_of_another_origin_is_replaced_only_if_accepted() -> None:
    from dataclasses import replace

    from operations.domain.planners import PLANNERS
    from tests.domain.powered import situation

    base = situation({"n3": "stopped", "n1": "size 2", "n2": "size 2"}, node="n3")
    foreign = tuple(
        replace(n, grastate=Grastate(True, OTHER_UUID, 9, False)) if n.host == "n3" else n
        for n in base.facts.nodes
    )
    plan = PLANNERS["start_node"](replace(base, facts=replace(base.facts, nodes=foreign)))
    assert [gate.id for gate in plan.gates] == ["data-replaced"]  # type: ignore[union-attr]


def test_files_that_were_written_below_the_mount_are_named() -> None:
    plan = planned("remount_storage", {"n2": "unmounted"}, node="n2")
    assert [gate.id for gate in plan.gates] == ["files-hidden"]
    assert planned("remount_storage", {"n2": "dead-mount"}, node="n2").gates == ()
