"""Whole sweeps over what real nodes said. Their verdicts are golden cases: tests/domain."""

from __future__ import annotations

import pytest

from nodes.domain.facts_json import from_json, to_json
from nodes.domain.observation import GaleraFacts, Grastate, MountFacts, Unknown
from tests.fakes import recorded
from tests.fakes.recorded import HOSTS, STATES


@pytest.mark.parametrize("state", STATES)
def test_stored_facts_come_back_as_they_were(state: str) -> None:
    for node in recorded.sweep(state).nodes:
        assert from_json(to_json(node)) == node


def test_a_pristine_node_is_known_to_have_nothing() -> None:
    node = recorded.sweep("pristine").node(HOSTS[0])
    assert (node.gluster_peers, node.gluster_volumes) == ((), ())
    assert node.grastate == Grastate(present=False)
    assert node.units == {"mariadb": "active", "mariadb.socket": "inactive", "glusterd": "inactive"}
    assert node.databases == {"dpiui2": 7}
    assert isinstance(node.galera, GaleraFacts)
    assert not node.galera.wsrep_on
    assert isinstance(node.mount, MountFacts)
    assert (node.mount.mounted, node.mount.exists) == (False, True)


def test_a_running_member_says_minus_one_which_is_not_a_position() -> None:
    grastate = recorded.sweep("healthy").node(HOSTS[0]).grastate
    assert isinstance(grastate, Grastate)
    assert (grastate.present, grastate.seqno, grastate.safe_to_bootstrap) == (True, None, False)


def test_a_member_stopped_in_order_says_where_it_was() -> None:
    grastate = recorded.sweep("one-stopped").node(HOSTS[2]).grastate
    assert isinstance(grastate, Grastate)
    assert grastate.seqno is not None
    assert grastate.seqno > 0


def test_a_server_that_runs_no_glusterd_but_knows_peers_is_unknown_not_empty() -> None:
    """One whose machine is off: its brick is missing from the others' answer, which is not "no"."""
    facts = recorded.sweep("one-crashed")
    volumes = facts.node(HOSTS[0]).gluster_volumes
    assert not isinstance(volumes, Unknown)
    assert [brick.online for brick in volumes[0].bricks] == [True, True, None]
    assert isinstance(facts.node(HOSTS[2]).gluster_volumes, Unknown)


def test_a_killed_brick_is_offline_for_certain_and_its_backlog_is_not_known() -> None:
    volumes = recorded.sweep("brick-down").node(HOSTS[0]).gluster_volumes
    assert not isinstance(volumes, Unknown)
    assert [brick.online for brick in volumes[0].bricks] == [True, True, False]
    assert [brick.heal_pending for brick in volumes[0].bricks][2] is None
    assert max(brick.heal_pending or 0 for brick in volumes[0].bricks) > 0
