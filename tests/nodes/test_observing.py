"""Looks at the servers: stored, carried over, one asker at a time; and the checks made of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from nodes import history, selectors, services
from nodes.domain.checks import IDS
from nodes.domain.observation import NOT_ASKED, Unknown
from nodes.domain.parse_node import unreachable
from nodes.models import Cluster, Observation
from nodes.probes.sweep import Sweep
from nodes.services import observing
from tests.fakes.recorded import HOSTS
from tests.nodes.made import moved, refused, save

pytestmark = pytest.mark.django_db


def test_a_sweep_is_stored_and_read_back(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    assert selectors.latest_facts(cluster) is None
    facts = services.observe(cluster=cluster)
    assert selectors.latest_facts(cluster) == facts
    assert [node.host for node in facts.nodes] == list(HOSTS)


def test_a_young_sweep_is_used_again_when_that_is_enough(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    first = services.observe(cluster=cluster)
    assert services.observe(cluster=cluster, max_age_s=60) == first
    assert services.observe(cluster=cluster).nodes[0].taken_at > first.nodes[0].taken_at


def test_a_slow_sweep_does_not_overwrite_a_later_one(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    older = services.observe(cluster=cluster)
    newer = services.observe(cluster=cluster)
    observing._store(cluster, older.nodes, None)
    assert selectors.latest_facts(cluster) == newer


def test_a_look_tells_its_own_answers_whatever_a_beat_stores_meanwhile(
    cluster: Cluster, nodes_say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A beat that still holds an older reason must not refuse what a person has just put right."""
    real = observing._ask_gluster

    def beaten(*arguments: Any, **named: Any) -> bool:
        asked = real(*arguments, **named)
        older = [unreachable(HOSTS[0], time.time(), NOT_ASKED)]
        observing._store(cluster, older, selectors.latest_facts(cluster))
        return asked

    monkeypatch.setattr(observing, "_ask_gluster", beaten)
    facts = services.observe(cluster=cluster)
    assert [node.ssh for node in facts.nodes] == [True] * 3
    assert not isinstance(facts.nodes[0].gluster_volumes, Unknown)
    stored = selectors.latest_facts(cluster)
    assert stored
    assert stored.nodes[0].ssh is not True


def test_a_server_that_was_added_is_unknown_until_it_is_asked(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    services.observe(cluster=cluster)
    Observation.objects.filter(host=HOSTS[2]).delete()
    facts = selectors.latest_facts(cluster)
    assert facts
    assert facts.nodes[2].ssh is not True


def test_the_beat_is_skipped_while_somebody_asks(
    cluster: Cluster, nodes_say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    real = observing._sweep

    def sweep(*arguments: Any) -> Any:
        seen.append(services.observe_if_idle(cluster=cluster))
        return real(*arguments)

    monkeypatch.setattr(observing, "_sweep", sweep)
    services.observe_if_idle(cluster=cluster)
    assert seen == [False]
    cluster.refresh_from_db()
    assert cluster.sweep_until is None


def test_the_beat_counts_the_backlog_only_now_and_then(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    services.observe_if_idle(cluster=cluster)
    assert services.observe_gluster_if_idle(cluster=cluster)
    first = selectors.latest_facts(cluster)
    assert first
    assert time.time() - first.nodes[0].read_at["heal"] < 10
    services.observe_gluster_if_idle(cluster=cluster)
    second = selectors.latest_facts(cluster)
    assert second
    assert second.nodes[0].read_at["heal"] == first.nodes[0].read_at["heal"]
    assert second.nodes[0].read_at["gluster"] > first.nodes[0].read_at["gluster"]
    assert second.nodes[0].gluster_volumes == first.nodes[0].gluster_volumes


def test_glusterd_is_left_alone_while_a_run_works_with_it(
    cluster: Cluster, nodes_say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored stays, with its age."""
    before = services.observe(cluster=cluster)
    monkeypatch.setattr(type(history.of()), "gluster_in_use", lambda *_: True)
    assert services.observe_gluster_if_idle(cluster=cluster) is False
    after = services.observe(cluster=cluster)
    assert after.nodes[0].gluster_volumes == before.nodes[0].gluster_volumes
    assert after.nodes[0].read_at["gluster"] == before.nodes[0].read_at["gluster"]
    assert after.nodes[0].taken_at > before.nodes[0].taken_at


def test_glusterd_has_one_asker_in_whatever_process(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    services.observe_if_idle(cluster=cluster)
    with observing._turn(cluster, "gluster_until") as ours:
        assert ours
        assert services.observe_gluster_if_idle(cluster=cluster) is False
    assert services.observe_gluster_if_idle(cluster=cluster) is True


def test_a_quick_beat_keeps_what_hardly_changes(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    first = services.observe(cluster=cluster)
    assert services.observe_if_idle(cluster=cluster)
    second = selectors.latest_facts(cluster)
    assert second
    assert second.nodes[0].versions == first.nodes[0].versions
    assert second.nodes[0].read_at["slow"] == first.nodes[0].read_at["slow"]
    assert second.nodes[0].taken_at > first.nodes[0].taken_at
    assert second.samples[HOSTS[0]][-1].cluster_size == 3


def test_a_quick_look_reads_the_marker_and_lets_glusterd_be(
    cluster: Cluster, nodes_say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, asked = services.observe(cluster=cluster), []
    real = Sweep.run

    def run(sweep: Sweep, *arguments: Any) -> Any:
        asked.append(sweep.known)
        return real(sweep, *arguments)

    monkeypatch.setattr(Sweep, "run", run)
    monkeypatch.setattr(observing, "_ask_gluster", lambda *_, **__: pytest.fail("not needed"))
    second = services.observe(cluster=cluster, storage_age_s=60, quick=True)
    assert {(known.quick, known.marker) for known in asked[0].values()} == {(True, True)}
    assert second.nodes[0].versions == first.nodes[0].versions
    assert second.nodes[0].gluster_volumes == first.nodes[0].gluster_volumes
    assert second.nodes[0].taken_at > first.nodes[0].taken_at


@pytest.mark.parametrize("booted", [False, True])
def test_glusterd_is_asked_when_what_it_said_is_old_or_of_an_earlier_boot(
    cluster: Cluster,
    nodes_say: Callable[[str], None],
    booted: bool,
) -> None:
    before = services.observe(cluster=cluster)
    up = before.nodes[0].uptime_s
    assert isinstance(up, float)
    at = time.time() - (up + 1 if booted else 61)
    for row in Observation.objects.all():
        told = row.gluster or {}
        row.gluster = {**told, "read_at": {**told["read_at"], "gluster": at}}
        row.save()
    after = services.observe(cluster=cluster, storage_age_s=up + 9 if booted else 60)
    assert after.nodes[0].read_at["gluster"] > before.nodes[0].read_at["gluster"]


def test_a_quick_look_at_a_server_that_was_started_again_becomes_a_whole_one(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    first = services.observe(cluster=cluster)
    observing._store(
        cluster, [replace(first.nodes[0], boot_id="before", taken_at=time.time())], None
    )
    facts = services.observe(cluster=cluster, quick=True)
    assert facts.nodes[0].boot_id == first.nodes[0].boot_id
    assert facts.nodes[0].versions == first.nodes[0].versions


def test_the_env_difference_is_told_line_by_line(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    save(cluster, 1, **moved(HOSTS[1]))
    files = selectors.env_difference(cluster, services.observe(cluster=cluster))
    assert [file.same for file in files] == [False] * 3
    assert files[0].lines[2].found == HOSTS[0]
    assert files[0].lines[2].wanted == HOSTS[1]


def test_the_table_of_checks_starts_empty_and_a_cell_can_be_run_alone(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    table = selectors.checks_table(cluster)
    assert [row.host for row in table] == list(HOSTS)
    assert {cell.state for row in table for cell in row.cells} == {""}
    (cell,) = services.checks_run(cluster=cluster, host=HOSTS[1], check_id="disk")
    assert (cell.host, cell.check_id, cell.state) == (HOSTS[1], "disk", "ok")
    assert cluster.checks.count() == 1


def test_rows_columns_and_the_whole_table_of_checks(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    assert len(services.checks_run(cluster=cluster, host=HOSTS[0])) == len(IDS)
    assert len(services.checks_run(cluster=cluster, check_id="clock")) == 3
    assert len(services.checks_run(cluster=cluster)) == 3 * len(IDS)
    assert cluster.checks.count() == 3 * len(IDS)


@pytest.mark.parametrize("wanted", [{"host": "10.9.9.9"}, {"check_id": "nonsense"}])
def test_a_cell_that_does_not_exist_is_refused(cluster: Cluster, wanted: dict[str, str]) -> None:
    assert list(refused(services.checks_run, cluster=cluster, **wanted).values()) == [
        "check_unknown"
    ]
