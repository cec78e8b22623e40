"""What steps read from their standard input: too large, or too secret, to be an argument.

`step.stdin` is "name" or "name:detail". A provider runs when the step begins and may ask the node;
its bytes go to the command alone, never into the plan, the journal or a process list (law 13).
"""

from __future__ import annotations

from collections.abc import Mapping

from nodes.transport.base import Transport
from operations.domain.plan import Step
from operations.models import Run
from operations.runtime.ports import Provider


class UnknownInput(LookupError):
    """A plan names an input that nobody provides; a defect of the planner."""


def provider(providers: Mapping[str, Provider]) -> Provider:
    """One provider that chooses by name."""

    def provide(run: Run, step: Step, transport: Transport) -> bytes:
        name = step.stdin.partition(":")[0]
        if name not in providers:
            raise UnknownInput(name)
        return providers[name](run, step, transport)

    return provide
