"""Drift names the line, the file's time and the difference; ignoring it is worth for that one alone."""

from __future__ import annotations

from dataclasses import replace

from nodes.domain.assess import assess
from nodes.domain.env_lines import differences
from nodes.domain.observation import ClusterFacts, EnvFacts
from nodes.domain.parse_sections import Section
from nodes.domain.parse_system import env_keys
from nodes.domain.peers import GALERA_KEY, GLUSTER_KEY, PRIMARY_KEY
from nodes.domain.verdict import Finding
from tests.fakes.facts import NOW, SETTINGS, cluster, node

SHA = "a" * 64


def env(**keys: str | None) -> EnvFacts:
    values: dict[str, str | None] = {**SETTINGS.as_env(), **keys}
    return EnvFacts(True, SHA, values, {PRIMARY_KEY: 7}, 1_764_106_069.0)


def findings(facts: ClusterFacts) -> list[Finding]:
    """Those of drift; whom the servers call the primary is told apart, and first."""
    found = assess(SETTINGS, facts, NOW).findings
    return [finding for finding in found if "primar" not in finding.id]


def test_the_beat_tells_line_and_time() -> None:
    said = f"{SHA}  -\nmtime 1764106069\n12:# GALERA_PEER_HOSTS=old\n15:GALERA_PEER_HOSTS=a,b\n"
    facts = env_keys(Section(said, 0))
    assert isinstance(facts, EnvFacts)
    assert facts.keys[GALERA_KEY] == "a,b"
    assert (dict(facts.lines), facts.changed_at) == ({GALERA_KEY: 15}, 1764106069.0)


def test_an_answer_without_a_time_is_understood() -> None:
    facts = env_keys(Section(f"{SHA}  -\n15:GALERA_PEER_HOSTS=a,b\n", 0))
    assert isinstance(facts, EnvFacts)
    assert facts.changed_at is None


def test_the_sentence_has_the_line_and_the_reason_has_the_time() -> None:
    (found,) = findings(cluster(node("n3", env=env(CLUSTER_PRIMARY_HOST="n9"))))
    assert str(found.what) == (
        "n3 has CLUSTER_PRIMARY_HOST=n9 in line 7 of its .env, the panel wants n1."
    )
    assert "2025-11-25 21:27:49 UTC" in str(found.why)


def test_an_absent_key_is_no_empty_one_and_more_lines_are_counted() -> None:
    (found,) = findings(
        cluster(node("n3", env=env(GALERA_PEER_HOSTS=None, CLUSTER_FS_PEER_HOSTS="")))
    )
    assert "n3 has no line GALERA_PEER_HOSTS in its .env" in str(found.what)
    assert str(found.what).endswith("Lines that differ besides: 1.")


def test_ignoring_is_worth_until_the_file_or_the_wish_is_another() -> None:
    one = findings(cluster(node("n3", env=env(CLUSTER_PRIMARY_HOST="n9"))))[0].id
    same = findings(
        cluster(node("n3", env=replace(env(CLUSTER_PRIMARY_HOST="n9"), sha256="b" * 64)))
    )
    other = findings(cluster(node("n3", env=env(CLUSTER_PRIMARY_HOST="n8"))))[0].id
    assert one == same[0].id  # another line of the file is nobody's business here
    assert one != other
    wish = replace(SETTINGS, galera_peer_hosts=("n1", "n3", "n2"))
    facts = cluster(node("n3", env=env(CLUSTER_PRIMARY_HOST="n9")))
    assert one not in [f.id for f in assess(wish, facts, NOW).findings]


def test_the_page_has_the_same_id_lines_and_time() -> None:
    facts = cluster(node("n3", env=env(CLUSTER_PRIMARY_HOST="n9")))
    file = differences(SETTINGS, facts)[2]
    assert file.finding == findings(facts)[0].id
    assert [line.number for line in file.lines if not line.same] == [7]
    assert file.changed_at
    assert file.changed_at.timestamp() == 1_764_106_069.0
    assert [f.finding for f in differences(SETTINGS, facts)[:2]] == ["", ""]
    keys = [line.key for line in file.lines]
    assert keys == [GALERA_KEY, GLUSTER_KEY, PRIMARY_KEY]


def test_a_cached_configuration_that_is_older_is_found() -> None:
    traces = {"traces": ("config_cached", "config_older")}
    (found,) = findings(cluster(node("n2", extra=traces)))
    assert found.id == "cached:n2"
    assert "bootstrap/cache/config.php" in str(found.why)
    assert not findings(cluster(node("n2", extra={"traces": ("config_cached",)})))
