"""Search over a whole log: right with colours, bad bytes, any case, progress bars, and many finds."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from operations import log_search
from operations.models import Run
from tests.web.made import happened, made_run, printed

pytestmark = pytest.mark.django_db
STEP = "galera-2-node2"
ODD = (
    "Пара узлов: «ОШИБКА» связи\n"  # 1
    "con\x1b[1mnec\x1b[0mted\n"  # 2
    "copied 10 %\rcopied 99 %\rcopied 100 %\n"  # 3
    "plain CONNECTED\r\n"  # 4
).encode() + b"\xff\xfe conNected \x9b\n"  # 5


@pytest.fixture
def run(db: None) -> Run:
    made = made_run("running", ["succeeded", "running", "pending"])
    printed(made, STEP, ODD)
    return made


def found(client: Client, run: Run, query: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"/runs/{run.pk}/search/?{query}").json()
    return answer


@pytest.mark.parametrize(
    ("needle", "lines"),
    [
        ("Connected", [2, 4, 5]),
        ("ошибка", [1]),
        ("«Ошибка» СВЯЗИ", [1]),
        ("copied 100", [3]),
        ("copied 99", []),  # written over: nobody sees it
        ("[1m", []),  # an escape is no text
        ("узел", []),
        ("", []),
    ],
)
def test_what_is_read_is_what_is_found(
    signed_in: Client, run: Run, needle: str, lines: list[int]
) -> None:
    answer = found(signed_in, run, f"q={needle}")
    assert answer == {"last": 5, "total": len(lines), "before": 0, "numbers": lines}


def test_an_answer_says_up_to_which_line_it_has_looked(signed_in: Client, run: Run) -> None:
    happened(run, type="step", step=STEP, node="node2", state="running", attempt=2)
    assert found(signed_in, run, "q=connected")["last"] == 6


def test_lines_that_come_while_the_server_looks_are_left_for_the_page(run: Run) -> None:
    known = Run.objects.get(pk=run.pk)
    printed(run, STEP, b"connected too late\n")
    answer = log_search.containing(known, "connected")
    assert (answer.last, answer.numbers) == (5, [2, 4, 5])


def test_many_finds_are_counted_and_named_around_where_the_reader_is(
    signed_in: Client, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_search, "MOST", 30)
    monkeypatch.setattr(log_search, "BEHIND", 10)
    for _ in range(20):
        printed(run, STEP, b"hay\nneedle\nneedle and a needle\nhay\n")
    for near in (1, 50, 85, 2**31):
        answer = found(signed_in, run, f"q=needle&near={near}")
        everything = [n for n in range(6, 86) if n % 4 in (3, 0)]
        numbers = answer["numbers"]
        at = answer["before"]
        assert answer["total"] == len(everything) == 40
        assert numbers == everything[at : at + len(numbers)]
        assert {n for n in everything if near - 15 < n < near + 15} <= set(numbers)


def test_lines_of_a_level_are_found_like_words(signed_in: Client, run: Run) -> None:
    last = printed(run, STEP, b"0 errors\nfatal: no route\ndpkg: warning: old\n+ echo error\n")
    assert found(signed_in, run, "level=error")["numbers"] == [1, last - 2]
    assert found(signed_in, run, "level=warning")["numbers"] == [last - 1]
    assert found(signed_in, run, "level=nonsense")["numbers"] == []
    window = signed_in.get(f"/runs/{run.pk}/log/?after={last - 4}").json()["lines"]
    assert [line.get("level") for line in window] == [None, "error", "warning", None]


def test_the_log_of_a_run_that_goes_on_says_so_in_its_name(signed_in: Client, run: Run) -> None:
    def name() -> str:
        return str(signed_in.get(f"/runs/{run.pk}/log.txt").headers["Content-Disposition"])

    assert name().endswith(f"{run.pk}-so-far.log")
    Run.objects.filter(pk=run.pk).update(state="succeeded")
    assert name().endswith(f"{run.pk}.log")
