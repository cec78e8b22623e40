"""GlusterFS: four stages in the manual's order, never on fewer than three nodes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nodes.domain.observation import GlusterBrick, MountFacts, Unknown
from nodes.domain.parse_gluster import NOT_RUNNING
from nodes.domain.refusal import Refusal
from operations.domain.plan import Plan
from operations.domain.planners import PLANNERS
from operations.domain.situation import Situation
from tests.builders import (
    HOSTS,
    NO_ANSWER,
    friends,
    gluster_units,
    mounted,
    node,
    peers,
    silent,
    situation,
    volume,
)
from tests.domain.worlds import after

ONE, TWO, THREE = HOSTS
SCRIPT = "/var/www/html/dpiui2/backend/app_bash/glusterfs_setup.sh"
STORAGE = "/var/www/html/dpiui2/backend/storage"


def planned(where: Situation) -> Plan:
    answer = PLANNERS["install_glusterfs"](where)
    assert isinstance(answer, Plan), answer
    return answer


def refused(where: Situation) -> Refusal:
    answer = PLANNERS["install_glusterfs"](where)
    assert isinstance(answer, Refusal), answer
    return answer


def test_it_is_exactly_the_manuals_commands_and_order() -> None:
    plan = planned(situation())
    assert [stage.key for stage in plan.stages] == [
        "init_gluster",
        "init_peers",
        "init_volume",
        "mount",
    ]
    assert [(step.node, *step.argv) for step in plan.steps] == [
        *((host, "sh", SCRIPT, "-a", "init_gluster") for host in HOSTS),
        (ONE, "sh", SCRIPT, "-a", "init_peers"),
        (ONE, "sh", SCRIPT, "-a", "init_volume"),
        *((host, "sh", SCRIPT, "-a", "mount") for host in HOSTS),
    ]


def test_each_mount_is_proven_on_those_before_it() -> None:
    proofs = [step.proof.args for step in planned(situation()).stages[3].steps]
    assert proofs == [(STORAGE, ONE), (STORAGE, TWO, ONE), (STORAGE, THREE, ONE, TWO)]


def test_a_storage_backup_stands_before_it_and_the_losers_are_named() -> None:
    plan = planned(situation())
    assert [(gate.kind, gate.subject) for gate in plan.gates] == [
        ("backup", "storage"),
        ("accept", "storage"),
    ]
    assert f"of {TWO}, {THREE} give way" in str(plan.gates[1].why)
    assert [s.overwrites for s in plan.steps] == [False] * 4 + [True] * 4


@pytest.mark.parametrize("done", range(1, 8))
def test_planning_again_after_a_part_gives_the_rest(done: int) -> None:
    start = situation()
    whole = planned(start)
    assert planned(after(start, whole.steps[:done])).steps == whole.steps[done:]


def test_the_end_is_an_installed_storage() -> None:
    start = situation()
    assert refused(after(start, planned(start).steps)).code == "already_installed"


def test_two_nodes_are_refused_in_the_manuals_words() -> None:
    refusal = refused(situation(settings=peers(ONE, TWO)))
    assert refusal.code == "gluster_too_small"
    assert "If you restart any of the 2 nodes, you will lose data" in str(refusal.why)


@pytest.mark.parametrize(
    ("stages", "code"),
    [
        (["mount"], "order_volume_missing"),
        (["init_volume"], "order_peers_missing"),
        (["init_peers"], "order_gluster_missing"),
        (["init_gluster", "mount"], "order_volume_missing"),
        (["mount", "init_volume"], "order_volume_missing"),
        (["init_gluster", "init_peers", "mount", "init_volume"], "order_volume_missing"),
        (["unmount"], "params_invalid"),
        ([], "params_invalid"),
        ([["mount"]], "params_invalid"),
        (["init_gluster", "init_gluster"], "params_invalid"),
    ],
)
def test_the_wrong_stage_has_a_code_of_its_own(stages: list[str], code: str) -> None:
    assert refused(situation(params={"stages": stages})).code == code


def test_one_stage_may_be_asked_for_when_its_turn_has_come() -> None:
    ready = after(situation(), planned(situation()).stages[0].steps)
    asked = replace(ready, params={"stages": ["init_peers"]})
    assert [step.argv[-1] for step in planned(asked).steps] == ["init_peers"]


def test_a_volume_is_not_made_twice() -> None:
    done = after(situation(), planned(situation()).steps[:5])
    assert refused(replace(done, params={"stages": ["init_volume"]})).code == "volume_exists"


def test_an_existing_volume_that_cannot_carry_it_is_for_a_person() -> None:
    def with_volume(**changes: Any) -> Situation:
        facts: dict[str, Any] = {
            "units": gluster_units(),
            "gluster_volumes": (volume(**changes),),
        }
        return situation(*(node(host, gluster_peers=friends(host), **facts) for host in HOSTS))

    bricks = (GlusterBrick("a:/b", "u", False, False),)
    assert refused(with_volume(replica=2)).code == "volume_replica_small"
    assert refused(with_volume(started=False)).code == "volume_not_well"
    assert refused(with_volume(bricks=bricks)).code == "volume_not_well"
    unasked = (GlusterBrick("a:/b", "u", False, None),)
    assert refused(with_volume(bricks=unasked)).code == "node_unknown"


def test_a_peer_that_is_not_connected_means_not_acquainted() -> None:
    broken = tuple(replace(peer, connected=False) for peer in friends(ONE))
    seen = [
        node(host, units=gluster_units(), gluster_peers=broken if host == ONE else friends(host))
        for host in HOSTS
    ]
    assert planned(situation(*seen)).stages[0].key == "init_peers"


@pytest.mark.parametrize("fact", ["is_root", "units", "mount", "env", "scripts"])
def test_what_is_unknown_is_named_and_stops_it(fact: str) -> None:
    unread: dict[str, Any] = {fact: NO_ANSWER}
    refusal = refused(situation(node(TWO, **unread)))
    assert (refusal.code, refusal.evidence["fact"]) == ("node_unknown", fact)


def test_a_glusterd_that_was_used_and_is_stopped_is_not_an_empty_one() -> None:
    stopped: dict[str, Any] = {"gluster_peers": NOT_RUNNING, "gluster_volumes": NOT_RUNNING}
    refusal = refused(situation(node(TWO, **stopped)))
    assert (refusal.code, refusal.evidence["node"]) == ("glusterd_stopped", TWO)
    unread: dict[str, Any] = {"gluster_peers": NO_ANSWER, "gluster_volumes": NO_ANSWER}
    refusal = refused(situation(node(TWO, **unread)))
    assert (refusal.code, refusal.evidence["fact"]) == ("node_unknown", "gluster_volumes")
    running = node(TWO, units=gluster_units(), **unread)
    assert refused(situation(running)).evidence["fact"] == "gluster_peers"
    others = [
        node(host, units=gluster_units(), gluster_peers=friends(host), gluster_volumes=(volume(),))
        for host in (ONE, THREE)
    ]
    stages = [stage.key for stage in planned(situation(node(TWO, **unread), *others)).stages]
    assert stages == ["init_gluster", "init_peers", "mount"]


def test_one_node_that_tells_the_volumes_is_enough() -> None:
    told = [
        node(
            host,
            units=gluster_units(),
            gluster_peers=friends(host),
            gluster_volumes=(volume(),) if host == THREE else Unknown(NO_ANSWER.why),
        )
        for host in HOSTS
    ]
    assert [stage.key for stage in planned(situation(*told)).stages] == ["mount"]


def test_a_mount_that_hangs_is_not_mounted_over() -> None:
    dead = MountFacts(True, "fuse.glusterfs", "localhost:/dpiui2", answers=False)
    assert refused(situation(node(TWO, mount=dead))).code == "mount_dead"


def test_a_silent_node_stops_it() -> None:
    assert refused(situation(silent(THREE))).code == "node_unknown"


def test_it_warns_when_another_node_was_mounted_before_the_primary() -> None:
    done = after(situation(), planned(situation()).steps[:5])
    facts = [replace(n, mount=mounted()) if n.host == TWO else n for n in done.facts.nodes]
    plan = planned(situation(*facts))
    assert [step.node for step in plan.steps] == [ONE, THREE]
    assert "not on the primary" in str(plan.warnings[0])
    assert plan.steps[0].proof.args == (STORAGE, ONE, TWO)
