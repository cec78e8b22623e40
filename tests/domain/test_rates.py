"""What two samples say together, and when they say nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nodes.domain.assess import assess
from nodes.domain.observation import Sample, Transfer, Unknown
from nodes.domain.rates import between, growth, heal_is_stuck, paused_fraction
from nodes.domain.text import say
from tests.fakes import situations
from tests.fakes.facts import NOW, SETTINGS, cluster, node

GIB = 1024**3


@pytest.mark.parametrize(
    ("older", "newer", "seconds", "expected"),
    [
        (0, 50, 10, 5.0),
        (50, 0, 10, None),
        (None, 5, 10, None),
        (0, None, 10, None),
        (0, 5, 0, None),
    ],
)
def test_a_counter_that_went_back_is_not_known(
    older: int | None, newer: int | None, seconds: float, expected: float | None
) -> None:
    assert between(older, newer, seconds) == expected


def counted(*pairs: tuple[float, int | None]) -> list[Sample]:
    return [Sample(at, paused_ns=ns) for at, ns in pairs]


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (counted((0, 0), (30, 3_000_000_000)), 0.1),
        (counted((0, 0), (100, 0), (150, 25_000_000_000)), 0.5),  # only the last minute counts
        (counted((0, 0), (5, 5_000_000_000)), None),  # too short to say
        (counted((0, 0), (30, 90_000_000_000)), 1.0),
        (counted((0, 9), (30, 3)), None),  # the server was restarted
        (counted((0, None), (30, 5)), None),
        ([], None),
    ],
)
def test_the_paused_part_of_the_last_minute(samples: list[Sample], expected: float | None) -> None:
    assert paused_fraction(samples) == expected


def heals(*counts: int | None, every_s: int = 300) -> list[Sample]:
    return [Sample(float(every_s * i), heal_pending=n) for i, n in enumerate(counts)]


@pytest.mark.parametrize(
    ("samples", "stuck"),
    [
        (heals(5, 5, 5, 5), True),
        (heals(5, 9, 7, 6), True),
        (heals(5, 4, 4, 4), False),  # it falls
        (heals(5, 0, 3, 5), False),  # it was empty in between
        (heals(5, None, 5, 5), False),  # nobody knows
        (heals(5, 5, 5), False),  # not for long enough
        ([], False),
    ],
)
def test_healing_is_stuck_only_when_it_is_certain(samples: list[Sample], stuck: bool) -> None:
    assert heal_is_stuck(samples) is stuck


def test_growth_is_measured_over_the_last_half_minute() -> None:
    samples = [Sample(0.0, transfer_bytes=0), Sample(80.0, transfer_bytes=100)]
    assert growth(samples, 100.0, 300) == 10.0
    assert growth([Sample(0.0, transfer_bytes=100)], 100.0, 300) == 2.0  # nothing younger is there
    assert growth([Sample(99.5, transfer_bytes=100)], 100.0, 300) is None
    assert growth(samples, 100.0, None) is None


def test_a_snapshot_is_told_with_donor_bytes_rate_and_time() -> None:
    case = {"n1": "donor", "n3": "joiner", "samples": {"host": "n3", "received": GIB}}
    (progress,) = assess(SETTINGS, situations.facts(case), NOW).transfers
    assert (progress.kind, progress.joiner, progress.donor, progress.method) == (
        *("SST", "n3"),
        *("n1", "rsync"),
    )
    assert (progress.done, progress.total, progress.percent) == (4 * GIB, 10 * GIB, 40)
    assert progress.rate == pytest.approx(3 * GIB / 30)
    assert progress.remaining_s == pytest.approx(60)


def test_an_incremental_transfer_counts_write_sets() -> None:
    transfer = Transfer("IST", "joiner", first=100, current=150)
    joiner = node("n2", transfer=transfer, galera=Unknown(say("not yet")))
    facts = cluster(joiner)
    newest = {"wsrep_last_committed": "300"}
    first = replace(facts.nodes[0], galera=replace(facts.nodes[0].galera, raw=newest))  # type: ignore[arg-type]
    facts = replace(facts, nodes=(first, *facts.nodes[1:]))
    (progress,) = assess(SETTINGS, facts, NOW).transfers
    assert (progress.done, progress.total, progress.percent) == (50, 200, 25)


def test_a_marker_left_by_a_failed_transfer_is_none_under_way() -> None:
    left = situations.WORDS["stopped"](node("n2"))
    facts = cluster(replace(left, transfer=Transfer("SST", "joiner")))
    assert assess(SETTINGS, facts, NOW).transfers == ()
