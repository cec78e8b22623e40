"""How a Galera cluster comes back: `decide(evidence, accepted) -> Choice | Doubt`, pure and total.

The first rule that applies:
 1. two Primary components: nothing is done
 2. one Primary component lives: only the others are started, never a bootstrap
 3. a node that nobody could ask: refused, since it may be the one that runs or knows more
 4. every gvwstate.dat tells of the same last Primary component: all are started together. They
    find each other by themselves and nothing can be lost (Galera documentation, pc-recovery.rst)
 5. the position of every stopped node must have been recovered; grastate.dat alone proves nothing
 6. one UUID: the node with the highest position, if its own files say that it is whole. It is
    bootstrapped; or, if it still runs without a majority, told to be Primary (quorum-reset.rst)
Whatever would lose a transaction that somebody is known to have is refused, and says what a person
would have to accept: recovery_doubts.py, recovery_losses.py.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nodes.domain.text import Text, say
from operations.domain import recovery_doubts as doubts
from operations.domain import recovery_losses as losses
from operations.domain.recovery_choice import Choice, Doubt, Fate, Kind, Ledger, hosts_of
from operations.domain.recovery_evidence import (
    Evidence,
    Found,
    Life,
    NodeEvidence,
    Position,
)
from operations.domain.recovery_remarks import remarks

STARTABLE = (Life.STOPPED, Life.STARTING)


def decide(evidence: Evidence, accepted: Collection[str] = ()) -> Choice | Doubt:
    """`accepted`: the tokens of the acceptances that a person gave (`Acceptance.token`)."""
    ledger = Ledger(accepted)
    if refusal := doubts.two_primaries(evidence):
        return refusal
    if evidence.living(Life.PRIMARY):
        return _join(evidence, ledger)
    if refusal := doubts.silent(evidence, ledger) or doubts.standalone(evidence):
        return refusal
    return _together(evidence) or _from_one(evidence, ledger)


def _join(evidence: Evidence, ledger: Ledger) -> Choice | Doubt:
    alive = evidence.living(Life.PRIMARY)
    first = max(alive, key=lambda node: (node.holds is not None, node.holds or Position(-1, "")))
    refusal = (
        doubts.busy(evidence)
        or doubts.nothing_to_start(evidence)
        or doubts.unread((first, *evidence.living(Life.STOPPED)))
        or doubts.unrecovered(evidence.living(Life.STOPPED), ledger)
        or losses.not_of(first, evidence.living(Life.STOPPED), ledger)
        or losses.ahead_of(first, evidence.living(Life.STOPPED), ledger)
    )
    if refusal:
        return refusal
    rule = say(
        "%(host)s is in a Primary component, so nothing is bootstrapped: the others join it.",
        host=first.host,
    )
    return _choice("join", first, evidence, rule, ledger)


def _together(evidence: Evidence) -> Choice | None:
    """All remember the same component, all its members are here, and it was not tried to death:
    once the positions were read, somebody has decided against waiting for it."""
    unread = [n for n in evidence.nodes if n.life in STARTABLE and n.found is Found.NOT_READ]
    views = {(n.last_view.view, n.last_view.members) for n in evidence.nodes if n.last_view}
    members = {n.last_view.member for n in evidence.nodes if n.last_view}
    agree = len(views) == 1 and all(n.last_view for n in evidence.nodes)
    if not (unread and agree and members == next(iter(views))[1]) or doubts.damaged(evidence):
        return None
    rule = say(
        "Every server remembers the same last Primary component (gvwstate.dat, view %(view)s) and"
        " all its members are here: started together they form it again by themselves. No data can"
        " be lost.",
        view=next(iter(views))[0],
    )
    hosts = _ordered(evidence, [n for n in evidence.nodes if n.life in STARTABLE])
    return Choice("together", "", None, rule, hosts, warnings=_warnings(evidence))


def _from_one(evidence: Evidence, ledger: Ledger) -> Choice | Doubt:
    stopped = evidence.living(Life.STOPPED)
    refusal = (
        doubts.unread(evidence.living(*STARTABLE, Life.NON_PRIMARY))
        or doubts.unrecovered(stopped, ledger)
        or doubts.nothing_to_recover(evidence)
    )
    if refusal:
        return refusal
    uuid = losses.one_history(evidence, ledger)
    if isinstance(uuid, Doubt):
        return uuid
    group = [node for node in evidence.nodes if node.holds and node.holds.uuid == uuid]
    whole = [node for node in group if node.whole]
    if not whole:
        return doubts.no_whole_source(group)
    return _crown(evidence, group, _best(whole), ledger)


def _best(whole: Sequence[NodeEvidence]) -> list[NodeEvidence]:
    top = max(_seqno(node) for node in whole)
    return [node for node in whole if _seqno(node) == top]


def _seqno(node: NodeEvidence) -> int:
    return node.holds.seqno if node.holds else -1


def _crown(
    evidence: Evidence, group: Sequence[NodeEvidence], best: list[NodeEvidence], ledger: Ledger
) -> Choice | Doubt:
    chosen, tie = _tie(evidence, best)
    refusal = (
        doubts.stop_first(evidence, chosen)
        or losses.damaged_ahead(chosen, group, ledger)
        or losses.went_backwards(evidence, chosen, ledger)
        or losses.other_history_seen(evidence, chosen, ledger)
    )
    if refusal:
        return refusal
    kind: Kind = "force_primary" if chosen.life is Life.NON_PRIMARY else "bootstrap"
    rule = say(
        "%(host)s has the highest position, %(seqno)s, within UUID %(uuid)s. %(tie)s",
        host=chosen.host,
        seqno=_seqno(chosen),
        uuid=chosen.holds.uuid if chosen.holds else "",
        tie=tie,
    )
    return _choice(kind, chosen, evidence, rule, ledger)


def _tie(evidence: Evidence, best: list[NodeEvidence]) -> tuple[NodeEvidence, Text]:
    """Among equals the data is the same; a running one keeps its cache, then the usual order."""
    if len(best) == 1:
        return best[0], say("No other server that can be started has as much.")
    flags = [node for node in best if node.flagged]
    names = hosts_of(best)
    tests = (
        (
            [n for n in best if n.life is Life.NON_PRIMARY],
            say("%(hosts)s are level; this one still runs.", hosts=names),
        ),
        (
            flags if len(flags) == 1 else [],
            say("%(hosts)s are level; this one has safe_to_bootstrap: 1.", hosts=names),
        ),
        (
            [n for n in best if n.clean],
            say("%(hosts)s are level; this one was stopped in order.", hosts=names),
        ),
    )
    for some, why in tests:
        if some:
            return _first(evidence, some), why
    why = say("%(hosts)s are level; the primary goes first, then the list.", hosts=names)
    return _first(evidence, best), why


def _first(evidence: Evidence, nodes: Sequence[NodeEvidence]) -> NodeEvidence:
    return min(nodes, key=lambda node: node.host != evidence.primary)  # stable: else the list


def _ordered(evidence: Evidence, nodes: Sequence[NodeEvidence]) -> tuple[str, ...]:
    """The primary's data is wanted soonest, so it joins first; then the list."""
    return tuple(n.host for n in sorted(nodes, key=lambda node: node.host != evidence.primary))


def _choice(
    kind: Kind, chosen: NodeEvidence, evidence: Evidence, rule: Text, ledger: Ledger
) -> Choice:
    others = [node for node in evidence.nodes if node.host != chosen.host]
    starts = [node for node in others if node.life is Life.STOPPED]
    return Choice(
        kind,
        chosen.host,
        chosen.holds,
        rule,
        _ordered(evidence, starts),
        tuple(_fate(node, chosen) for node in others),
        _warnings(evidence, chosen),
        tuple(ledger.used),
    )


def _fate(node: NodeEvidence, chosen: NodeEvidence) -> Fate:
    """What a node receives and what it loses when it joins the chosen one."""
    if node.life in (Life.SILENT, Life.STANDALONE):
        return Fate(node.host, say("It is left as it is."))
    if node.life is Life.PRIMARY:
        return Fate(node.host, say("It is a member already."))
    if node.life is Life.NON_PRIMARY:
        return Fate(node.host, say("It runs, and comes back by itself when it sees the others."))
    if node.holds is None:
        return Fate(node.host, say("It has nothing to keep and receives a full copy."), True)
    behind = _seqno(chosen) - _seqno(node)
    if chosen.holds and node.holds.uuid != chosen.holds.uuid:
        what = say("Another history, %(at)s: everything there is replaced.", at=node.holds)
        return Fate(node.host, what, True)
    if behind < 0:
        what = say("%(n)s transactions ahead: they are lost, it receives a full copy.", n=-behind)
        return Fate(node.host, what, True)
    if not node.whole:
        what = say("Its files are not whole: it receives a full copy. Nothing is lost.")
        return Fate(node.host, what, True)
    if behind == 0:
        return Fate(node.host, say("Level: it loses nothing and needs next to nothing."))
    what = say("%(n)s transactions behind: it receives them and loses nothing.", n=behind)
    return Fate(node.host, what)


def _warnings(evidence: Evidence, chosen: NodeEvidence | None = None) -> tuple[Text, ...]:
    found: list[Text] = []
    for node in evidence.nodes:
        found += remarks(node)
        misled = chosen is not None and node.flagged and node.host != chosen.host
        if misled and chosen is not None and _seqno(node) < _seqno(chosen):
            found.append(
                say(
                    "%(host)s carries safe_to_bootstrap: 1 but is behind: the flag is not followed.",
                    host=node.host,
                )
            )
    return tuple(found)
