"""The tables count what happened, and nothing that is not well is left out."""

from __future__ import annotations

from typing import Any

from chaos import tables
from chaos.campaign import Campaign, Outcome
from chaos.task import CANCEL, POINTS


def result(victim: str, *complaints: tuple[str, str], attached_s: float | None = None) -> Any:
    return {
        "number": 7,
        "victim": victim,
        "point": "end",
        "attached_s": attached_s,
        "complaints": [list(each) for each in complaints],
    }


def outcome(*results: Any, failures: tuple[str, ...] = ()) -> Outcome:
    victims = tuple(dict.fromkeys(each["victim"] for each in results))
    return Outcome(Campaign("some", "here", len(results), victims, POINTS), results, failures)


def test_a_row_counts_each_claim_by_itself() -> None:
    found = outcome(
        result("worker", attached_s=6.2),
        result("worker", ("log", "other bytes"), attached_s=7.25),
        result("web", ("truth", "a lie"), ("once", "twice")),
    )
    assert tables.kills([found]) == [
        ("worker", "here", "2", "2 of 2", "2 of 2", "1 of 2", "7.2 s"),
        ("web", "here", "1", "0 of 1", "0 of 1", "1 of 1", "–"),
    ]


def test_cancelled_runs_have_a_table_of_their_own() -> None:
    found = outcome(result(CANCEL), result(CANCEL, ("left", "one process")))
    assert tables.kills([found]) == []
    assert tables.cancels([found]) == [("here", "2", "2 of 2", "1 of 2", "2 of 2")]


def test_a_worker_that_comes_late_breaks_the_promise() -> None:
    found = outcome(result("worker", attached_s=9.9), result("worker", attached_s=10.1))
    assert tables.untrue([found]) == []
    assert tables.late([found]) == ["here: 1 times attached again after 10 s, up to 10.1 s"]
    assert tables.late([outcome(result("worker", attached_s=9.9))]) == []


def test_every_complaint_and_every_trial_that_was_not_done_is_named() -> None:
    found = outcome(result("web", ("log", "other bytes")), failures=("2 trials were not done",))
    assert tables.untrue([found]) == [
        "here: 2 trials were not done",
        "here: trial 7, web at end: log: other bytes",
    ]
