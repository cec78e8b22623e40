"""Evidence in words, so that a golden case of the recovery is a few lines of data.

A node is a list of words, `"stopped; at 22; flag"`; each bends what is known of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from nodes.domain.observation import Grastate
from nodes.domain.text import say
from nodes.domain.traces import LastView
from operations.domain.recovery_evidence import (
    NULL_UUID,
    Evidence,
    Found,
    Life,
    NodeEvidence,
    Position,
    Seen,
)

UUIDS = {
    "A": "aaaaaaaa-0000-11f1-8000-000000000001",
    "B": "bbbbbbbb-0000-11f1-8000-000000000002",
    "null": NULL_UUID,
}
HOSTS = ("n1", "n2", "n3")
MEMBERS = {"n1": "m1", "n2": "m2", "n3": "m3"}


def _state(node: NodeEvidence, **changes: Any) -> NodeEvidence:
    state = node.grastate or Grastate(True, UUIDS["A"], None, False)
    return replace(node, grastate=replace(state, **changes))


def _at(node: NodeEvidence, seqno: str, name: str = "A") -> NodeEvidence:
    position = Position(int(seqno), UUIDS[name])
    read = replace(node, found=Found.READ, position=position)
    return _state(read, uuid=UUIDS[name])


def _clean(node: NodeEvidence) -> NodeEvidence:
    assert node.position
    return _state(node, seqno=node.position.seqno)


def _view(node: NodeEvidence, view: str, *hosts: str) -> NodeEvidence:
    members = frozenset(MEMBERS[host] for host in hosts or HOSTS)
    return replace(node, last_view=LastView(MEMBERS[node.host], view, members))


def _life(life: Life) -> Callable[[NodeEvidence], NodeEvidence]:
    return lambda node: replace(node, life=life)


WORDS: Mapping[str, Callable[..., NodeEvidence]] = {
    **{life.value: _life(life) for life in Life},
    "silent": lambda n: replace(n, life=Life.SILENT, why=say("It did not answer.")),
    "primary": lambda n, component="1": replace(n, life=Life.PRIMARY, component=component),
    "at": _at,
    "clean": _clean,
    "flag": lambda n: _state(n, safe_to_bootstrap=True),
    "file-says": lambda n, number: _state(n, seqno=int(number)),
    "null-file": lambda n: _state(n, uuid=NULL_UUID),
    "no-file": lambda n: replace(n, grastate=Grastate(False)),
    "nothing": lambda n: replace(n, found=Found.NOTHING, grastate=Grastate(False)),
    "failed": lambda n: replace(n, found=Found.FAILED, said="InnoDB: corrupted page"),
    "prepared": lambda n: replace(n, found=Found.PREPARED, said="Found 1 prepared transactions!"),
    "view": _view,
    "empty-view": lambda n: replace(n, last_view=LastView()),
    "copying": lambda n: replace(n, copying=True),
    "marker": lambda n: replace(n, bootstrap_marker="_WSREP_NEW_CLUSTER"),
    "socket": lambda n: replace(n, socket=True),
    "seen": lambda n, seqno, name="A", at="1": replace(
        n, seen=Seen(Position(int(seqno), UUIDS[name]), float(at))
    ),
}


def node(host: str, words: str) -> NodeEvidence:
    found = NodeEvidence(host, Life.STOPPED)
    for word in filter(None, (word.strip() for word in words.split(";"))):
        name, *args = word.split()
        found = WORDS[name](found, *args)
    return found


def evidence(case: Mapping[str, Any]) -> Evidence:
    """Nodes n1, n2, n3 with the words of the case; the primary of the settings is n1."""
    hosts = case.get("hosts", HOSTS)
    nodes = tuple(node(host, case.get(host, case.get("all", ""))) for host in hosts)
    return Evidence(nodes, case.get("primary", "n1"))
