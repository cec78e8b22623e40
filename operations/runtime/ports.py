"""What the executor needs from outside, as values: so it can be driven without SSH and without pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from nodes.domain.refusal import Refusal
from nodes.domain.text import Text
from nodes.transport.base import Transport
from operations.domain.plan import Proof, Step
from operations.domain.proofs.base import ProofKind
from operations.models import Run
from operations.runtime.jobs import Place


class Gate(Protocol):
    """Whether an overwriting step may start now (law 4)."""

    def __call__(self, run: Run, step: Step) -> Refusal | None: ...


class Record(Protocol):
    """Writes into the panel's books what a proven step left; called inside the transaction."""

    def __call__(self, run: Run, step: Step, evidence: Mapping[str, Any]) -> None: ...


class TookOver(Protocol):
    """Writes into the audit that a lock which another panel left was taken over."""

    def __call__(self, run: Run, node: str, words: Mapping[str, Any]) -> None: ...


def _unwritten(run: Run, node: str, words: Mapping[str, Any]) -> None:
    """Nobody keeps an audit."""


class Ended(Protocol):
    """Writes into the audit how a run ended; called inside the transaction that ends it."""

    def __call__(self, run: Run, state: str, sentence: Text | None) -> None: ...


def _untold(run: Run, state: str, sentence: Text | None) -> None:
    """Nobody keeps an audit."""


class Provider(Protocol):
    """What a step reads from its standard input."""

    def __call__(self, run: Run, step: Step, transport: Transport) -> bytes: ...


@dataclass(frozen=True)
class Ports:
    """Everything outside. `transport(host)` asks no database, so any thread may call it.

    `hosts` are all hosts of the cluster, for proofs; `patience_s` says how long a node may be
    silent before the run gives up waiting for it. Every `beat_s` seconds the run says on its nodes
    that it is driven; others may call it abandoned after `abandoned_after_s` of silence.
    """

    panel: str
    hosts: tuple[str, ...]
    transport: Callable[[str], Transport]
    proof: Callable[[Proof], ProofKind]
    gate: Gate
    record: Record
    stdin: Provider
    notify: Callable[[str, int], None]
    place: Place = field(default_factory=Place)
    patience_s: float = 600
    longest_pause_s: float = 5
    took_over: TookOver = _unwritten
    ended: Ended = _untold
    beat_s: float = 20
    abandoned_after_s: int = 900
