"""Pending fences: what closes one, and which runs one stands in the way of. Pure.

A fence is the step of a change of the primary that could not be done, because its server did not
answer. It is done when the server answers, before anybody treats that server as well again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from nodes.domain.observation import ClusterFacts
from nodes.domain.peers import PRIMARY_KEY
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from operations.domain.plan import Proof
from operations.domain.situation import Workers

# Ends what was left half written; it writes the fenced server itself, and first.
CHANGE_PRIMARY = "change_primary"


@dataclass(frozen=True)
class Order:
    """What a server is to be told. `apply_command`: makes dpiui2 there read its .env, "" nothing."""

    host: str
    backend: str
    primary: str
    workers: Workers
    apply_command: str = ""

    @property
    def env_path(self) -> str:
        return f"{self.backend}/.env"

    @property
    def line(self) -> str:
        return f"{PRIMARY_KEY}={self.primary}"

    @property
    def stops_workers(self) -> bool:
        """What they read at their start may be the old value; the primary's own may run."""
        return bool(self.workers.stop) and self.host != self.primary

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """What must be read from the server before its fence is closed; all of it."""
        found = [Proof("env_equals", (self.host, self.env_path, self.line))]
        if self.apply_command:
            found.append(Proof("settings_in_effect", (self.host, self.backend, self.line)))
        if self.stops_workers:
            found.append(Proof("workers_stopped", (self.host, self.workers.check)))
        return tuple(found)


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
