"""Makes the evidence out of what was read: the sweep, the traces on the disks, and the panel's memory."""

from __future__ import annotations

from dataclasses import replace

from nodes.domain.observation import GaleraFacts, Grastate, NodeFacts, SeenPosition, Unknown
from nodes.domain.text import Text, say
from nodes.domain.traces import Kept, Traces
from nodes.domain.view import Member, View
from operations.domain.recovery_evidence import (
    Evidence,
    Found,
    Life,
    NodeEvidence,
    Position,
    Seen,
)
from operations.domain.situation import Situation

_NO_SOCKET = "ERROR 2002"  # the client's "cannot connect through the socket"
NOT_TRACED = Unknown(say("Its files were not read."))


def evidence_of(situation: Situation) -> Evidence:
    """Of every server of the Galera list, in its order."""
    view = View(situation.settings, situation.facts, situation.now)
    components = {
        host: str(number)
        for number, group in enumerate(view.primary_groups(), start=1)
        for host in group
    }
    nodes = tuple(
        _node(
            member,
            situation.traces.get(member.host, NOT_TRACED),
            situation.seen.get(member.host),
            components.get(member.host, ""),
        )
        for member in view.galera
    )
    return Evidence(nodes, situation.primary)


def _node(
    member: Member, traces: Traces | Unknown, seen: SeenPosition | None, component: str
) -> NodeEvidence:
    node, life = member.node, _life(member, traces)
    remembered = Seen(Position(seen.seqno, seen.uuid), seen.at) if seen else None
    blank = NodeEvidence(member.host, life, seen=remembered, component=component)
    if life is Life.SILENT or isinstance(traces, Unknown):
        return replace(blank, life=Life.SILENT, why=_why(member, traces))
    kept = traces.current if life is Life.STOPPED else None
    found, position = _recovered(kept) if life is Life.STOPPED else _told(member)
    return replace(
        blank,
        found=found,
        position=position,
        grastate=node.grastate if isinstance(node.grastate, Grastate) else None,
        last_view=traces.last_view,
        copying=_copying(node, life),
        bootstrap_marker=node.bootstrap_marker if isinstance(node.bootstrap_marker, str) else "",
        socket=member.unit("mariadb.socket") == "active",
        unit=member.unit("mariadb"),
        mark=traces.mark,
        read_at=kept.at if kept else node.taken_at,
        said=kept.said if kept else "",
    )


def _life(member: Member, traces: Traces | Unknown) -> Life:
    """Whoever runs without SQL is starting; what cannot be read at all is nobody's guess."""
    if member.node.ssh is not True or isinstance(traces, Unknown):
        return Life.SILENT
    if member.stopped:
        # The file and a left marker are what a plan depends on (law 9).
        needed = (member.node.grastate, member.node.bootstrap_marker, member.node.transfer)
        unread = any(isinstance(fact, Unknown) for fact in needed)
        return Life.SILENT if unread else Life.STOPPED
    status = member.status
    if status is None:
        return Life.STARTING if _runs(member) else Life.SILENT
    if not status.wsrep_on:
        return Life.STANDALONE
    if not member.member:
        return Life.NON_PRIMARY
    return Life.PRIMARY if status.local_state in (2, 4) else Life.STARTING


def _runs(member: Member) -> bool:
    """Certain that it only starts: nobody listens for SQL yet. One that runs and refuses the question
    may be anything, also Primary."""
    waits = member.node.mysqld_running is True or member.unit("mariadb") == "activating"
    return waits and _NO_SOCKET in getattr(member.node.galera, "raw", "")


def _why(member: Member, traces: Traces | Unknown) -> Text:
    unread = (
        member.node.ssh,
        traces,
        member.node.units,
        member.node.mysqld_running,
        member.node.grastate,
        member.node.bootstrap_marker,
        member.node.transfer,
    )
    reason = next((fact.why for fact in unread if isinstance(fact, Unknown)), None)
    return reason or member.reason


def _told(member: Member) -> tuple[Found, Position | None]:
    """What a running server says of itself, if it answers."""
    position = _of_status(member.status) if member.status else None
    return (Found.READ, position) if position else (Found.NOT_READ, None)


def _recovered(kept: Kept | None) -> tuple[Found, Position | None]:
    if kept is None:
        return Found.NOT_READ, None
    if kept.found != Found.READ:
        return Found(kept.found), None
    position = _of_text(kept.position)
    real = position is not None and position.real
    return (Found.READ, position) if real else (Found.NOT_READ, None)


def _of_status(status: GaleraFacts) -> Position | None:
    uuid = status.raw.get("wsrep_local_state_uuid", "") or status.cluster_uuid
    if status.seqno is None:
        return None
    position = Position(status.seqno, uuid.lower())
    return position if position.real else None


def _of_text(text: str) -> Position | None:
    """ "UUID:number"; with wsrep_gtid_mode more follows a comma."""
    uuid, _, number = text.split(",")[0].rpartition(":")
    digits = number.removeprefix("-")
    return Position(int(number), uuid.lower()) if digits.isdecimal() and uuid else None


def _copying(node: NodeFacts, life: Life) -> bool:
    """The marker of a copy on a server that does not run: the copy did not end."""
    role = getattr(node.transfer, "role", "")
    return life is Life.STOPPED and role == "joiner"
