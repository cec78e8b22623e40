"""What `decide` answers: a choice with its reason and its price, or a doubt that a person may accept."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from nodes.domain.refusal import Refusal
from nodes.domain.text import Text
from operations.domain.recovery_evidence import NodeEvidence, Position

Kind = Literal["together", "bootstrap", "force_primary", "join"]


def hosts_of(nodes: Iterable[NodeEvidence]) -> str:
    return ", ".join(node.host for node in nodes)


@dataclass(frozen=True)
class Fate:
    """What becomes of the data of a node that was not chosen. `replaced`: something of it is lost,
    or everything is copied anew."""

    host: str
    what: Text
    replaced: bool = False


@dataclass(frozen=True)
class Acceptance:
    """One doubt that a person may accept. `token` names exactly what is given up, so that an
    acceptance of another loss is never taken for this one."""

    token: str
    loss: Text


@dataclass(frozen=True)
class Doubt(Refusal):
    """A refusal that a person may override by accepting one of `accept`; none: nobody may."""

    accept: tuple[Acceptance, ...] = ()


@dataclass(frozen=True)
class Choice:
    """What will be done.

    together: start all, they find their last Primary component by themselves; bootstrap: `host`
    starts a component of its own and the others join; force_primary: the component of `host`, which
    runs, is declared Primary; join: a Primary lives at `host`, only the others are started.
    `starts`: the others that are started, in order. `rule`: why this one.
    """

    kind: Kind
    host: str
    position: Position | None
    rule: Text
    starts: tuple[str, ...] = ()
    fates: tuple[Fate, ...] = ()
    warnings: tuple[Text, ...] = ()
    accepted: tuple[Acceptance, ...] = ()


class Ledger:
    """What a person accepted, and which of it was needed."""

    def __init__(self, accepted: Collection[str]) -> None:
        self._accepted = frozenset(accepted)
        self.used: list[Acceptance] = []

    def doubt(
        self, code: str, why: Text, fix: Text, *accept: Acceptance, **evidence: Any
    ) -> Doubt | None:
        """None when one of the acceptances was given; else the refusal that names them all."""
        taken = [each for each in accept if each.token in self._accepted]
        self.used += taken
        if taken:
            return None
        if accept:
            evidence["accept"] = {each.token: str(each.loss) for each in accept}
        return Doubt(code, why, fix, evidence, accept=accept)
