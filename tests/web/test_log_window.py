"""The log over HTTP: windows by line number, the whole as text, search."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from operations.models import Run
from tests.web.made import happened, made_run, printed

pytestmark = pytest.mark.django_db
STEP = "galera-2-node2"


@pytest.fixture
def run(db: None) -> Run:
    made = made_run("failed", ["succeeded", "failed", "pending"])
    printed(made, "galera-1-node1", b"one\ntwo\n")
    happened(made, type="step", step=STEP, node="node2", state="running", attempt=1)
    printed(made, STEP, b"three\n\x1b[31mERR\x1b[0mOR: Cannot start\n\xff\xfe last without newline")
    return made


def got(client: Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def whole(client: Client, path: str) -> bytes:
    answer = client.get(path)
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_a_window_begins_behind_the_line_that_is_named(signed_in: Client, run: Run) -> None:
    lines = got(signed_in, f"/runs/{run.pk}/log/?after=1&limit=2")["lines"]
    assert [line["n"] for line in lines] == [2, 3]
    assert lines[0] | {"at": ""} == {
        "n": 2,
        "kind": "output",
        "step": "galera-1-node1",
        "node": "node1",
        "at": "",
        "text": "two",
    }
    assert lines[1]["text"] == "Started: node2 joins the cluster."


def test_lines_far_apart_come_in_one_answer(signed_in: Client, run: Run) -> None:
    lines = got(signed_in, f"/runs/{run.pk}/log/?lines=2,5,x,99,-1")["lines"]
    assert [line["n"] for line in lines] == [2, 5]


def test_nonsense_in_the_query_counts_as_not_given(signed_in: Client, run: Run) -> None:
    assert len(got(signed_in, f"/runs/{run.pk}/log/?after=x&limit=-3")["lines"]) == 0
    assert len(got(signed_in, f"/runs/{run.pk}/log/?after=&limit=y")["lines"]) == 6


def test_a_line_too_long_for_a_page_is_cut_and_says_so(signed_in: Client, run: Run) -> None:
    last = printed(run, STEP, b"\n" + b"x" * 9000 + b"\n")
    line = got(signed_in, f"/runs/{run.pk}/log/?after={last - 1}")["lines"][0]
    assert len(line["text"]) == 4000
    assert line["cut"] == 9000


def test_the_log_of_a_step_is_its_bytes_and_nothing_else(signed_in: Client, run: Run) -> None:
    body = whole(signed_in, f"/runs/{run.pk}/log.txt?step={STEP}")
    assert body == b"three\n\x1b[31mERR\x1b[0mOR: Cannot start\n\xff\xfe last without newline"
    assert signed_in.get(f"/runs/{run.pk}/log.txt?step=nothing").status_code == 404


def test_the_whole_log_names_every_step_and_attempt(signed_in: Client, run: Run) -> None:
    assert whole(signed_in, f"/runs/{run.pk}/log.txt") == (
        b"==> galera-1-node1 on node1, attempt 1\none\ntwo\n"
        b"==> galera-2-node2 on node2, attempt 1\nthree\n\x1b[31mERR\x1b[0mOR: Cannot start\n"
        b"\xff\xfe last without newline\n"
    )


def test_search_looks_through_colours_and_case(signed_in: Client, run: Run) -> None:
    assert got(signed_in, f"/runs/{run.pk}/search/?q=error: cannot")["numbers"] == [5]
    assert got(signed_in, f"/runs/{run.pk}/search/?q=nowhere")["numbers"] == []
    assert got(signed_in, f"/runs/{run.pk}/search/?q=")["numbers"] == []


def test_the_first_error_is_looked_for_in_the_failed_step(signed_in: Client, run: Run) -> None:
    assert got(signed_in, f"/runs/{run.pk}/first-error/")["line"] == 5
