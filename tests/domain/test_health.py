"""The verdict: golden cases, and properties that hold for any facts."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.domain.health import assess, tolerates
from nodes.domain.observation import (
    ClusterFacts,
    EnvFacts,
    Grastate,
    MountFacts,
    NodeFacts,
    Unknown,
)
from nodes.domain.text import say
from tests.fakes.facts import (
    HOSTS,
    NOW,
    SETTINGS,
    SILENT,
    cluster,
    galera,
    node,
    peers_of,
    silent,
    stopped,
    volume,
)

NO_MAJORITY = galera(cluster_status="non-Primary", local_state=0, ready=False, cluster_size=1)
ALONE = galera(wsrep_on=False, cluster_status="Disconnected", cluster_size=0, ready=False)
OTHER_UUID = galera(cluster_uuid="deadbeef-0000-11f1-8000-000000000002", cluster_size=1)
TWO = galera(cluster_size=2)
STARTING = {"mariadb": "activating", "glusterd": "active"}
FRESH = Grastate(present=False)


def all_nodes(**changes: object) -> ClusterFacts:
    return cluster(*(node(host, **changes) for host in HOSTS))


def bricks(**changes: object) -> tuple[object, ...]:
    good = volume().bricks
    return (*good[:2], replace(good[2], **changes))  # type: ignore[arg-type]


GOLDEN = {
    "all well": (cluster(), "healthy", 1),
    "all silent": (cluster(*map(silent, HOSTS)), "unknown", None),
    "no Galera yet": (all_nodes(galera=ALONE), "not_installed", None),
    "never started, never clustered": (
        cluster(*(stopped(host, grastate=FRESH) for host in HOSTS)),
        "not_installed",
        None,
    ),
    "no Galera, one silent": (
        cluster(node("n1", galera=ALONE), node("n2", galera=ALONE), silent("n3")),
        "unknown",
        None,
    ),
    "half installed": (
        cluster(
            node("n1", galera=galera(cluster_size=1)), *(node(h, galera=ALONE) for h in HOSTS[1:])
        ),
        "degraded",
        0,
    ),
    "all stopped": (cluster(*map(stopped, HOSTS)), "full_stop", 0),
    "two stopped, one silent": (
        cluster(stopped("n1"), stopped("n2"), silent("n3")),
        "unknown",
        None,
    ),
    "two stopped, one starting": (
        cluster(stopped("n1"), stopped("n2"), stopped("n3", units=STARTING, mysqld_running=True)),
        "unknown",
        None,
    ),
    "unit down but a process is left": (
        cluster(stopped("n1"), stopped("n2"), stopped("n3", mysqld_running=True)),
        "unknown",
        None,
    ),
    "one stopped": (
        cluster(node("n1", galera=TWO), node("n2", galera=TWO), stopped("n3")),
        "degraded",
        0,
    ),
    "one silent": (
        cluster(node("n1", galera=TWO), node("n2", galera=TWO), silent("n3")),
        "degraded",
        0,
    ),
    "one silent to us, not to the others": (cluster(silent("n3")), "degraded", 1),
    "survivor without a majority": (
        cluster(node("n1", galera=NO_MAJORITY), silent("n2"), silent("n3")),
        "non_primary",
        0,
    ),
    "cut off from two that are well": (
        cluster(node("n1", galera=TWO), node("n2", galera=TWO), node("n3", galera=NO_MAJORITY)),
        "degraded",
        0,
    ),
    "two clusters by UUID": (
        cluster(node("n1", galera=TWO), node("n2", galera=TWO), node("n3", galera=OTHER_UUID)),
        "split_brain",
        0,
    ),
    "two halves of one UUID": (
        cluster(
            node("n1", galera=galera(cluster_size=2, conf_id="7")),
            node("n2", galera=galera(cluster_size=2, conf_id="7")),
            node("n3", galera=galera(cluster_size=1, conf_id="9")),
        ),
        "split_brain",
        0,
    ),
    "a view is just changing": (
        cluster(node("n1", galera=galera(conf_id="8")), node("n2"), node("n3")),
        "healthy",
        1,
    ),
    "donor": (
        cluster(node("n2", galera=galera(local_state=2, local_state_comment="Donor/Desynced"))),
        "busy",
        1,
    ),
    "joiner": (
        cluster(
            node("n3", galera=galera(local_state=1, local_state_comment="Joining", ready=False))
        ),
        "busy",
        1,
    ),
    "not ready": (cluster(node("n3", galera=galera(ready=False))), "degraded", 1),
    "storage not mounted": (
        cluster(node("n2", mount=MountFacts(False, "", "", False, exists=True))),
        "degraded",
        1,
    ),
    "storage hangs": (
        cluster(node("n2", mount=MountFacts(True, "fuse.glusterfs", "x", False, True))),
        "degraded",
        1,
    ),
    "mount not known": (cluster(node("n2", mount=Unknown(say("late")))), "unknown", 1),
    "no volume yet": (all_nodes(gluster_volumes=(), gluster_peers=()), "degraded", 1),
    "gluster not known": (all_nodes(gluster_volumes=Unknown(say("late"))), "unknown", 1),
    "volume stopped": (all_nodes(gluster_volumes=(volume(started=False),)), "degraded", 1),
    "brick down": (
        all_nodes(gluster_volumes=(volume(bricks=bricks(online=False)),)),
        "degraded",
        1,
    ),
    "brick not reported": (
        all_nodes(gluster_volumes=(volume(bricks=bricks(online=None)),)),
        "degraded",
        1,
    ),
    "no brick reported": (
        all_nodes(
            gluster_volumes=(
                volume(bricks=tuple(replace(b, online=None) for b in volume().bricks)),
            )
        ),
        "unknown",
        1,
    ),
    "peer rejected": (
        cluster(node("n1", gluster_peers=(replace(peers_of("n1")[0], state=6),))),
        "degraded",
        1,
    ),
    "healing": (all_nodes(gluster_volumes=(volume(bricks=bricks(heal_pending=4)),)), "busy", 1),
    "two primaries by settings": (
        cluster(node("n2", env=EnvFacts(True, "", {"CLUSTER_PRIMARY_HOST": "n2"}))),
        "degraded",
        1,
    ),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_the_verdict_of(case: str) -> None:
    facts, state, spare = GOLDEN[case]
    verdict = assess(SETTINGS, facts, NOW)
    assert (verdict.state, verdict.tolerates) == (state, spare), str(verdict.sentence)
    assert verdict.state == "healthy" or str(verdict.action)


def test_nothing_was_ever_asked() -> None:
    assert assess(SETTINGS, None, NOW).state == "unknown"
    assert assess(SETTINGS, ClusterFacts(()), NOW).state == "unknown"


def test_an_unmounted_storage_is_named_with_its_danger() -> None:
    facts, _, _ = GOLDEN["storage not mounted"]
    verdict = assess(SETTINGS, facts, NOW)
    assert "storage of n2 is not mounted" in str(verdict.sentence)
    assert "stays on this one server" in str(verdict.sentence)


def test_the_reason_and_the_fix_of_a_silent_server_are_its_own() -> None:
    verdict = assess(SETTINGS, GOLDEN["one silent"][0], NOW)
    assert str(SILENT.why) in str(verdict.sentence)
    assert verdict.action == SILENT.fix


@pytest.mark.parametrize(("age", "said"), [(0, False), (15, False), (16, True), (3600, True)])
def test_old_answers_are_told_with_their_age(age: int, said: bool) -> None:
    verdict = assess(SETTINGS, cluster(), NOW + age)
    assert verdict.age_s == age
    assert str(verdict.sentence).startswith(f"{age} seconds ago") is said


def test_the_age_is_that_of_the_oldest_answer() -> None:
    assert assess(SETTINGS, cluster(node("n2", taken_at=NOW - 40)), NOW).age_s == 40


@pytest.mark.parametrize(("size", "spare"), [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 2)])
def test_a_majority_must_stay(size: int, spare: int) -> None:
    assert tolerates(size) == spare


KINDS = (
    node,
    stopped,
    silent,
    lambda host: node(host, galera=ALONE),
    lambda host: node(host, galera=NO_MAJORITY),
    lambda host: node(host, galera=OTHER_UUID),
    lambda host: node(host, galera=Unknown(say("?")), units=Unknown(say("?"))),
    lambda host: stopped(host, units=STARTING, mysqld_running=True),
)
ANY_CLUSTER = list(itertools.product(KINDS, repeat=3))


def test_unknown_is_never_healthy_nor_a_full_stop() -> None:
    """Every mix of eight kinds of node: what depends on one that nobody could ask is not certain."""
    for kinds in ANY_CLUSTER:
        nodes = [kind(host) for kind, host in zip(kinds, HOSTS, strict=True)]
        verdict = assess(SETTINGS, cluster(*nodes), NOW)
        if any(isinstance(n.ssh, Unknown) for n in nodes):
            assert verdict.state not in ("healthy", "full_stop", "not_installed")
        if verdict.state == "full_stop":
            assert all(n.mysqld_running is False for n in nodes)
        assert str(verdict.sentence)


unknowns = st.just(Unknown(say("?")))


@given(st.data())
def test_no_facts_are_an_exception(data: st.DataObject) -> None:
    """Each single fact may be unknown, on any node, in any combination."""

    def bent(host: str) -> NodeFacts:
        base = data.draw(st.sampled_from(KINDS))(host)
        names = data.draw(
            st.sets(
                st.sampled_from([n for n in vars(base) if n not in ("host", "taken_at", "extra")])
            )
        )
        return replace(base, **dict.fromkeys(names, Unknown(say("?"))))

    facts = ClusterFacts(tuple(bent(host) for host in data.draw(st.sets(st.sampled_from(HOSTS)))))
    assert assess(SETTINGS, facts, NOW).state
