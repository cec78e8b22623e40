"""Galera: the primary first, one at a time, nothing living is initialised again."""

from __future__ import annotations

from typing import Any

import pytest

from nodes.domain.observation import EnvFacts, GaleraFacts, NodeFacts
from nodes.domain.refusal import Refusal
from operations.domain.plan import Plan
from operations.domain.planners import PLANNERS
from operations.domain.situation import Situation
from tests.builders import (
    HOSTS,
    NO_ANSWER,
    node,
    peers,
    silent,
    situation,
    synced,
)
from tests.domain.worlds import after

ONE, TWO, THREE = HOSTS
COMMAND = ("sh", "/var/www/html/dpiui2/backend/app_bash/galera_setup.sh", "-a", "init_cluster")


def planned(where: Situation) -> Plan:
    answer = PLANNERS["install_galera"](where)
    assert isinstance(answer, Plan), answer
    return answer


def refused(where: Situation) -> Refusal:
    answer = PLANNERS["install_galera"](where)
    assert isinstance(answer, Refusal), answer
    return answer


def test_fresh_nodes_get_the_manuals_command_in_the_manuals_order() -> None:
    plan = planned(situation())
    assert [(step.node, step.argv) for step in plan.steps] == [(h, COMMAND) for h in HOSTS]
    assert [step.proof.args for step in plan.steps] == [
        (ONE, "1", ONE),
        (TWO, "2", ONE),
        (THREE, "3", ONE),
    ]
    assert all(step.overwrites for step in plan.steps)


def test_the_backup_and_the_losses_stand_before_it() -> None:
    lost = node(THREE, databases={"zeta": 1, "dpiui2": 12})
    plan = planned(situation(lost))
    assert [(gate.id, gate.kind, gate.subject) for gate in plan.gates] == [
        ("backup-database", "backup", "database"),
        ("databases-replaced", "accept", "database"),
    ]
    assert f"{TWO}: dpiui2; {THREE}: dpiui2, zeta" in str(plan.gates[1].why)


@pytest.mark.parametrize("done", [1, 2])
def test_planning_again_after_a_part_gives_the_rest(done: int) -> None:
    start = situation()
    whole = planned(start)
    rest = planned(after(start, whole.steps[:done]))
    assert rest.steps == whole.steps[done:]
    assert [gate.id for gate in rest.gates] == ["backup-database", "databases-replaced"]


def test_the_end_is_an_installed_cluster() -> None:
    start = situation()
    assert refused(after(start, planned(start).steps)).code == "already_clustered"


def test_a_peer_before_the_primary_is_refused() -> None:
    refusal = refused(situation(params={"nodes": [TWO]}))
    assert refusal.code == "order_primary_first"
    assert ONE in str(refusal.fix)


def test_the_wrong_order_of_names_is_refused_and_not_silently_turned() -> None:
    assert refused(situation(params={"nodes": [TWO, ONE]})).code == "order_primary_first"


def test_a_peer_alone_may_join_a_living_primary() -> None:
    plan = planned(situation(node(ONE, galera=synced(1)), params={"nodes": [THREE]}))
    assert [step.node for step in plan.steps] == [THREE]
    assert plan.steps[0].proof.args == (THREE, "2", ONE)


@pytest.mark.parametrize("nodes", [["10.9.9.9"], [TWO, TWO], [], 7, [{}]])
def test_senseless_nodes_are_refused(nodes: object) -> None:
    assert refused(situation(params={"nodes": nodes})).code == "params_invalid"


def test_a_misspelt_parameter_is_refused() -> None:
    assert refused(situation(params={"node": [TWO]})).code == "params_invalid"


@pytest.mark.parametrize("fact", ["is_root", "galera", "databases", "env", "scripts"])
@pytest.mark.parametrize("host", HOSTS)
def test_what_is_unknown_is_named_and_stops_it(fact: str, host: str) -> None:
    unread: dict[str, Any] = {fact: NO_ANSWER}
    refusal = refused(situation(node(host, **unread)))
    assert refusal.code == "node_unknown"
    assert (refusal.evidence["node"], refusal.evidence["fact"]) == (host, fact)


def test_a_silent_node_stops_it() -> None:
    refusal = refused(situation(silent(TWO)))
    assert (refusal.code, refusal.evidence["fact"]) == ("node_unknown", "ssh")


def test_a_stopped_database_is_not_an_empty_one() -> None:
    stopped = node(TWO, mysqld_running=False, galera=NO_ANSWER, databases=NO_ANSWER)
    assert refused(situation(stopped)).evidence["fact"] == "databases"


def test_settings_must_be_applied_on_every_node() -> None:
    other = node(THREE, env=EnvFacts(True, "", {"GALERA_PEER_HOSTS": "elsewhere"}))
    refusal = refused(situation(other))
    assert refusal.code == "settings_not_applied"
    assert THREE in str(refusal.why)


def test_no_env_at_all_is_not_applied() -> None:
    assert refused(situation(node(TWO, env=EnvFacts(False)))).code == "settings_not_applied"


def test_root_and_the_script_are_needed() -> None:
    assert refused(situation(node(TWO, is_root=False))).code == "not_root"
    assert refused(situation(node(TWO, scripts={}))).code == "script_missing"


def test_a_primary_outside_of_the_living_cluster_is_never_initialised() -> None:
    refusal = refused(situation(node(TWO, galera=synced(1))))
    assert refusal.code == "galera_alive_elsewhere"
    assert TWO in str(refusal.why)


def test_a_stopped_primary_does_not_start_a_second_cluster() -> None:
    stopped = node(ONE, mysqld_running=False, galera=NO_ANSWER)
    assert refused(situation(stopped, node(TWO, galera=synced(1)))).code == "galera_alive_elsewhere"


def test_two_uuids_are_touched_by_nobody() -> None:
    nodes = (node(ONE, galera=synced(1)), node(TWO, galera=synced(1, "f" * 36)))
    assert refused(situation(*nodes)).code == "two_clusters"


def test_two_views_of_one_uuid_are_two_clusters() -> None:
    one = synced(1, raw={"wsrep_cluster_conf_id": "7"})
    two = synced(1, raw={"wsrep_cluster_conf_id": "9"})
    assert refused(situation(node(ONE, galera=one), node(TWO, galera=two))).code == "two_clusters"


def test_a_cluster_without_a_primary_component_is_for_recovery() -> None:
    lost = GaleraFacts(True, "non-Primary", 1)
    nodes = (node(host, galera=lost) for host in HOSTS)
    assert refused(situation(*nodes)).code == "galera_non_primary"


def test_a_transfer_is_waited_for() -> None:
    donor = synced(2, local_state=2, local_state_comment="Donor/Desynced")
    refusal = refused(situation(node(ONE, galera=donor), node(TWO, galera=synced(2))))
    assert refusal.code == "galera_busy"


def test_two_hosts_are_warned_about_and_one_is_refused() -> None:
    two = situation(settings=peers(ONE, TWO))
    assert "crash" in str(planned(two).warnings[0])
    assert not planned(situation()).warnings
    assert refused(situation(settings=peers(ONE))).code == "galera_single"


def test_equal_situations_have_equal_hashes_and_a_new_loss_another() -> None:
    def databases(host: str, *names: str) -> NodeFacts:
        return node(host, databases={name: len(name) for name in names})

    one = planned(situation(databases(TWO, "a", "b")))
    two = planned(situation(databases(TWO, "b", "a")))
    assert one.hash == two.hash
    assert planned(situation(databases(TWO, "b", "c"))).hash != one.hash
