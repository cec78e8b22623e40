"""Worlds that tests begin with."""

from __future__ import annotations

from nodes.simulation.apply import apply
from nodes.simulation.events import Configure, Event, NewCluster, StartUnit, StopUnit
from nodes.simulation.world import QUICK, Node, Pace, Reply, World, new_world

A, B, C = "a", "b", "c"
HOSTS = (A, B, C)
MARIADB, GLUSTERD = "mariadb.service", "glusterd.service"


def after(world: World, *events: Event) -> World:
    for event in events:
        world, _ = apply(world, event)
    return world


def told(world: World, event: Event) -> Reply:
    return apply(world, event)[1]


def galera(hosts: tuple[str, ...] = HOSTS, pace: Pace = QUICK) -> World:
    """A Galera cluster as the vendor's script makes it: the first node, then the others."""
    world = new_world(hosts, pace=pace)
    for host in hosts:
        first = host == hosts[0]
        start: Event = NewCluster(host) if first else StartUnit(host, MARIADB)
        world = after(world, Configure(host, hosts), StopUnit(host, MARIADB), start)
    return world


def component(node: Node) -> str:
    """As `wsrep_cluster_status` and `wsrep_cluster_size` say it."""
    if node.server is None or node.server.view is None:
        return "down"
    word = "Primary" if node.server.view.primary else "non-Primary"
    return f"{word} {len(node.server.view.members)}"
