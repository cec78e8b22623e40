"""Doing on a server that is back what a change of the primary could not do: tell it, and prove it.

It holds the server's lock meanwhile, as a run does (law 1), in the name of the run that opened the
fence: a panel that dies here leaves a lock that this panel takes over. Every act may be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nodes.domain.peers import PRIMARY_KEY
from nodes.domain.refusal import Refused
from nodes.domain.text import Text, say
from nodes.env_file_script import WRITE
from nodes.transport.base import Transport, script
from operations import inputs
from operations.domain.fencing import Order
from operations.domain.plan import Proof
from operations.domain.planners.apply_command import RUN as APPLY
from operations.domain.proofs import PROOFS, Holds
from operations.domain.proofs.base import first_line
from operations.models import Run
from operations.runtime.ports import Ports
from operations.runtime.run_lock import RunLock

COMMAND_S = 60
_STOP = 'exec sh -c "$2"'


@dataclass(frozen=True)
class Proven:
    evidence: Mapping[str, Any]


Wrote = Callable[[], None]


def close_at(
    ports: Ports, run: Run, transport: Transport, order: Order, wrote: Wrote
) -> Proven | Text:
    """The proof, or why there is none. `wrote` is called after the file was. Raises TransportError."""
    lock = RunLock(ports, run, lambda node, state, text: None, nodes=(order.host,))
    if (held := lock.take_all()) is not None:
        return held
    try:
        return _told(transport, order, wrote)
    except Refused as refused:
        return say("%(why)s %(fix)s", why=refused.first.why, fix=refused.first.fix)
    finally:
        lock.release()


def _told(transport: Transport, order: Order, wrote: Wrote) -> Proven | Text:
    """The file first: workers that something starts again meanwhile already read the new value."""
    if isinstance(_proven(transport, order.proofs[0]), Text):
        if (failed := _write(transport, order)) is not None:
            return failed
        wrote()
    said = (
        [_run(transport, APPLY, order.backend, order.apply_command)] if order.apply_command else []
    )
    said += [_run(transport, _STOP, "", order.workers.stop)] if order.stops_workers else []
    evidence: dict[str, Any] = {}
    for proof in order.proofs:
        found = _proven(transport, proof)
        if isinstance(found, Text):
            also: Text | str = next((text for text in said if text), "")
            return say("%(why)s %(also)s", why=found, also=also)
        evidence[proof.name] = dict(found)
    return Proven(evidence)


def _run(transport: Transport, text: str, *args: str) -> Text | None:
    """What a command of the admin said when it failed; whether it had its effect is proven apart."""
    output = transport.run(script(text, *args, timeout_s=COMMAND_S))
    if output.exit_code == 0:
        return None
    return say("“%(command)s”: %(why)s.", command=args[-1], why=first_line(output))


def _write(transport: Transport, order: Order) -> Text | None:
    path, line = order.env_path, order.line
    content = inputs.env_content(transport, path, {PRIMARY_KEY: order.primary})
    output = transport.run(
        script(WRITE, path, line, stdin=content)
    )  # the line is for a process list
    if output.exit_code == 0:
        return None
    return say("%(node)s: %(why)s.", node=order.host, why=first_line(output))


def _proven(transport: Transport, proof: Proof) -> Mapping[str, Any] | Text:
    kind = PROOFS[proof.name]
    host = proof.args[0]
    (probe,) = kind.probes(proof.args, host, (host,))
    command = script(probe.script, *probe.args, timeout_s=kind.probe_timeout_s)
    verdict = kind.judge(proof.args, {host: transport.run(command)})
    return verdict.evidence if isinstance(verdict, Holds) else verdict.sentence
