"""Asking the nodes whether a step had its effect, until it has or its time is over (law 8)."""

from __future__ import annotations

import time

from nodes.domain.text import Text, say
from nodes.transport.base import Output, TransportError, script
from operations.domain.machine import Proven, Unproven
from operations.domain.plan import RUN_TOKEN, Step
from operations.domain.proofs.base import (
    Holds,
    Never,
    NotYet,
    Outputs,
    Probe,
    ProofKind,
    Verdict,
)
from operations.domain.proofs.progress import Progress
from operations.runtime import store
from operations.runtime.lease import Lease
from operations.runtime.outcome import CANCEL_SEEN, Outcome
from operations.runtime.ports import Ports
from operations.runtime.silence import FINAL, pause
from operations.runtime.store import Note

_PAUSES_S = (0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0)
_TELL_EVERY_S = 2.0
_TRANSFER_EVERY_S = 10.0  # a transfer may take hours: its every byte is no news


def prove(lease: Lease, ports: Ports, step: Step) -> Outcome:
    """Raises a FINAL TransportError (a changed host key stops everything) and LeaseLost."""
    kind = ports.proof(step.proof)
    args = tuple(arg.replace(RUN_TOKEN, lease.run_id) for arg in step.proof.args)
    probes = kind.probes(args, step.node, ports.hosts)
    waiting = _Waiting(lease, ports, step)
    while True:
        if pause(lease, 0):
            return CANCEL_SEEN
        verdict = kind.judge(args, ask(ports, kind, probes))
        if isinstance(verdict, Holds):
            note = Note(verdict.sentence, data={**verdict.evidence})
            return Outcome((Proven(step.key),), note)
        if isinstance(verdict, NotYet):
            waiting.moved(verdict)
        if isinstance(verdict, Never) or waiting.over:
            return Outcome((Unproven(step.key),), Note(_not_seen(step, verdict)))
        if waiting.once_more(verdict):
            return CANCEL_SEEN


class _Waiting:
    """The growing pauses between the tries, and what is said meanwhile."""

    def __init__(self, lease: Lease, ports: Ports, step: Step) -> None:
        self._lease, self._ports, self._step = lease, ports, step
        self._deadline = time.monotonic() + step.proof_timeout_s
        self._tries = 0
        self._progress = Progress(time.monotonic())
        self._told: Text | None = None
        self._of_bytes = False
        self._told_at = time.monotonic()

    @property
    def over(self) -> bool:
        now = time.monotonic()
        return now >= self._deadline or self._progress.hopeless(now)

    def moved(self, seen: NotYet) -> None:
        """The time begins again: nothing that moves is given up by the clock."""
        now = time.monotonic()
        if self._progress.moved(seen, now):
            self._deadline = now + self._step.proof_timeout_s

    def once_more(self, seen: NotYet) -> bool:
        """True if a person asked to cancel meanwhile."""
        sentence = self._progress.told(seen)
        moves = seen.received is not None
        every_s = _TRANSFER_EVERY_S if moves and self._of_bytes else _TELL_EVERY_S
        if sentence != self._told and time.monotonic() - self._told_at >= every_s:
            self._tell(sentence)
            self._of_bytes = moves
        length = _PAUSES_S[min(self._tries, len(_PAUSES_S) - 1)]
        self._tries += 1
        return pause(self._lease, min(length, max(0.0, self._deadline - time.monotonic())))

    def _tell(self, sentence: Text) -> None:
        event = {"type": "proof", "step": self._step.key, "node": self._step.node}
        newest = store.say_event(self._lease, {**event, "text": sentence.to_json()})
        self._ports.notify(self._lease.run_id, newest)
        self._told, self._told_at = sentence, time.monotonic()


def ask(ports: Ports, kind: ProofKind, probes: tuple[Probe, ...]) -> Outputs:
    """One after the other: a later probe may read what an earlier one wrote."""
    return {probe.host: _answer(ports, kind, probe) for probe in probes}


def _answer(ports: Ports, kind: ProofKind, probe: Probe) -> Output | Text:
    command = script(probe.script, *probe.args, timeout_s=kind.probe_timeout_s)
    try:
        return ports.transport(probe.host).run(command)
    except FINAL:
        raise
    except TransportError as error:
        return error.why


def _not_seen(step: Step, verdict: Verdict) -> Text:
    return say(
        "“%(title)s” on %(node)s is not proven: %(why)s",
        title=step.title,
        node=step.node,
        why=verdict.sentence,
    )
