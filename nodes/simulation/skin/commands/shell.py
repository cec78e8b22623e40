"""What a simulated command has: its node, its two outputs, and the model under lock."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from nodes.simulation.events import Event
from nodes.simulation.skin.layout import Layout
from nodes.simulation.skin.store import Session, opened
from nodes.simulation.world import Node, Reply, World


@dataclass(frozen=True)
class Shell:
    layout: Layout
    host: str
    read: list[World] = field(default_factory=list)  # the worlds that the answer came from
    printed: list[str] = field(default_factory=list)
    acts: list[Event] = field(default_factory=list)

    def opened(self) -> AbstractContextManager[Session]:
        return opened(self.layout)

    def world(self) -> World:
        with self.opened() as session:
            self.read.append(session.world)
            return session.world

    def node(self) -> Node:
        return self.world().nodes[self.host]

    def happen(self, event: Event) -> Reply:
        self.acts.append(event)
        with self.opened() as session:
            return session.apply(event)

    def answer(self, reply: Reply) -> int:
        """Print a reply as the command would."""
        self.out(reply.stdout)
        self.err(reply.stderr)
        return reply.exit_code

    def out(self, text: str) -> None:
        self.printed.append(text)
        sys.stdout.write(text)

    def err(self, text: str) -> None:
        sys.stdout.flush()
        sys.stderr.write(text)

    def path(self, text: str) -> str:
        """A path of the arguments as the node calls it."""
        return self.layout.outward(self.host, text.encode()).decode()
