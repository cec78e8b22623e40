"""The servers themselves: power, boot, the network between them, and what time brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nodes.simulation import glusterfs, mariadb
from nodes.simulation.membership import regroup
from nodes.simulation.transfer import settle
from nodes.simulation.world import Active, Node, Stage, Unit, World


def power_cut(world: World, host: str) -> World:
    node = world.nodes[host]
    if not node.up:
        return world.put(replace(node, boots_at=None))
    return mariadb.unheard(world.put(_dark(node)))


def _dark(node: Node) -> Node:
    """Only what lies on the disk is left, and what systemd will start at the next boot."""
    units = {name: Unit(enabled=unit.enabled) for name, unit in node.units.items()}
    return replace(
        node,
        up=False,
        boots_at=None,
        server=None,
        daemon=None,
        bricks=frozenset(),
        mounts={},
        new_cluster=False,
        units=units,
        journal=(),
    )


def power_off(world: World, host: str) -> World:
    node = world.nodes[host]
    if not node.up:
        return power_cut(world, host)
    waits = node.server is not None and not node.server.ready
    world = mariadb.kill(world, host) if waits else mariadb.stop(world, host)[0]
    return world.put(_dark(world.nodes[host]))


def power_on(world: World, host: str) -> World:
    node = world.nodes[host]
    if node.up or node.boots_at is not None:
        return world
    return world.put(replace(node, boots_at=world.now + world.pace.boot))


def _boot(world: World, host: str) -> World:
    node = world.nodes[host]
    up = replace(node, up=True, boots_at=None, boot=node.boot + 1, booted_at=world.now)
    world = world.put(up)
    # A race on real servers: bricks that start together with the mount are usually too late for it.
    in_time = [d for d, name in node.fstab.items() if glusterfs.serves(world, host, name)]
    if node.unit(glusterfs.UNIT).enabled:
        world, _ = glusterfs.start(world, host)
    for directory in in_time:
        world, _ = glusterfs.mount(world, host, directory, node.fstab[directory])
    if node.unit(mariadb.UNIT).enabled:
        world, _ = mariadb.start(world, host)
    return world


def partition(world: World, host: str) -> World:
    pairs = {frozenset((host, other)) for other in world.hosts if other != host}
    return mariadb.unheard(replace(world, cut=world.cut | pairs))


def rejoin(world: World, host: str) -> World:
    kept = frozenset(pair for pair in world.cut if host not in pair)
    return mariadb.unheard(replace(world, cut=kept))


def due(world: World) -> Iterator[float]:
    """The moments at which something happens by itself."""
    if world.regroup_at is not None:
        yield world.regroup_at
    for node in world.nodes.values():
        restart, server = node.unit(mariadb.UNIT).restart_at, node.server
        if node.boots_at is not None:
            yield node.boots_at
        if restart is not None:
            yield restart
        if server is not None and server.until is not None:
            yield server.until


def run_until(world: World, moment: float) -> World:
    """Everything that happens up to `moment`, in order."""
    for _ in range(1000):  # a history that never comes to rest is a fault of the model
        world = _calm(world)
        soonest = min(due(world), default=moment + 1)
        if soonest > moment:
            return replace(world, now=max(world.now, moment))
        world = _happen(replace(world, now=max(world.now, soonest)))
    raise AssertionError("the simulated world does not come to rest")


def _happen(world: World) -> World:
    for host in world.hosts:
        node = world.nodes[host]
        if node.boots_at is not None and node.boots_at <= world.now:
            world = _boot(world, host)
        restart = world.nodes[host].unit(mariadb.UNIT).restart_at
        if restart is not None and restart <= world.now:
            world, _ = mariadb.start(world.put(node.with_unit(mariadb.UNIT, restart_at=None)), host)
    if world.regroup_at is not None and world.regroup_at <= world.now:
        world = regroup(world)
    world = settle(world)
    for host in world.hosts:
        world = mariadb.expire(world, host)
    return world


def _calm(world: World) -> World:
    """What follows at once from how things stand."""
    world = glusterfs.heal(glusterfs.greet(world))
    for host in world.hosts:
        node = world.nodes[host]
        server, unit = node.server, node.unit(mariadb.UNIT)
        synced = server is not None and server.ready and server.stage is not Stage.JOINING
        if synced and unit.active is Active.ACTIVATING:
            world = world.put(node.with_unit(mariadb.UNIT, active=Active.ACTIVE))
        if synced and unit.active is Active.DEACTIVATING:
            world, _ = mariadb.stop(world, host)
    return world
