"""What the observation means: one state, one sentence, one next action. Total; never raises."""

from __future__ import annotations

from dataclasses import dataclass

from nodes.domain.text import Text


@dataclass(frozen=True)
class Verdict:
    """`tolerates`: how many more servers may fail; `age_s`: of the oldest answer; None: not known."""

    state: str
    sentence: Text
    action: Text | None = None
    tolerates: int | None = None
    age_s: float | None = None
