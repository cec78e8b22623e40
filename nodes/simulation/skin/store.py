"""The one file that holds the model, shared by every process that looks at the nodes."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from nodes.simulation.apply import apply, at
from nodes.simulation.events import Event
from nodes.simulation.skin import answers, codec, disk
from nodes.simulation.skin.layout import Layout
from nodes.simulation.world import Reply, World


@dataclass
class Session:
    """The model while the lock is held."""

    world: World

    def apply(self, event: Event) -> Reply:
        self.world, reply = apply(self.world, event)
        return reply


@contextmanager
def opened(layout: Layout) -> Iterator[Session]:
    """The world as it is now: what was stored, what is on the nodes' disks, what time brought.

    Files are the truth about what lies on a disk: a person or the panel may have edited them.
    """
    with layout.lock.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stored = load(layout)
        session = Session(at(disk.read(layout, _awake(stored)), time.monotonic()))
        yield session
        if replace(session.world, now=stored.now) != stored:
            answers.forget(layout, session.world.hosts)
            save(layout, session.world)
            disk.write(layout, session.world)


def _awake(world: World) -> World:
    """The clock that no one can set counts from the machine's start: it may lie in the past."""
    return replace(world, now=min(world.now, time.monotonic()))


def load(layout: Layout) -> World:
    found = codec.decode(json.loads(layout.world.read_text()))
    assert isinstance(found, World)
    return found


def save(layout: Layout, world: World) -> None:
    draft = layout.world.with_suffix(".new")
    draft.write_text(json.dumps(codec.encode(world), indent=1))
    draft.replace(layout.world)
