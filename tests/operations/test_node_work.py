"""What a node tells of the work on it, word for word, and that half an answer is no answer."""

from __future__ import annotations

import pytest

from nodes.history import NodeJob, NodeWork
from nodes.transport.base import TransportError
from operations.node_work import told

NONCE = "clusterpanel:abc:"


def said(*lines: str) -> bytes:
    return "".join(f"{NONCE}{line}\n" for line in lines).encode()


def test_a_free_node() -> None:
    assert told("n1", NONCE, b"Welcome\n" + said("END")) == NodeWork("n1")


def test_whose_run_and_what_it_does() -> None:
    work = told(
        "n1",
        NONCE,
        said(
            "OWNER r4n 2026-11-25T20:00:00Z 12",
            "PANEL the other panel",
            "USER Maria P.",
            "JOB r4n-galera-1-n1",
            "COMMAND exec sh /x/galera_setup.sh -a init_cluster",
            "LINE  two  blanks",
            "LINE",
            "END",
        ),
    )
    job = NodeJob("r4n-galera-1-n1", "sh /x/galera_setup.sh -a init_cluster", (" two  blanks", ""))
    assert work == NodeWork(
        "n1",
        panel="the other panel",
        run="r4n",
        user="Maria P.",
        since="2026-11-25T20:00:00Z",
        silent_s=12,
        jobs=(job,),
    )


def test_a_lock_whose_age_nobody_knows() -> None:
    assert told("n1", NONCE, said("OWNER r4n - -", "PANEL", "USER", "END")).silent_s is None


@pytest.mark.parametrize("answer", [b"", said("OWNER r4n - 3"), b"sh: not found\n"])
def test_half_an_answer_is_none(answer: bytes) -> None:
    with pytest.raises(TransportError):
        told("n1", NONCE, answer, b"No space left")
