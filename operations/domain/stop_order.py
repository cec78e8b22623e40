"""In which order a cluster was stopped, and who may begin it again (law 10).

The order is remembered twice: in the panel's own books (its runs) and by each server in one line,
with the position that a clean stop wrote. A server that ran since then shows another position, and
then the order proves nothing any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nodes.domain.observation import Grastate, NodeFacts, Unknown
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from nodes.domain.view import listed


@dataclass(frozen=True)
class StopNote:
    """What a server noted when it was stopped. `place` of `of`, from 1; `seqno` -1: not known."""

    run: str
    place: int
    of: int
    uuid: str = ""
    seqno: int = -1


@dataclass(frozen=True)
class First:
    """The server from which the cluster begins, at which position."""

    host: str
    uuid: str
    seqno: int
    order: tuple[str, ...]  # as they were stopped, the first to begin is the last


def note_of(node: NodeFacts) -> StopNote | None:
    """The note, or None: there is none, it is not whole, or it was not understood."""
    words = str(node.extra.get("stop_note", "")).split()
    told = dict(word.split("=", 1) for word in words if "=" in word)
    numbers = [told.get(name, "") for name in ("place", "of", "seqno")]
    if told.get("state") != "stopped" or not all(number.isdecimal() for number in numbers):
        return None
    place, of, seqno = map(int, numbers)
    return StopNote(told.get("run", ""), place, of, told.get("uuid", ""), seqno)


def remembered(nodes: Sequence[NodeFacts], book: Sequence[str]) -> tuple[str, ...] | Refusal:
    """The order in which all were stopped, the last one last; `book` is what the panel wrote."""
    hosts = {node.host for node in nodes}
    noted = _noted(nodes)
    written = tuple(book) if set(book) == hosts else ()
    if noted and written and noted != written:
        why = say(
            "The servers say they were stopped in the order %(noted)s, the panel's books say"
            " %(written)s.",
            noted=listed(noted),
            written=listed(written),
        )
        return _to_recovery("order_contradicts", why)
    if order := noted or written:
        return order
    why = say("Nobody remembers in which order the servers were stopped.")
    return _to_recovery("order_unknown", why)


def _noted(nodes: Sequence[NodeFacts]) -> tuple[str, ...]:
    notes = {node.host: note for node in nodes if (note := note_of(node))}
    places = {note.place: host for host, note in notes.items()}
    complete = sorted(places) == list(range(1, len(nodes) + 1))
    one_run = len({note.run for note in notes.values()}) == 1
    return tuple(places[place] for place in sorted(places)) if complete and one_run else ()


def first_to_start(nodes: Sequence[NodeFacts], book: Sequence[str]) -> First | Refusal:
    """The last one stopped, if every file on every server says the same. All must be stopped."""
    order = remembered(nodes, book)
    if isinstance(order, Refusal):
        return order
    states: dict[str, Grastate] = {}
    for node in nodes:
        if isinstance(node.grastate, Unknown):
            return _doubt(say("%(host)s: grastate.dat could not be read.", host=node.host))
        states[node.host] = node.grastate
    return _judged(nodes, order, states)


def _judged(
    nodes: Sequence[NodeFacts], order: tuple[str, ...], states: Mapping[str, Grastate]
) -> First | Refusal:
    doubts = (_position_doubt(node, states[node.host]) for node in nodes)
    if doubt := next((d for d in doubts if d), None) or _not_the_last(order[-1], states):
        return _doubt(doubt)
    state = states[order[-1]]
    return First(order[-1], state.uuid, state.seqno or 0, order)


def _not_the_last(last: str, states: Mapping[str, Grastate]) -> Text | None:
    """What speaks against the one that was remembered as the last."""
    if len({found.uuid.lower() for found in states.values()}) > 1:
        return say("The servers do not share one history: their UUIDs differ.")
    if states[last].safe_to_bootstrap is not True:
        return say(
            "%(host)s was stopped last, but safe_to_bootstrap is not 1 there: it was not alone when"
            " it stopped.",
            host=last,
        )
    flagged = [host for host, found in states.items() if found.safe_to_bootstrap is not False]
    if flagged != [last]:
        return say("safe_to_bootstrap is not 0 on more than one: %(on)s.", on=listed(flagged))
    best = states[last].seqno or 0
    ahead = [host for host, found in states.items() if (found.seqno or 0) > best]
    return say("%(ahead)s is ahead of %(host)s.", ahead=listed(ahead), host=last) if ahead else None


def _position_doubt(node: NodeFacts, state: Grastate) -> Text | None:
    """Why this server's position cannot be trusted."""
    if not state.present or state.seqno is None or not state.uuid.strip("0-"):
        return say(
            "%(host)s has no position in grastate.dat: it was not stopped in order, or was started"
            " since.",
            host=node.host,
        )
    note = note_of(node)
    if note and (note.uuid.lower(), note.seqno) != (state.uuid.lower(), state.seqno):
        return say(
            "%(host)s was stopped at %(noted)s and is at %(found)s now: it ran since.",
            host=node.host,
            noted=note.seqno,
            found=state.seqno,
        )
    return None


def _doubt(why: Text) -> Refusal:
    return _to_recovery("order_unproven", why)


def _to_recovery(code: str, why: Text) -> Refusal:
    fix = say("Recover Galera instead: it reads every server's position before it chooses.")
    return Refusal(code, why, fix, {"instead": "recover_galera"})
