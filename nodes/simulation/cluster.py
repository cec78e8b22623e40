"""A simulated cluster as tests and `make demo` hold it: make one, and let things happen to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nodes.simulation import events
from nodes.simulation.skin import processes
from nodes.simulation.skin.build import build, refresh
from nodes.simulation.skin.layout import Layout
from nodes.simulation.skin.store import opened
from nodes.simulation.world import Node, Pace, Reply, World

# Quick, but every state can be seen in passing: a second or so where servers take half a minute.
BRISK = Pace(
    notice=0.2, start=0.0, ist=0.1, sst=0.3, boot=0.3, restart=0.3, wait_primary=1.5, heal=0.0
)
# Slow enough for a person to see each state on a page, quick enough not to be waited for.
WATCHABLE = Pace(notice=2.0, ist=2.0, sst=5.0, boot=4.0, restart=3.0, wait_primary=15.0)


@dataclass(frozen=True)
class SimulatedCluster:
    """The tree at `layout.base`. Several processes may hold the same one."""

    layout: Layout

    @classmethod
    def create(cls, base: Path, hosts: tuple[str, ...], **options: Any) -> SimulatedCluster:
        """New servers in the new directory `base`; options as `build` has them."""
        return cls(build(base, hosts, **({"pace": BRISK} | options)))

    @classmethod
    def at(cls, base: Path) -> SimulatedCluster:
        """The servers that were made there earlier."""
        return cls(Layout(base.resolve()))

    def refresh(self) -> None:
        """Make servers of an earlier start fit this version. Raises when they cannot be used."""
        refresh(self.layout)

    def has(self, host: str) -> bool:
        """Whether the node is one of this cluster's; cheap, nothing is read."""
        return self.layout.root(host).is_dir()

    @property
    def world(self) -> World:
        with opened(self.layout) as session:
            return session.world

    def node(self, host: str) -> Node:
        return self.world.nodes[host]

    def root(self, host: str) -> Path:
        """What the node takes for its `/`."""
        return self.layout.root(host)

    def happen(self, *what: events.Event) -> Reply:
        """Let events happen; the reply to the last one."""
        reply = Reply()
        with opened(self.layout) as session:
            for event in what:
                reply = session.apply(event)
        return reply

    def power_cut(self, *hosts: str) -> None:
        """All of them at the same moment."""
        self.happen(*(events.PowerCut(host) for host in hosts))
        for host in hosts:
            self._darken(host)

    def power_off(self, host: str) -> None:
        self.happen(events.PowerOff(host))
        self._darken(host)

    def _darken(self, host: str) -> None:
        processes.kill_all(self.root(host))

    def power_on(self, *hosts: str) -> None:
        self.happen(*(events.PowerOn(host) for host in hosts))

    def reboot(self, host: str) -> None:
        self.power_off(host)
        self.power_on(host)

    def partition(self, host: str) -> None:
        """From the other nodes; the panel still reaches it."""
        self.happen(events.Partition(host))

    def rejoin(self, host: str) -> None:
        self.happen(events.Rejoin(host))

    def link(self, host: str, **changes: Any) -> None:
        """Faults of the way to the node: `slow_s`, `garbage`, `refused`."""
        with opened(self.layout) as session:
            node = session.world.nodes[host]
            session.world = session.world.put(replace(node, link=replace(node.link, **changes)))

    def cut_connections(self, host: str) -> None:
        """Every open connection is dead; jobs go on, and one may connect again at once."""
        self.link(host, cuts=self.node(host).link.cuts + 1)

    def change_host_key(self, host: str) -> None:
        self.link(host, host_key=self.node(host).link.host_key + 1)

    def fill_disk(self, host: str, *, full: bool = True) -> None:
        """For every process that is started from now on, and on Linux for those that run."""
        self.happen(events.FillDisk(host, full))
        processes.limit_files(self.root(host), full=full)
