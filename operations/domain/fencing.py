"""Pending fences: what closes one, and which runs one stands in the way of. Pure.

A fence is the step of a change of the primary that could not be done, because its server did not
answer. It is done when the server answers, before anybody treats that server as well again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from nodes.domain.observation import ClusterFacts
from nodes.domain.peers import PRIMARY_KEY
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from operations.domain.plan import Proof
from operations.domain.situation import Workers

# Ends what was left half written; it writes the fenced server itself, and first.
CHANGE_PRIMARY = "change_primary"


def proofs(host: str, env_path: str, primary: str, workers: Workers) -> tuple[Proof, ...]:
    """What must be read from the server before its fence is closed; all of it."""
    line = f"{PRIMARY_KEY}={primary}"
    env = Proof("env_equals", (host, env_path, line))
    idle = Proof("workers_stopped", (host, workers.check))
    return (env, idle) if stops_workers(host, primary, workers) else (env,)


def stops_workers(host: str, primary: str, workers: Workers) -> bool:
    """What they read at their start may be the old value; those of the primary itself may run."""
    return bool(workers.stop) and host != primary


def in_the_way(
    procedure: str, nodes: Collection[str], fenced: Iterable[str], answering: Collection[str]
) -> Refusal | None:
    """A server whose fence is open is not well, even if it answers: nothing else may rely on it.

    While it does not answer, it is away for every planner, and work on the others goes on.
    """
    if procedure == CHANGE_PRIMARY:
        return None
    for host in fenced:
        if host in nodes or host in answering:
            why = say(
                "%(host)s has a pending fence: it is not proven yet that it was told of the change"
                " of the primary.",
                host=host,
            )
            fix = say(
                "The panel does that first, as soon as %(host)s answers: look again in a few seconds.",
                host=host,
            )
            return Refusal("fence_open", why, fix, {"node": host})
    return None


def answering(facts: ClusterFacts) -> list[str]:
    return [node.host for node in facts.nodes if node.ssh is True]
