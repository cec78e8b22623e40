"""A transport that answers from a script: what to say is decided by what is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from nodes.domain.text import say
from nodes.transport.base import Closed, Command, Output, Stream, Target, TransportError, Tunnel

Answer = str | bytes | Output | TransportError | Callable[[Command], "Answer"]


@dataclass
class ScriptedTransport:
    """`answers` maps a piece of the command to what comes back; the first that is in it counts."""

    target: Target
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Command] = field(default_factory=list)

    def run(self, command: Command) -> Output:
        self.asked.append(command)
        for piece, answer in self.answers.items():
            if any(piece in arg for arg in command.argv):
                return _output(answer, command)
        raise AssertionError(f"nobody expected {command.argv!r}"[:500])

    @contextmanager
    def stream(self, command: Command) -> Iterator[Stream]:
        raise NotImplementedError
        yield  # type: ignore[unreachable]  # makes it a generator

    @contextmanager
    def tunnel(self, port: int) -> Iterator[Tunnel]:
        raise Closed(say("closed"), say("open it"))
        yield  # type: ignore[unreachable]  # makes it a generator

    def close(self) -> None:
        """Nothing is open."""


def _output(answer: Answer, command: Command) -> Output:
    if callable(answer):
        return _output(answer(command), command)
    if isinstance(answer, TransportError):
        raise answer
    if isinstance(answer, Output):
        return answer
    data = answer.encode() if isinstance(answer, str) else answer
    return Output(0, data, b"")
