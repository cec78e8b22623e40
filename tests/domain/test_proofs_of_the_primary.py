"""Proofs of a change of the primary: an able server, one mind everywhere, workers stopped or running."""

from __future__ import annotations

from typing import Any

import pytest

from nodes.domain.text import say
from operations.domain.proofs import Holds, Never, NotYet, Verdict
from tests.domain.test_proofs import ONE, SILENT, THREE, TWO, on, out, status

ENV = "/app/.env"
ABLE = "fstype=fuse.glusterfs\ncontent=1700000000.5\n"


def able(answer: Any) -> Verdict:
    return on({TWO: answer}, "primary_able", TWO, "/storage")


def both(galera: Any, mount: str = ABLE, code: int = 0, err: str = "") -> Any:
    return out(galera.stdout.decode().replace("\t", "=") + mount, code, err)


def test_an_able_server_is_synced_and_its_storage_takes_a_file() -> None:
    assert isinstance(able(both(status())), Holds)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (both(status(wsrep_cluster_status="non-Primary")), "expected Primary"),
        (both(status(wsrep_local_state="2", wsrep_local_state_comment="Donor")), "Donor"),
        (both(status(wsrep_ready="OFF")), "expected Synced"),
        (out(ABLE), "wsrep_cluster_status is —"),
        (both(status(), "fstype=\n"), "not a GlusterFS mount"),
        (both(status(), "fstype=fuse.glusterfs\ncontent=\n"), "cannot read back"),
        (both(status(), "fstype=fuse.glusterfs\n", 5, "not within 10 s"), "not within 10 s"),
        (SILENT, "did not answer"),
    ],
)
def test_anything_less_is_not_yet(answer: Any, words: str) -> None:
    verdict = able(answer)
    assert isinstance(verdict, NotYet)
    assert words in str(verdict.sentence)


def named(value: str) -> Any:
    return out(f"CLUSTER_PRIMARY_HOST={value}\n")


def agreed(first: Any, second: Any, third: Any, *hosts: str) -> Verdict:
    answers = {ONE: first, TWO: second, THREE: third}
    return on(answers, "primary_agreed", ENV, TWO, *(hosts or (ONE, TWO, THREE)))


def test_every_server_names_the_same_one() -> None:
    verdict = agreed(named(TWO), named(TWO), named(f'"{TWO}"'))
    assert isinstance(verdict, Holds)
    assert verdict.evidence == {"primary": TWO, "agreed": [ONE, TWO, THREE]}


@pytest.mark.parametrize("wrong", [named(ONE), named(""), out(""), out("", 3, "gone"), SILENT])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_that_differs_or_is_silent_is_no_agreement(wrong: Any, place: int) -> None:
    answers = [named(TWO)] * 3
    answers[place] = wrong
    assert isinstance(agreed(*answers), NotYet)


def test_a_fenced_server_may_be_silent_but_must_not_disagree() -> None:
    fenced = (f"{ONE}?", TWO, THREE)
    verdict = agreed(SILENT, named(TWO), named(TWO), *fenced)
    assert isinstance(verdict, Holds)
    assert verdict.evidence["agreed"] == [TWO, THREE]
    back = agreed(named(ONE), named(TWO), named(TWO), *fenced)
    assert isinstance(back, NotYet)
    assert "pending fence" in str(back.sentence)
    assert isinstance(agreed(named(TWO), named(TWO), named(TWO), *fenced), Holds)


def test_silence_of_all_fenced_ones_is_no_agreement() -> None:
    assert isinstance(
        agreed(SILENT, SILENT, SILENT, f"{ONE}?", f"{TWO}?", f"{THREE}?"),
        NotYet,
    )


def test_a_line_that_stands_twice_is_never() -> None:
    twice = out(f"CLUSTER_PRIMARY_HOST={TWO}\nCLUSTER_PRIMARY_HOST={ONE}\n")
    assert isinstance(agreed(twice, named(TWO), named(TWO)), Never)


@pytest.mark.parametrize(
    ("code", "stopped", "running"),
    [("code=0\n", NotYet, Holds), ("code=3\n", Holds, NotYet), ("code=1\n", Holds, NotYet)],
)
def test_the_workers_run_as_their_check_says(code: str, stopped: type, running: type) -> None:
    answers = {TWO: out(code)}
    assert isinstance(on(answers, "workers_stopped", TWO, "check"), stopped)
    assert isinstance(on(answers, "workers_running", TWO, "check"), running)


@pytest.mark.parametrize("name", ["workers_stopped", "workers_running"])
def test_a_check_that_cannot_be_run_proves_nothing(name: str) -> None:
    missing = out("code=127\n", 1, "sh: supervisorctl: not found")
    verdict = on({TWO: missing}, name, TWO, "check")
    assert isinstance(verdict, NotYet)
    assert "not found" in str(verdict.sentence)
    assert on({TWO: say("cut")}, name, TWO, "check") == NotYet(say("cut"))
