"""The lists of a running cluster are never edited silently: each host that comes or goes says what
that means, and a new primary is a procedure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nodes.domain.live_lists import (
    Live,
    consequences,
    live,
    primary_refusal,
    unaccepted,
)
from nodes.domain.observation import EnvFacts, GaleraFacts, Grastate
from nodes.domain.peer_changes import changes, holders, joined, line_changes
from nodes.domain.peers import PeerSettings
from tests.fakes.facts import HOSTS, SETTINGS, cluster, node, silent

BOTH = Live(True, True)
FOUR = PeerSettings((*HOSTS, "n4"), (*HOSTS, "n4"), "n1")
TWO = PeerSettings(("n1", "n2"), ("n1", "n2"), "n1")
ALONE = {"galera": GaleraFacts(False), "gluster_volumes": (), "grastate": Grastate(False)}


def ids(before: PeerSettings, after: PeerSettings, is_live: Live = BOTH) -> list[str]:
    return [c.id for c in consequences(before, after, is_live, cluster())]


def test_what_is_live_comes_from_facts_runs_or_an_adoption() -> None:
    fresh = cluster(*(node(host, **ALONE) for host in HOSTS))
    assert not live(None, ())
    assert not live(fresh, ())
    assert live(cluster(), ()) == BOTH
    assert live(fresh, {"install_galera"}) == Live(True, False)
    assert live(cluster(*map(silent, HOSTS)), {"install_glusterfs"}) == Live(False, True)
    assert live(None, (), adopted=True) == BOTH
    stopped = replace(fresh.nodes[0], grastate=Grastate(True, "c0ffee00-1"))
    assert live(cluster(stopped, *fresh.nodes[1:]), ()).galera
    zero = replace(fresh.nodes[0], grastate=Grastate(True, "00000000-0000"))
    assert not live(cluster(zero, *fresh.nodes[1:]), ()).galera


def test_each_host_that_comes_or_goes_has_a_consequence() -> None:
    assert ids(SETTINGS, FOUR) == ["galera_add:n4", "gluster_add:n4"]
    assert ids(SETTINGS, TWO) == ["galera_remove:n3", "gluster_remove:n3"]
    assert ids(SETTINGS, FOUR, Live(True, False)) == ["galera_add:n4"]
    assert ids(SETTINGS, FOUR, Live()) == []
    assert ids(SETTINGS, SETTINGS) == []
    turned = replace(SETTINGS, galera_peer_hosts=("n1", "n3", "n2"))
    assert ids(SETTINGS, turned) == []  # an order moves nothing


def test_a_joiner_loses_its_data_and_a_brick_is_an_operation() -> None:
    galera, gluster = consequences(SETTINGS, FOUR, BOTH, cluster())
    assert "everything in its own database is lost" in str(galera.what)
    assert galera.procedure == "install_galera"
    assert [each.command for each in gluster.commands] == [
        "gluster peer probe n4",
        "gluster volume add-brick files replica 4 n4:/b force",
    ]
    _, gone = consequences(SETTINGS, TWO, BOTH, cluster())
    assert gone.commands[0].command == "gluster volume remove-brick files replica 2 n3:/b force"
    assert gone.commands[0].host == "n1"
    assert "you will lose data" in str(gone.what)


@pytest.mark.parametrize(("left", "spare"), [(TWO, 0), (replace(FOUR), 1)])
def test_what_is_left_is_counted(left: PeerSettings, spare: int) -> None:
    before = PeerSettings((*left.galera_peer_hosts, "n9"), left.cluster_fs_peer_hosts, "n1")
    (told,) = consequences(before, left, Live(True, False), cluster())
    assert f"and {spare} of them may crash" in str(told.what)


def test_only_what_was_confirmed_by_its_id_is_accepted() -> None:
    found = consequences(SETTINGS, FOUR, BOTH, cluster())
    assert [r.evidence["accept"] for r in unaccepted(found, ())] == [
        "galera_add:n4",
        "gluster_add:n4",
    ]
    (rest,) = unaccepted(found, {"galera_add:n4"})
    assert (rest.code, rest.field) == ("live_list", "cluster_fs_peer_hosts")
    assert not unaccepted(found, {c.id for c in found})


def test_the_primary_of_a_running_cluster_is_a_procedure() -> None:
    moved = replace(SETTINGS, cluster_primary_host="n2")
    refusal = primary_refusal(SETTINGS, moved, BOTH)
    assert refusal
    assert refusal.code == "primary_is_procedure"
    assert "change_primary" in str(refusal.fix)
    assert primary_refusal(SETTINGS, moved, Live()) is None
    assert primary_refusal(SETTINGS, SETTINGS, BOTH) is None


def test_changes_are_told_in_words_and_by_line() -> None:
    after = PeerSettings(("n2", "n1", "n4"), HOSTS, "n2")
    assert [str(text) for text in changes(SETTINGS, after)] == [
        "n4 was added to GALERA_PEER_HOSTS.",
        "n3 was removed from GALERA_PEER_HOSTS.",
        "The order of GALERA_PEER_HOSTS is n2, n1, n4 now.",
        "CLUSTER_PRIMARY_HOST is n2 now, it was n1.",
    ]
    assert [line.key for line in line_changes(SETTINGS, after)] == [
        "GALERA_PEER_HOSTS",
        "CLUSTER_PRIMARY_HOST",
    ]
    assert len(line_changes(None, after)) == 3
    assert str(joined(changes(SETTINGS, SETTINGS))) == "Nothing is otherwise in the three keys."


def test_a_node_has_the_newest_revision_that_reads_like_its_file() -> None:
    old = replace(SETTINGS, cluster_primary_host="n2")
    revisions = [(3, SETTINGS), (2, old), (1, SETTINGS)]
    facts = cluster(
        node("n2", env=EnvFacts(True, "", old.as_env())),
        silent("n3"),
    )
    assert holders(revisions, facts) == {3: ("n1",), 2: ("n2",)}
    assert holders(revisions, None) == {}
