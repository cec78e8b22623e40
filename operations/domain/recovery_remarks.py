"""What is known, is handled by the steps, and a person should have read before he starts them."""

from __future__ import annotations

from collections.abc import Iterator

from nodes.domain.text import Text, say
from operations.domain.recovery_evidence import NodeEvidence


def remarks(node: NodeEvidence) -> Iterator[Text]:
    yield from _left_over(node)
    yield from _files(node)


def _left_over(node: NodeEvidence) -> Iterator[Text]:
    if node.bootstrap_marker:
        yield say(
            "A bootstrap marker is left on %(host)s; it is taken away before anything starts.",
            host=node.host,
        )
    if node.socket:
        yield say("mariadb.socket is active on %(host)s; it is stopped first.", host=node.host)


def _files(node: NodeEvidence) -> Iterator[Text]:
    if node.last_view is not None and node.last_view.empty:
        yield say(
            "gvwstate.dat on %(host)s is empty, the server would not start with it; a copy is kept"
            " and the file is removed.",
            host=node.host,
        )
    if node.copying:
        yield say("A copy of all data to %(host)s did not end; it begins anew.", host=node.host)
    state, at = node.grastate, node.holds
    if state and at and state.seqno is not None and state.seqno != at.seqno:
        yield say(
            "%(host)s: grastate.dat says %(file)s, the data says %(at)s; the data counts.",
            host=node.host,
            file=state.seqno,
            at=at.seqno,
        )
