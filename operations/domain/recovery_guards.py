"""What must still be true in the moment a step of a recovery begins, by a new look at every server."""

from __future__ import annotations

from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from operations.domain import recovery_doubts as doubts
from operations.domain.recovery_evidence import Evidence, Life, NodeEvidence
from operations.domain.recovery_facts import evidence_of
from operations.domain.situation import Situation

_AGAIN = say("Take the positions again and look what the panel chooses then.")


def nothing_started(situation: Situation, host: str, *marks: str) -> Refusal | None:
    """Law 10. Arguments: the chosen node, then "node=mark" of every stopped one as it was shown.

    Nobody is Primary, nobody that was stopped was started since, nobody that was given up is back.
    """
    evidence = evidence_of(situation)
    shown = dict(mark.rsplit("=", 1) for mark in marks)
    if refusal := doubts.two_primaries(evidence) or _somebody_lives(evidence):
        return refusal
    for node in evidence.nodes:
        if refusal := _moved(node, shown.get(node.host), node.host == host) or _marker(node):
            return refusal
    return None


def _somebody_lives(evidence: Evidence) -> Refusal | None:
    alive = evidence.living(Life.PRIMARY)
    if not alive:
        return None
    why = say("%(host)s is Primary by now: nothing is bootstrapped.", host=alive[0].host)
    fix = say("Plan again: the others are only started.")
    return Refusal("somebody_runs", why, fix, {"node": alive[0].host})


def _moved(node: NodeEvidence, mark: str | None, chosen: bool) -> Refusal | None:
    if mark is None:
        return _is_back(node, chosen)
    if node.life is Life.STOPPED and node.mark == mark:
        return None
    reason = node.why or say("something was started or changed there")
    why = say(
        "%(host)s is not as it was when it was looked at: %(why)s.", host=node.host, why=reason
    )
    return Refusal("position_moved", why, _AGAIN, {"node": node.host})


def _is_back(node: NodeEvidence, chosen: bool) -> Refusal | None:
    """A node without a mark ran without a majority, or could not be asked at all."""
    same = (Life.NON_PRIMARY,) if chosen else (Life.NON_PRIMARY, Life.SILENT, Life.STANDALONE)
    if node.life in same:
        return None
    why = say("%(host)s is not as it was when the plan was made.", host=node.host)
    return Refusal("position_moved", why, _AGAIN, {"node": node.host})


def _marker(node: NodeEvidence) -> Refusal | None:
    """Cleared everywhere before one is told to begin (mariadb-operator #1626)."""
    if not node.bootstrap_marker:
        return None
    why = say("A bootstrap marker is left on %(host)s.", host=node.host)
    return Refusal("bootstrap_marker", why, _AGAIN, {"node": node.host})


def one_primary(situation: Situation, host: str, uuid: str) -> Refusal | None:
    """Arguments: the node that joins, the UUID. Exactly one component lives, of this UUID, and no
    other node is on its way into it."""
    evidence = evidence_of(situation)
    alive = evidence.living(Life.PRIMARY)
    if refusal := doubts.two_primaries(evidence):
        return refusal
    if not any(node.holds and node.holds.uuid == uuid for node in alive):
        why = say("No server is Primary with UUID %(uuid)s any more.", uuid=uuid)
        fix = say("Plan again; nothing may be started beside it.")
        return Refusal("no_primary", why, fix, {"uuid": uuid})
    others = [node for node in evidence.living(Life.STARTING) if node.host != host]
    return doubts.busy(Evidence(tuple(others), evidence.primary))


def not_primary(situation: Situation, host: str) -> Refusal | None:
    """Argument: the node that is to be stopped."""
    node = evidence_of(situation).node(host)
    if node.life not in (Life.PRIMARY, Life.SILENT):
        return None
    why = say("%(host)s is a member of a Primary component, or cannot be asked.", host=host)
    return Refusal("somebody_runs", why, say("Look again and plan again."), {"node": host})
