"""Properties of the verdict that hold for any facts; the golden cases are in test_verdicts."""

from __future__ import annotations

import itertools
import json
from dataclasses import fields, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes import api_json
from nodes.domain.assess import assess
from nodes.domain.consequences import consequences_of_stopping
from nodes.domain.observation import ClusterFacts, NodeFacts, Unknown
from nodes.domain.quorum import galera_tolerates
from nodes.domain.text import say
from nodes.domain.verdict import STATES
from tests.fakes.facts import HOSTS, NOW, SETTINGS, cluster, galera, node, silent, stopped

NO_MAJORITY = galera(cluster_status="non-Primary", local_state=0, ready=False, cluster_size=1)
ALONE = galera(wsrep_on=False, cluster_status="Disconnected", cluster_size=0, ready=False)
OTHER_UUID = galera(cluster_uuid="deadbeef-0000-11f1-8000-000000000002", cluster_size=1)
STARTING = {"mariadb": "activating", "glusterd": "active"}


def test_nothing_was_ever_asked() -> None:
    assert assess(SETTINGS, None, NOW).state == "unknown"
    assert assess(SETTINGS, ClusterFacts(()), NOW).state == "unknown"


@pytest.mark.parametrize(("age", "stale"), [(0, False), (15, False), (16, True), (3600, True)])
def test_old_answers_are_not_taken_for_the_present(age: int, stale: bool) -> None:
    verdict = assess(SETTINGS, cluster(), NOW + age)
    assert (verdict.age_s, verdict.stale) == (age, stale)
    assert verdict.state == ("unknown" if stale else "healthy")
    assert f"Nothing newer than {age} seconds" in str(verdict.sentence) or not stale


def test_the_age_is_that_of_the_oldest_answer_which_alone_is_not_believed() -> None:
    verdict = assess(SETTINGS, cluster(node("n2", taken_at=NOW - 40)), NOW)
    assert verdict.age_s == 40
    assert verdict.findings[0].node == "n2"
    assert "n2 has not answered for 40 seconds" in str(verdict.sentence)


@pytest.mark.parametrize(("size", "spare"), [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 2)])
def test_a_majority_must_stay(size: int, spare: int) -> None:
    assert galera_tolerates(size) == spare


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


WHO = [f.name for f in fields(NodeFacts) if f.name not in ("host", "taken_at", "extra", "read_at")]


@st.composite
def clusters(draw: st.DrawFn) -> ClusterFacts:
    """Each single fact may be unknown, on any node, in any combination, at any age."""

    def bent(host: str) -> NodeFacts:
        base = draw(st.sampled_from(KINDS))(host)
        unknown: dict[str, Any] = dict.fromkeys(
            draw(st.sets(st.sampled_from(WHO))), Unknown(say("?"))
        )
        return replace(base, taken_at=NOW - draw(st.sampled_from((0, 5, 40))), **unknown)

    hosts = draw(st.permutations(HOSTS))
    return ClusterFacts(tuple(bent(host) for host in hosts[: draw(st.integers(0, 3))]))


@given(clusters())
def test_whatever_is_known_there_is_one_verdict_and_always_the_same(facts: ClusterFacts) -> None:
    verdict = assess(SETTINGS, facts, NOW)
    assert verdict.state in STATES
    assert str(verdict.sentence)
    assert verdict == assess(SETTINGS, facts, NOW)
    json.dumps(api_json.verdict(verdict))


@given(clusters(), st.randoms(use_true_random=False))
def test_the_order_of_the_answers_changes_nothing(facts: ClusterFacts, random: Random) -> None:
    mixed = list(facts.nodes)
    random.shuffle(mixed)
    assert assess(SETTINGS, replace(facts, nodes=tuple(mixed)), NOW) == assess(SETTINGS, facts, NOW)


@given(clusters())
def test_findings_have_names_of_their_own_and_something_to_do(facts: ClusterFacts) -> None:
    findings = assess(SETTINGS, facts, NOW).findings
    assert len({finding.id for finding in findings}) == len(findings)
    for finding in findings:
        assert str(finding.what)
        assert str(finding.why)
        assert str(finding.fix)
        assert finding.action.kind in ("procedure", "command", "look", "wait")


@given(clusters(), st.sets(st.sampled_from(HOSTS)))
def test_what_stopping_does_can_be_told_of_any_cluster(facts: ClusterFacts, gone: set[str]) -> None:
    told = consequences_of_stopping(gone, SETTINGS, facts)
    assert told.sentences or not gone
    assert not (told.harmless and gone == set(HOSTS))
