"""Who sees whom: every pair of servers, both layers, and nothing that is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nodes.domain.observation import ClusterFacts, GlusterPeer, NodeFacts, Unknown
from nodes.domain.peers import PeerSettings
from nodes.domain.text import say
from nodes.domain.topology import GALERA, GLUSTER, Link, edges
from tests.fakes import recorded
from tests.fakes.facts import (
    HOSTS,
    NOW,
    SETTINGS,
    cluster,
    galera,
    node,
    peers_of,
    silent,
    stopped,
)


def links(*nodes: NodeFacts, settings: PeerSettings = SETTINGS) -> dict[tuple[str, str, str], Link]:
    facts = cluster(*nodes)
    return {
        (edge.one, edge.other, link.layer): link
        for edge in edges(settings, facts, NOW)
        for link in edge.links
    }


def test_a_cluster_that_is_well_is_joined_on_both_layers() -> None:
    found = links()
    assert {key[:2] for key in found} == {("n1", "n2"), ("n1", "n3"), ("n2", "n3")}
    assert {link.state for link in found.values()} == {"ok"}
    assert len(found) == 6


def test_a_stopped_database_is_cut_off_and_its_bricks_are_not() -> None:
    found = links(stopped("n3"))
    cut = found["n1", "n3", GALERA]
    assert cut.state == "failed"
    assert "n3" in str(cut.why)
    assert found["n1", "n3", GLUSTER].state == "ok"
    assert found["n1", "n2", GALERA].state == "ok"


def test_a_silent_server_is_unknown_to_the_database_and_never_cut() -> None:
    found = links(silent("n2"))
    assert found["n1", "n2", GALERA].state == "unknown"
    assert found["n1", "n3", GALERA].state == "ok"


def test_a_peer_that_one_side_lost_is_a_cut_link_with_its_state() -> None:
    lost = tuple(replace(p, connected=False) if p.hostname == "n2" else p for p in peers_of("n1"))
    cut = links(node("n1", gluster_peers=lost))["n1", "n2", GLUSTER]
    assert (cut.state, "disconnected" in str(cut.why)) == ("failed", True)


def test_a_rejected_peer_says_so() -> None:
    bad = GlusterPeer("u-n2", "n2", True, 6, "Peer Rejected")
    cut = links(node("n1", gluster_peers=(bad,)))["n1", "n2", GLUSTER]
    assert "Peer Rejected" in str(cut.why)


def test_peers_are_found_by_any_of_their_names() -> None:
    by_address = (GlusterPeer("u-n2", "10.9.9.2", True, 3, "Peer in Cluster"),)
    found = links(
        node("n1", gluster_peers=by_address),
        node("n2", addresses=("10.9.9.2",), gluster_peers=Unknown(say("no"))),
    )
    assert found["n1", "n2", GLUSTER].state == "ok"


def test_two_clusters_are_not_joined() -> None:
    found = links(node("n3", galera=galera(cluster_uuid="another")))
    assert found["n1", "n3", GALERA].state == "failed"
    assert "different clusters" in str(found["n1", "n3", GALERA].why)


@pytest.mark.parametrize("facts", [None, ClusterFacts(())])
def test_without_facts_every_link_is_unknown(facts: ClusterFacts | None) -> None:
    found = [link for edge in edges(SETTINGS, facts, NOW) for link in edge.links]
    assert len(found) == 6
    assert {link.state for link in found} == {"unknown"}


def test_a_server_of_one_list_has_links_of_that_layer_only() -> None:
    settings = PeerSettings(HOSTS, HOSTS[:2], "n1")
    found = links(settings=settings)
    assert ("n1", "n3", GALERA) in found
    assert ("n1", "n3", GLUSTER) not in found


@pytest.mark.parametrize("state", recorded.STATES)
def test_what_real_servers_said_can_always_be_drawn(state: str) -> None:
    facts = recorded.sweep(state)
    found = edges(recorded.SETTINGS, facts, facts.nodes[0].taken_at)
    assert len(found) == 3
    assert all(
        link.state in ("ok", "failed", "waiting", "unknown") for e in found for link in e.links
    )
    if state in ("healthy", "healthy-again"):
        assert {link.state for e in found for link in e.links} == {"ok"}
