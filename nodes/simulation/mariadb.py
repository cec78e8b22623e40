"""mariadbd on one node: start, join, bootstrap, stop, die, recover a position, take a write."""

from __future__ import annotations

from dataclasses import replace

from nodes.simulation import units
from nodes.simulation.membership import install, regroup
from nodes.simulation.world import (
    OK,
    Active,
    Disk,
    Grastate,
    Node,
    Position,
    Reply,
    Row,
    Server,
    Stage,
    View,
    World,
)

UNIT = "mariadb.service"
REFUSED = (
    "[ERROR] WSREP: It may not be safe to bootstrap the cluster from this node. It was not the"
    " last one to leave the cluster and may not contain all the updates. To force cluster"
    " bootstrap with this node, edit the grastate.dat file manually and set safe_to_bootstrap"
    " to 1 ."
)
NO_SERVER = (
    "ERROR 2002 (HY000): Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)"
)
NOT_PREPARED = "ERROR 1047 (08S01) at line 1: WSREP has not yet prepared node for application use"
BLOCKED = 75  # not an exit code of a client: the statement hangs now, ask again later


def start(world: World, host: str) -> tuple[World, Reply]:
    """`systemctl start`. The reply is final unless the unit is still activating afterwards."""
    node = world.nodes[host]
    if node.server is not None:
        return world, OK
    if units.too_often(world, node, UNIT):
        return units.refuse(world, node, UNIT)
    node = units.begin(world, node, UNIT)
    if not node.disk.wsrep_on:
        alone = replace(node, server=Server(Stage.ALONE, ready=True, since=world.now))
        return world.put(alone.with_unit(UNIT, active=Active.ACTIVE)), OK
    if node.new_cluster:
        return _bootstrap(world.put(node), host)
    return _join(world.put(node), host)


def _join(world: World, host: str) -> tuple[World, Reply]:
    node = world.nodes[host]
    last = node.disk.last_view
    member, world = _member(world, host) if last is None else (last.member, world)
    patience = None if last else world.now + world.pace.wait_primary
    server = Server(Stage.WAITING, member, last_view=last, since=world.now, until=patience)
    world = world.put(replace(node, server=server, disk=_opened(node.disk)))
    return _answer(expire(regroup(world), host), host)


def _member(world: World, host: str) -> tuple[str, World]:
    number, world = world.counted()
    return world.name("member", number), world


def _opened(disk: Disk) -> Disk:
    """What a start does to grastate.dat: the number is taken out until the next clean stop."""
    state = disk.grastate
    if state is None:
        return replace(disk, grastate=Grastate(safe_to_bootstrap=False))
    position = disk.position
    if state.seqno >= 0:
        position = Position(state.uuid, state.seqno)
    return replace(disk, grastate=replace(state, seqno=-1), position=position)


def expire(world: World, host: str) -> World:
    """A server that found no Primary component within its patience ends by itself."""
    node = world.nodes[host]
    server = node.server
    if server is None or server.stage is not Stage.WAITING or server.ready:
        return world
    if server.until is None or server.until > world.now:
        return world
    words = (
        "[ERROR] WSREP: failed to open gcomm backend connection: 110: failed to reach primary view"
    )
    failed = replace(node, server=None).with_unit(UNIT, active=Active.FAILED)
    return regroup(world.put(failed.said(world.now, "mariadb", words)))


def _answer(world: World, host: str) -> tuple[World, Reply]:
    node = world.nodes[host]
    server = node.server
    if server is not None and server.ready and server.stage is not Stage.JOINING:
        active = node.with_unit(UNIT, active=Active.ACTIVE)
        return world.put(active), OK
    if server is not None:
        return world, OK
    return world, units.failed_reply(UNIT)


def _bootstrap(world: World, host: str) -> tuple[World, Reply]:
    node = world.nodes[host]
    state = node.disk.grastate
    if state is not None and state.safe_to_bootstrap is False:
        failed = node.with_unit(UNIT, active=Active.FAILED).said(world.now, "mariadb", REFUSED)
        disk = replace(_opened(node.disk), position=node.disk.position)
        return world.put(replace(failed, disk=disk)), units.failed_reply(UNIT)
    last = node.disk.last_view
    disk, world = _first_disk(world, node.disk)
    member, world = (last.member, world) if last else _member(world, host)
    view = View(0, True, frozenset({member}), disk.position.uuid)
    server = Server(Stage.WAITING, member, view=view, since=world.now)
    world = world.put(replace(node, server=server, disk=replace(disk, last_view=None)))
    return _answer(install(world, (host,), view), host)


def _first_disk(world: World, disk: Disk) -> tuple[Disk, World]:
    """A known history goes on; without one a new UUID begins with whatever data is there."""
    disk = _opened(disk)
    assert disk.grastate is not None
    if disk.position.real and disk.position.uuid == disk.grastate.uuid:
        return disk, world
    number, world = world.counted()
    uuid = world.name("cluster", number)
    return replace(disk, position=Position(uuid, 0), grastate=Grastate(uuid)), world


def stop(world: World, host: str) -> tuple[World, Reply]:
    """`systemctl stop`: says goodbye to the group and writes its position down."""
    node = world.nodes[host]
    server = node.server
    unit = node.unit(UNIT)
    if server is None:
        waits = unit.restart_at is not None
        rest = Active.INACTIVE if waits else unit.active
        return world.put(node.with_unit(UNIT, active=rest, restart_at=None)), OK
    if server.stage is Stage.WAITING and not server.ready:
        # Before its first Primary component mariadbd hears no SIGTERM, and systemd sends no other.
        return world.put(node.with_unit(UNIT, active=Active.DEACTIVATING)), OK
    stopped = replace(node, server=None, disk=_closed(node.disk, server))
    world = world.put(stopped.with_unit(UNIT, active=Active.INACTIVE))
    world = replace(world, left=world.left | {server.member})
    return (world if world.regroup_at is not None else regroup(world)), OK


def _closed(disk: Disk, server: Server) -> Disk:
    """gvwstate.dat goes; grastate.dat gets the number of a server that knew its position."""
    if server.stage is Stage.ALONE:
        return disk
    state = disk.grastate
    knew = server.ready and server.stage is not Stage.JOINING and disk.position.real
    if state is not None and knew:
        state = replace(state, uuid=disk.position.uuid, seqno=disk.position.seqno)
    return replace(disk, grastate=state, last_view=None if knew else disk.last_view)


def kill(world: World, host: str, *, restarts: bool = False) -> World:
    """The process is gone without a word. `restarts`: systemd starts it again after a while."""
    node = world.nodes[host]
    if node.server is None:
        return world
    at = world.now + world.pace.restart if restarts else None
    active = Active.ACTIVATING if restarts else Active.FAILED
    dead = replace(node, server=None).with_unit(UNIT, active=active, restart_at=at)
    return unheard(world.put(dead))


def unheard(world: World) -> World:
    """Somebody is missing; the others notice after a while."""
    return replace(world, regroup_at=world.now + world.pace.notice)


def new_cluster(world: World, host: str) -> tuple[World, Reply]:
    """`galera_new_cluster`: a restart with the marker set, so a living member is torn out."""
    world, _ = stop(world, host)
    world = world.put(replace(world.nodes[host], new_cluster=True))
    world, reply = start(world, host)
    return world.put(replace(world.nodes[host], new_cluster=False)), reply


def recover(world: World, host: str) -> tuple[World, Reply]:
    """`galera_recovery`: the position that InnoDB would recover to."""
    node = world.nodes[host]
    if not node.disk.wsrep_on:
        return world, Reply(0, "\n")
    if node.server is not None:
        words = (
            "WSREP: Failed to start mysqld for wsrep recovery: 'Unable to lock ./ibdata1 error: 11'"
        )
        return world, Reply(1, "", words + "\n")
    place = f"{node.disk.position.uuid}:{node.disk.position.seqno}"
    return world, Reply(
        0, f"--wsrep_start_position={place}\n", f"WSREP: Recovered position {place}\n"
    )


def force_primary(world: World, host: str) -> tuple[World, Reply]:
    """`SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'`: this component is Primary now."""
    server = world.nodes[host].server
    if server is None or server.stage is Stage.ALONE or server.view is None:
        return world, Reply(1, "", NO_SERVER + "\n")
    if server.view.primary:
        return world, OK
    group = tuple(
        other.host
        for other in world.nodes.values()
        if other.server and other.server.view == server.view
    )
    position = world.nodes[host].disk.position
    before = View(0, True, server.view.members, position.uuid, server.view.conf)
    return regroup(install(world, group, before)), OK


def answers_sql(node: Node) -> Reply | None:
    """None when data can be read and written; else what a client is told."""
    server = node.server
    if server is None or not server.ready:
        return Reply(1, "", NO_SERVER + "\n")
    if server.stage is Stage.ALONE:
        return None
    primary = server.view is not None and server.view.primary
    if not primary or server.stage not in (Stage.SYNCED, Stage.DONOR):
        return Reply(1, "", NOT_PREPARED + "\n")
    return None


def write(world: World, host: str) -> tuple[World, Reply]:
    """One transaction: committed on every member at once, or refused, or it hangs."""
    node = world.nodes[host]
    if refused := answers_sql(node):
        return world, refused
    assert node.server is not None
    if node.server.stage is Stage.ALONE:
        number, world = world.counted()
        row = Row(f"local-{node.number}", number, number)
        return world.put(_with_row(node, row)), OK
    if world.regroup_at is not None or node.server.stage is Stage.DONOR:
        return world, Reply(BLOCKED)
    number, world = world.counted()
    row = Row(node.disk.position.uuid, node.disk.position.seqno + 1, number)
    for other in list(world.nodes.values()):
        same = other.server is not None and other.server.view == node.server.view
        if same and other.server and other.server.stage in (Stage.SYNCED, Stage.DONOR):
            world = world.put(_with_row(other, row))
    return replace(world, committed=world.committed | {row}), OK


def _with_row(node: Node, row: Row) -> Node:
    position = node.disk.position
    if node.server is not None and node.server.stage is not Stage.ALONE:
        position = Position(row.uuid, row.seqno)
    return replace(node, disk=replace(node.disk, rows=node.disk.rows | {row}, position=position))
