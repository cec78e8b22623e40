"""Whole sweeps over what real nodes said: from their output to the verdict."""

from __future__ import annotations

import time

import pytest

from nodes.domain.assess import assess
from nodes.domain.facts_json import from_json, to_json
from nodes.domain.observation import GaleraFacts, Grastate, MountFacts, Unknown
from tests.fakes import recorded
from tests.fakes.recorded import HOSTS, SETTINGS, STATES

VERDICTS = {
    "pristine": ("not_installed", "every server has a database of its own"),
    "galera": ("degraded", "GlusterFS has no volume yet"),
    "gluster-no-volume": ("degraded", "GlusterFS has no volume yet"),
    "healthy": ("healthy", "All 3 servers are in step"),
    "healthy-again": ("healthy", "All 3 servers are in step"),
    "unmounted": ("degraded", "storage of 10.77.2.12 is not mounted"),
    "one-stopped": ("degraded", "The database of 10.77.2.13 is stopped"),
    "brick-down": ("degraded", "2 of 3 bricks are known to be online; not 10.77.2.13:/data/brick1"),
    "non-primary": ("non_primary", "runs on 10.77.2.11 without a majority"),
    "one-crashed": ("degraded", "10.77.2.13 did not answer"),
    "after-boot": ("healthy", "All 3 servers are in step"),
    "full-stop": ("full_stop", "stopped on all servers"),
}


def test_every_recorded_state_has_a_verdict() -> None:
    assert set(STATES) == set(VERDICTS)


@pytest.mark.parametrize("state", STATES)
def test_the_verdict_of_what_real_nodes_said(state: str) -> None:
    verdict = assess(SETTINGS, recorded.sweep(state), time.time())
    expected, words = VERDICTS[state]
    assert (verdict.state, words in str(verdict.sentence)) == (expected, True), str(verdict)


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
