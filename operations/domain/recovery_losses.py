"""What would be lost. Each function answers with a doubt that names it, or None.

Positions of one UUID can be compared, those of two cannot; and what the panel itself has seen counts
as well as what lies on the disks.
"""

from __future__ import annotations

from collections.abc import Sequence

from nodes.domain.text import Text, say
from operations.domain.recovery_choice import Acceptance, Doubt, Ledger, hosts_of
from operations.domain.recovery_evidence import Evidence, NodeEvidence, Position


def one_history(evidence: Evidence, ledger: Ledger) -> str | Doubt:
    """The one UUID of all data; of several the one that a person chose."""
    groups: dict[str, list[NodeEvidence]] = {}
    for node in evidence.nodes:
        if node.holds:
            groups.setdefault(node.holds.uuid, []).append(node)
    if len(groups) == 1:
        return next(iter(groups))
    ways = {uuid: Acceptance(f"uuid:{uuid}", _kept(uuid, groups)) for uuid in groups}
    named = {uuid: [f"{n.host} {n.holds}" for n in nodes] for uuid, nodes in groups.items()}
    why = say(
        "The servers hold data of different clusters: %(groups)s. Their numbers cannot be compared.",
        groups=" | ".join(hosts_of(nodes) for nodes in groups.values()),
    )
    fix = say("Find out which data is right; the others are replaced as a whole.")
    doubt = ledger.doubt("uuids_differ", why, fix, *ways.values(), views=named)
    return doubt or next(uuid for uuid, way in ways.items() if way in ledger.used)


def _kept(uuid: str, groups: dict[str, list[NodeEvidence]]) -> Text:
    lost = [node for other, nodes in groups.items() if other != uuid for node in nodes]
    return say(
        "The data of %(kept)s (%(uuid)s) is kept. Everything on %(lost)s is replaced and lost.",
        kept=hosts_of(groups[uuid]),
        uuid=uuid,
        lost=hosts_of(lost),
    )


def not_of(first: NodeEvidence, nodes: Sequence[NodeEvidence], ledger: Ledger) -> Doubt | None:
    """A joiner of another history is replaced as a whole, silently."""
    assert first.holds is not None
    for node in nodes:
        if node.holds is None or node.holds.uuid == first.holds.uuid:
            continue
        why = say(
            "%(host)s holds data of another cluster (%(at)s). Joining would replace all of it.",
            host=node.host,
            at=node.holds,
        )
        fix = say("Keep a copy of it, or find out whether it is the data that is wanted.")
        loss = say("Everything on %(host)s (%(at)s) is lost.", host=node.host, at=node.holds)
        accept = Acceptance(f"foreign:{node.host}:{node.holds}", loss)
        if doubt := ledger.doubt("uuids_differ", why, fix, accept, node=node.host):
            return doubt
    return None


def ahead_of(first: NodeEvidence, nodes: Sequence[NodeEvidence], ledger: Ledger) -> Doubt | None:
    """Galera 26.4 no longer refuses a joiner that is ahead: it is overwritten."""
    for node in nodes:
        if doubt := _ahead(first, node, ledger, "ahead_of_primary"):
            return doubt
    return None


def damaged_ahead(
    chosen: NodeEvidence, group: Sequence[NodeEvidence], ledger: Ledger
) -> Doubt | None:
    """A node that may not be a source has more than the best one that may."""
    for node in group:
        if doubt := _ahead(chosen, node, ledger, "damaged_is_ahead"):
            return doubt
    return None


def _ahead(chosen: NodeEvidence, node: NodeEvidence, ledger: Ledger, code: str) -> Doubt | None:
    more = _more(node.holds, chosen)
    if not more:
        return None
    why = say(
        "%(host)s has %(more)s transactions more than %(chosen)s (%(at)s).",
        host=node.host,
        more=more,
        chosen=chosen.host,
        at=node.holds,
    )
    fix = say(
        "Keep a copy of the data of %(host)s and look what these transactions are.", host=node.host
    )
    loss = say(
        "%(more)s transactions that only %(host)s has, up to %(at)s, are lost.",
        more=more,
        host=node.host,
        at=node.holds,
    )
    return ledger.doubt(
        code, why, fix, Acceptance(f"ahead:{node.host}:{node.holds}", loss), node=node.host
    )


def _more(position: Position | None, chosen: NodeEvidence) -> int:
    """How many transactions a position of the same history is ahead; 0: it is not."""
    if position is None or chosen.holds is None or position.uuid != chosen.holds.uuid:
        return 0
    return max(0, position.seqno - chosen.holds.seqno)


def went_backwards(evidence: Evidence, chosen: NodeEvidence, ledger: Ledger) -> Doubt | None:
    """Less than the panel has seen (Percona operator, PR 2467)."""
    for node in evidence.nodes:
        if node.seen is None or not (more := _more(node.seen.position, chosen)):
            continue
        plain = {"host": node.host, "seen": node.seen.position, "more": more}
        loss = say("%(more)s transactions that %(host)s had at %(seen)s are lost.", **plain)
        why = say(
            "The panel has seen %(host)s at %(seen)s, but the most that is left is %(at)s on"
            " %(chosen)s: %(more)s transactions are missing.",
            **plain,
            at=chosen.holds,
            chosen=chosen.host,
        )
        fix = say("Find the server that had them, or the newest backup, before you start any.")
        accept = Acceptance(f"seen:{node.host}:{node.seen.position}", loss)
        if doubt := ledger.doubt("went_backwards", why, fix, accept, node=node.host):
            return doubt
    return None


def other_history_seen(evidence: Evidence, chosen: NodeEvidence, ledger: Ledger) -> Doubt | None:
    """What ran last, as the panel saw it, was another cluster than the one that is left."""
    seen = [node.seen for node in evidence.nodes if node.seen]
    last = max(seen, key=lambda each: each.at, default=None)
    if last is None or chosen.holds is None or last.position.uuid == chosen.holds.uuid:
        return None
    why = say(
        "The panel last saw the cluster %(seen)s, but the data that is left is %(at)s.",
        seen=last.position,
        at=chosen.holds,
    )
    fix = say("Find out which server has the data of %(seen)s.", seen=last.position.uuid)
    loss = say(
        "The data of the cluster %(seen)s is given up for that of %(at)s.",
        seen=last.position,
        at=chosen.holds,
    )
    accept = Acceptance(f"history:{last.position}", loss)
    return ledger.doubt("another_cluster_seen", why, fix, accept)
