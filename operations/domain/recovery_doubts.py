"""Why a cluster cannot be brought back now. Each function answers with a doubt, or None.

What would be lost by going on is in recovery_losses.py. Lost data of other tools is behind most of
these rules (mariadb-operator #1701, #1626; kubeblocks-addons #3144; kolla LP#1682153).
"""

from __future__ import annotations

from collections.abc import Sequence

from nodes.domain.text import Text, say
from operations.domain.recovery_choice import Acceptance, Doubt, Ledger, hosts_of
from operations.domain.recovery_evidence import Evidence, Found, Life, NodeEvidence


def two_primaries(evidence: Evidence) -> Doubt | None:
    """Two clusters at once: whichever is stopped loses what it took since (law 10)."""
    groups: dict[str, list[str]] = {}
    for node in evidence.living(Life.PRIMARY):
        groups.setdefault(node.component, []).append(node.host)
    if len(groups) < 2:
        return None
    named = " | ".join(", ".join(hosts) for hosts in groups.values())
    why = say("Two Primary components run at the same time: %(groups)s.", groups=named)
    fix = say(
        "Decide by hand whose data is right. Take a backup of both, stop mariadb on the servers of"
        " the other one, then look again."
    )
    return Doubt("two_primaries", why, fix, {"views": groups})


def silent(evidence: Evidence, ledger: Ledger) -> Doubt | None:
    """Unknown is not absent: it may run, and it may know more (kubeblocks-addons #3144)."""
    for node in evidence.living(Life.SILENT):
        why = say("%(host)s could not be asked: %(why)s", host=node.host, why=node.why or "")
        fix = say(
            "Bring %(host)s back and look again. If that is impossible, make sure that it is off.",
            host=node.host,
        )
        seen = node.seen.position if node.seen else say("never")
        loss = say(
            "%(host)s is off or cut off, and what only it has is given up. Last seen there:"
            " %(seen)s.",
            host=node.host,
            seen=seen,
        )
        accept = Acceptance(f"silent:{node.host}", loss)
        if doubt := ledger.doubt("node_unknown", why, fix, accept, node=node.host):
            return doubt
    return None


def standalone(evidence: Evidence) -> Doubt | None:
    alone = evidence.living(Life.STANDALONE)
    if not alone:
        return None
    why = say("%(hosts)s runs a database of its own, without Galera.", hosts=hosts_of(alone))
    fix = say("Set wsrep_on there and stop it, or install Galera; then look again.")
    return Doubt("standalone", why, fix, {"nodes": [node.host for node in alone]})


def busy(evidence: Evidence) -> Doubt | None:
    coming = evidence.living(Life.STARTING)
    if not coming:
        return None
    why = say("%(hosts)s is starting and may be receiving its data.", hosts=hosts_of(coming))
    fix = say("Wait until it is Synced: only one server may join at a time. Then look again.")
    return Doubt("joining", why, fix, {"nodes": [node.host for node in coming]})


def nothing_to_start(evidence: Evidence) -> Doubt | None:
    if evidence.living(Life.STOPPED):
        return None
    members = evidence.living(Life.PRIMARY)
    why = say("No server that can be asked is stopped: %(hosts)s run.", hosts=hosts_of(members))
    fix = say("Nothing has to be recovered; the dashboard says what else there is.")
    return Doubt("nothing_to_do", why, fix, {"members": [node.host for node in members]})


def unread(nodes: Sequence[NodeEvidence]) -> Doubt | None:
    """A file is not a position: it must have been recovered since the last start."""
    unknown = [node for node in nodes if node.found is Found.NOT_READ]
    if not unknown:
        return None
    why = say("How far %(hosts)s got is not known yet.", hosts=hosts_of(unknown))
    fix = say("Take the positions first: that stops what still tries to start, and reads them.")
    return Doubt("positions_unknown", why, fix, {"nodes": [node.host for node in unknown]})


def unrecovered(nodes: Sequence[NodeEvidence], ledger: Ledger) -> Doubt | None:
    for node in nodes:
        if node.found not in (Found.FAILED, Found.PREPARED):
            continue
        why = say(
            "%(host)s could not say how far it got: %(said)s", host=node.host, said=node.said or "—"
        )
        loss = say(
            "Nobody knows how far %(host)s got. It receives a full copy, and what only it has is"
            " lost.",
            host=node.host,
        )
        accept = Acceptance(f"unread:{node.host}", loss)
        fix = _mend(node)
        if doubt := ledger.doubt("position_unread", why, fix, accept, node=node.host):
            return doubt
    return None


def _mend(node: NodeEvidence) -> Text:
    if node.found is Found.PREPARED:
        return say(
            "On %(host)s: mysqld --user=mysql --tc-heuristic-recover=rollback, then take the"
            " positions again. It gives up the transactions that were only prepared.",
            host=node.host,
        )
    return say(
        "Look at journalctl -u mariadb on %(host)s, put it right, then take the positions again.",
        host=node.host,
    )


def nothing_to_recover(evidence: Evidence) -> Doubt | None:
    if any(node.holds for node in evidence.nodes):
        return None
    why = say("No server that can be asked has data of a cluster.")
    fix = say("Restore a backup on the primary and install Galera again.")
    return Doubt("nothing_to_recover", why, fix, {"nodes": [n.host for n in evidence.nodes]})


def no_whole_source(group: Sequence[NodeEvidence]) -> Doubt:
    why = say(
        "%(hosts)s: each one crashed inside of a change of tables or of a copy; their files say"
        " that the data is not whole.",
        hosts=hosts_of(group),
    )
    fix = say(
        "Restore a backup, or look at the data by hand and write the UUID into grastate.dat where"
        " it is right; then take the positions again."
    )
    return Doubt("no_whole_source", why, fix, {"nodes": [f"{n.host} {n.holds}" for n in group]})


def stop_first(evidence: Evidence, chosen: NodeEvidence) -> Doubt | None:
    """A bootstrap while another server runs makes two clusters (C1 case 9)."""
    if chosen.life is Life.NON_PRIMARY:
        running = [
            node
            for node in evidence.living(Life.NON_PRIMARY)
            if node.holds is None or chosen.holds is None or node.holds.uuid != chosen.holds.uuid
        ]
    else:
        running = list(evidence.living(Life.NON_PRIMARY))
    if not running:
        return None
    why = say(
        "%(host)s has more than %(hosts)s, which still runs without a majority.",
        host=chosen.host,
        hosts=hosts_of(running),
    )
    fix = say("Take the positions once more and stop every server for it.")
    return Doubt("stop_first", why, fix, {"nodes": [node.host for node in running]})


def damaged(evidence: Evidence) -> bool:
    """Something that a common start would make worse: a half copy, an empty gvwstate.dat."""
    return any(n.copying or (n.last_view is not None and n.last_view.empty) for n in evidence.nodes)
