"""State transfers: who gives what to whom, and what lies on the receiver's disk meanwhile."""

from __future__ import annotations

from dataclasses import replace

from nodes.simulation.world import (
    Active,
    Disk,
    Grastate,
    Node,
    Position,
    Row,
    Server,
    Stage,
    World,
)


def settle(world: World) -> World:
    """Transfers that can begin begin, those that are over end, those without a donor fail."""
    for host in world.hosts:
        world = _give_up(world, host)
    world = _free_donors(world)
    before: World | None = None
    while before is not world:
        before = world
        for host in world.hosts:
            world = _end(_begin(world, host), host)
    return world


def find(world: World, member: str) -> Node | None:
    """The node whose running server has this name in the group."""
    for node in world.nodes.values():
        if node.server is not None and node.server.member == member:
            return node
    return None


def _joiner(world: World, host: str) -> Server | None:
    server = world.nodes[host].server
    return server if server is not None and server.stage is Stage.JOINING else None


def _give_up(world: World, host: str) -> World:
    """A joiner whose donor vanished: after a partial copy it cannot go on."""
    server = _joiner(world, host)
    if server is None or not server.donor:
        return world
    donor = find(world, server.donor)
    together = donor and donor.server and donor.server.view == server.view
    if donor is not None and together and world.reach(host, donor.host):
        return world
    node = world.nodes[host]
    if server.by_copy:
        words = "[ERROR] WSREP: State transfer failed: the donor is gone: aborting"
        failed = replace(node, server=None).with_unit("mariadb.service", active=Active.FAILED)
        gone = world.put(failed.said(world.now, "mariadb", words))
        return replace(gone, regroup_at=world.now)
    return world.put(replace(node, server=replace(server, donor="", until=None)))


def _free_donors(world: World) -> World:
    """A donor whose joiner is gone is Synced again."""
    giving = {s.donor for host in world.hosts if (s := _joiner(world, host)) and s.donor}
    for node in list(world.nodes.values()):
        server = node.server
        if server and server.stage is Stage.DONOR and server.member not in giving:
            world = world.put(replace(node, server=replace(server, stage=Stage.SYNCED)))
    return world


def _begin(world: World, host: str) -> World:
    server, node = _joiner(world, host), world.nodes[host]
    if server is None or server.donor or not (server.view and server.view.primary):
        return world
    donor = _donor(world, host, server)
    if donor is None or donor.server is None:
        return world
    copies = not _can_replay(node.disk, donor.disk)
    disk = _torn(node.disk) if copies else node.disk
    length = world.pace.sst if copies else world.pace.ist
    until = world.now + length
    joiner = replace(server, donor=donor.server.member, by_copy=copies, until=until)
    giving = replace(donor.server, stage=Stage.DONOR)
    return world.put(replace(node, server=joiner, disk=disk), replace(donor, server=giving))


def _donor(world: World, host: str, server: Server) -> Node | None:
    for node in world.nodes.values():
        other = node.server
        free = other and other.stage is Stage.SYNCED and other.view == server.view
        if free and world.reach(host, node.host):
            return node
    return None


def _can_replay(disk: Disk, donor: Disk) -> bool:
    """IST: the same history, and not ahead of it; the donor's cache is taken as long enough.

    Galera compares numbers only: two halves of one history that both went on look alike.
    """
    known = disk.grastate is not None and disk.grastate.uuid == donor.position.uuid
    same = disk.position.uuid == donor.position.uuid
    return known and same and disk.position.seqno <= donor.position.seqno


def _torn(disk: Disk) -> Disk:
    """While a copy runs nothing of the joiner's own is worth anything."""
    return replace(
        disk,
        grastate=Grastate(safe_to_bootstrap=False),
        position=Position(),
        rows=frozenset(),
        tables={},
        accounts=frozenset(),
        sst_in_progress=True,
    )


def _end(world: World, host: str) -> World:
    server, node = _joiner(world, host), world.nodes[host]
    if server is None or server.until is None or server.until > world.now:
        return world
    donor = find(world, server.donor)
    if donor is None or donor.server is None:
        return world
    given = donor.disk
    rows = given.rows if server.by_copy else _replayed(node.disk, given)
    disk = replace(
        node.disk,
        grastate=Grastate(given.position.uuid, safe_to_bootstrap=False),
        position=given.position,
        rows=rows,
        tables=given.tables,
        accounts=given.accounts,
        sst_in_progress=False,
    )
    joined = replace(server, stage=Stage.SYNCED, ready=True, donor="", until=None, by_copy=False)
    active = replace(node, server=joined, disk=disk).with_unit(
        "mariadb.service", active=Active.ACTIVE
    )
    done = replace(donor, server=replace(donor.server, stage=Stage.SYNCED))
    return world.put(active, done)


def _replayed(disk: Disk, given: Disk) -> frozenset[Row]:
    """IST sends what comes after the joiner's number, and looks at nothing before it."""
    reached = disk.position.seqno
    missing = (r for r in given.rows if r.uuid == given.position.uuid and r.seqno > reached)
    return disk.rows | frozenset(missing)
