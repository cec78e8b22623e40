"""History that stays small keeps what was worst, however and how often it is merged."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.domain.observation import Sample
from nodes.domain.thinning import at_most, slice_of, thinned, worse

numbers = st.none() | st.integers(0, 1000)
samples = st.builds(
    Sample,
    at=st.integers(0, 5000).map(float),
    cluster_size=numbers,
    heal_pending=numbers,
    load1=st.none() | st.floats(0, 100),
)
few = settings(max_examples=30)
histories = st.lists(samples, max_size=40).map(lambda found: sorted(found, key=lambda s: s.at))


def test_a_slice_keeps_the_worst_of_each_number() -> None:
    calm = Sample(60.0, cluster_size=3, load1=0.5)
    bad = Sample(70.0, cluster_size=2, load1=9.0, heal_pending=4)
    (kept,) = thinned([calm, bad], 60)
    assert (kept.at, kept.cluster_size, kept.load1, kept.heal_pending) == (60, 2, 9.0, 4)


@few
@given(histories, st.sampled_from((10, 60, 900)))
def test_every_slice_begins_at_its_own_time_and_comes_once(found: list[Sample], step: int) -> None:
    kept = thinned(found, step)
    assert [s.at for s in kept] == sorted({slice_of(s.at, step) for s in found})


@few
@given(histories, st.integers(0, 40))
def test_a_slice_may_be_merged_in_pieces(found: list[Sample], cut: int) -> None:
    whole = {s.at: s for s in thinned(found, 60)}
    pieces: dict[float, Sample] = {}
    for sample in [*thinned(found[:cut], 60), *thinned(found[cut:], 60)]:
        known = pieces.get(sample.at)
        pieces[sample.at] = worse(known, sample) if known else sample
    assert pieces == whole


@few
@given(histories)
def test_merging_again_changes_nothing(found: list[Sample]) -> None:
    once = thinned(found, 60)
    assert thinned(once, 60) == once
    assert thinned([*once, *once], 60) == once


@few
@given(histories, st.integers(2, 50))
def test_a_chart_gets_no_more_points_than_it_asked_for(found: list[Sample], points: int) -> None:
    unique = [next(group) for _, group in itertools.groupby(found, key=lambda s: s.at)]
    assert len(at_most(unique, points, 10)) <= points
