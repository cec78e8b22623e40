"""From results to the rows of docs/reliability.md."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from chaos.campaign import Outcome
from chaos.report import Row
from chaos.task import CANCEL

Results = Sequence[Mapping[str, Any]]

HEAD = (
    "killed",
    "where",
    "times",
    "ended with the truth",
    "every job started once",
    "journal = node's log",
    "slowest attached again",
)
CANCEL_HEAD = (
    "cancelled",
    "times",
    "ended with the truth",
    "no process left",
    "journal = node's log",
)
AGAIN_HEAD = ("where", "kills that hit", "p50", "p95", "max", "said on the page")
AGAIN_S = 10.0  # the promise


def kills(outcomes: Sequence[Outcome]) -> list[Row]:
    """A row for each place and victim."""
    rows: list[Row] = []
    for outcome in outcomes:
        for victim in dict.fromkeys(outcome.campaign.victims):
            found = [result for result in outcome.results if result["victim"] == victim]
            if victim != CANCEL and found:
                rows.append(_kill(victim, outcome.campaign.where, found))
    return rows


def _kill(victim: str, where: str, found: Results) -> Row:
    slowest = max(_attached(found), default=None)
    return (
        victim,
        where,
        str(len(found)),
        *(_without(found, kind) for kind in ("truth", "once", "log")),
        "–" if slowest is None else f"{slowest:.1f} s",
    )


def cancels(outcomes: Sequence[Outcome]) -> list[Row]:
    rows: list[Row] = []
    for outcome in outcomes:
        found = [result for result in outcome.results if result["victim"] == CANCEL]
        if found:
            good = (_without(found, kind) for kind in ("truth", "left", "log"))
            rows.append((outcome.campaign.where, str(len(found)), *good))
    return rows


def again(outcomes: Sequence[Outcome]) -> list[Row]:
    """How long a running job had nobody who followed it."""
    rows: list[Row] = []
    for outcome in outcomes:
        times = sorted(_attached(outcome.results))
        if times:
            said = _without([r for r in outcome.results if r["attached_s"] is not None], "said")
            quantiles = (
                statistics.quantiles(times, n=20, method="inclusive")
                if len(times) > 1
                else times * 19
            )
            figures = (statistics.median(times), quantiles[18], times[-1])
            seconds = (f"{each:.1f} s" for each in figures)
            rows.append((outcome.campaign.where, str(len(times)), *seconds, said))
    return rows


def _attached(found: Results) -> list[float]:
    return [result["attached_s"] for result in found if result["attached_s"] is not None]


def _without(found: Results, kind: str) -> str:
    """How many of them have no complaint of the kind."""
    good = sum(all(each != kind for each, _ in result["complaints"]) for result in found)
    return f"{good} of {len(found)}"


def untrue(outcomes: Sequence[Outcome]) -> list[str]:
    """Everything that was not as it must be, whenever it happened."""
    found: list[str] = []
    for outcome in outcomes:
        where = outcome.campaign.where
        found += [f"{where}: {failure}" for failure in outcome.failures]
        for result in outcome.results:
            which = f"{where}: trial {result['number']}, {result['victim']} at {result['point']}"
            found += [f"{which}: {kind}: {text}" for kind, text in result["complaints"]]
    return found


def late(outcomes: Sequence[Outcome]) -> list[str]:
    """Where another worker came too late."""
    found = []
    for outcome in outcomes:
        times = [seconds for seconds in _attached(outcome.results) if seconds > AGAIN_S]
        if times:
            text = (
                f"{len(times)} times attached again after {AGAIN_S:.0f} s, up to {max(times):.1f} s"
            )
            found.append(f"{outcome.campaign.where}: {text}")
    return found
