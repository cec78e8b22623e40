"""History that stays small: raw for an hour, by minutes for a day, by quarters of an hour for a month.

Slices of one level are merged into a longer slice of the next by keeping the worst value of each
number. Worst-of is associative and may be done twice without harm, so that a slice can be merged
in any number of pieces, and a crash between two pieces changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from nodes.domain.observation import Sample

_LOW_IS_WORSE = frozenset({"cluster_size"})
NUMBERS = tuple(f.name for f in fields(Sample)[1:])  # what stands after `at`, in its order


@dataclass(frozen=True)
class Level:
    """Slices of `step_s` seconds, kept for `keep_s` seconds."""

    step_s: int
    keep_s: float


def slice_of(at: float, step_s: int) -> int:
    """The beginning of the slice that a moment lies in."""
    return int(at // step_s) * step_s


def worse(a: Sample, b: Sample) -> Sample:
    """The worst of both for each number, at the moment of the first."""
    merged: dict[str, Any] = {
        name: _worse(name, getattr(a, name), getattr(b, name)) for name in NUMBERS
    }
    return replace(a, **merged)


def _worse(name: str, a: float | None, b: float | None) -> float | None:
    if a is None or b is None:
        return b if a is None else a
    return min(a, b) if name in _LOW_IS_WORSE else max(a, b)


def thinned(samples: Iterable[Sample], step_s: int) -> list[Sample]:
    """Samples of one node by slices of `step_s` seconds, oldest first."""
    slices: dict[int, Sample] = {}
    for sample in samples:
        at = slice_of(sample.at, step_s)
        known = slices.get(at)
        slices[at] = worse(known, sample) if known else replace(sample, at=at)
    return [slices[at] for at in sorted(slices)]


def at_most(samples: Sequence[Sample], points: int, step_s: int) -> list[Sample]:
    """No more than `points` (two or more) samples of the same stretch of time, on slices that begin at round
    times, so that a chart does not dance when it is drawn again a moment later."""
    if len(samples) <= points:
        return list(samples)
    span = samples[-1].at - samples[0].at
    factor = max(1, -(-int(span) // (step_s * (points - 1))))
    return thinned(samples, step_s * factor)
