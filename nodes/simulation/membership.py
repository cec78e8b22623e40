"""Who is in which component: Galera's group layer, after anything that changed who hears whom.

The rules are those of gcomm's primary component (`pc`): a component goes on as Primary while it
keeps more than half of its last Primary view (`quorum.stays_primary`); a component without any
Primary member becomes Primary again only when every member of the newest view that its members
remember is back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from nodes.simulation.quorum import stays_primary
from nodes.simulation.transfer import settle
from nodes.simulation.world import (
    Active,
    LastView,
    Node,
    Position,
    Server,
    Stage,
    View,
    World,
)


def alive(world: World) -> dict[str, Server]:
    """Host → server, of every node that takes part in group communication."""
    return {
        host: node.server
        for host, node in world.nodes.items()
        if node.server is not None and node.server.stage is not Stage.ALONE
    }


def components(world: World) -> list[tuple[str, ...]]:
    """Hosts that hear each other, directly or by way of others, in the order of the nodes."""
    rest = list(alive(world))
    found: list[tuple[str, ...]] = []
    while rest:
        group = [rest.pop(0)]
        for host in group:  # grows while it is read
            near = [other for other in rest if _acquainted(world, host, other)]
            group += near
            rest = [other for other in rest if other not in near]
        found.append(tuple(host for host in world.nodes if host in group))
    return found


def _acquainted(world: World, one: str, other: str) -> bool:
    """Two running histories with different UUIDs keep apart; they are two clusters."""
    first, second = world.nodes[one].server, world.nodes[other].server
    if first is None or second is None or not world.reach(one, other):
        return False
    views = [view for view in (first.view, second.view) if view and view.primary]
    return len({view.uuid for view in views}) < 2


def regroup(world: World) -> World:
    """New views wherever the members changed; transfers begin or are given up."""
    world = replace(world, regroup_at=None)
    for group in components(world):
        world = _regroup_one(world, group)
    return settle(replace(world, left=frozenset()))


def _regroup_one(world: World, group: tuple[str, ...]) -> World:
    servers = {host: server for host, server in alive(world).items() if host in group}
    members = frozenset(server.member for server in servers.values())
    if all(server.view and server.view.members == members for server in servers.values()):
        numbers = {server.view.number for server in servers.values() if server.view}
        if len(numbers) == 1:
            return world
    views = [server.view for server in servers.values() if server.view and server.view.primary]
    if len({view.number for view in views}) > 1:
        return _conflict(world, group)
    if not views:
        return _reform(world, group, members)
    kept = members & views[0].members
    gone = world.left & views[0].members
    if stays_primary(len(views[0].members), len(gone), len(kept)):
        return install(world, group, views[0])
    return _non_primary(world, group, members)


def _conflict(world: World, group: tuple[str, ...]) -> World:
    """Two Primary components of one history met: the older one aborts ("conflicting prims")."""
    newest = max(view.number for host in group if (view := _view(world, host)) and view.primary)
    for host in group:
        view = _view(world, host)
        if view and view.primary and view.number != newest:
            world = world.put(abort(world, world.nodes[host], "conflicting prims"))
    return _regroup_one(world, tuple(h for h in group if world.nodes[h].server))


def _view(world: World, host: str) -> View | None:
    server = world.nodes[host].server
    return server.view if server else None


def _reform(world: World, group: tuple[str, ...], members: frozenset[str]) -> World:
    remembered = [s.last_view for s in alive(world).values() if s.member in members and s.last_view]
    newest = max(remembered, key=lambda last: last.number, default=None)
    if newest is None or not newest.members <= members:
        return _non_primary(world, group, members)
    known = [h for h in group if (s := world.nodes[h].server) and s.member in newest.members]
    ahead = max((world.nodes[host].disk.position for host in known), key=lambda p: p.seqno)
    before = View(newest.number, True, newest.members, ahead.uuid, _conf(world, group))
    return install(world, group, before)


def _conf(world: World, group: Iterable[str]) -> int:
    """Survivors go on counting Primary views; processes that are all new begin below one."""
    servers = [server for host in group if (server := world.nodes[host].server)]
    return max((s.view.conf for s in servers if s.view and s.ready), default=-1)


def _non_primary(world: World, group: tuple[str, ...], members: frozenset[str]) -> World:
    number, world = world.counted()
    for host in group:
        node = world.nodes[host]
        assert node.server is not None
        old = node.server.view
        view = View(number, False, members, old.uuid if old else "", old.conf if old else 0)
        server = replace(node.server, view=view)
        if server.stage is Stage.JOINING and not server.by_copy:
            server = replace(server, stage=Stage.WAITING, donor="", until=None)
        world = world.put(replace(node, server=server))
    return world


def install(world: World, group: tuple[str, ...], before: View) -> World:
    """A new Primary view of everybody in `group`; it takes a number in the order of writes."""
    number, world = world.counted()
    members = frozenset(s.member for h in group if (s := world.nodes[h].server))
    view = View(number, True, members, before.uuid, before.conf + 1)
    top = max(_position(world, host, before).seqno for host in group) + 1
    for host in group:
        world = world.put(_installed(world.nodes[host], view, before, top))
    return world


def _position(world: World, host: str, before: View) -> Position:
    """Where a former member stands; somebody who only joins has no say."""
    node = world.nodes[host]
    assert node.server is not None
    if node.server.member in before.members and node.disk.position.uuid == before.uuid:
        return node.disk.position
    return Position()


def _installed(node: Node, view: View, before: View, top: int) -> Node:
    server, disk = node.server, node.disk
    assert server is not None
    last = LastView(server.member, view.number, view.members)
    alone = len(view.members) == 1
    state = disk.grastate
    if state is not None:
        state = replace(state, safe_to_bootstrap=alone)
    disk = replace(disk, last_view=last, grastate=state)
    known = state is not None and state.uuid == view.uuid
    level = known and disk.position == Position(view.uuid, top - 1)
    if level and server.stage is not Stage.JOINING:
        disk = replace(disk, position=Position(view.uuid, top))
        stage = server.stage if server.stage is Stage.DONOR else Stage.SYNCED
        server = replace(server, stage=stage, ready=True, until=None)
    elif server.stage is not Stage.JOINING:
        server = replace(server, stage=Stage.JOINING, donor="", until=None)
    return replace(node, server=replace(server, view=view, last_view=last), disk=disk)


def abort(world: World, node: Node, why: str) -> Node:
    """mariadbd ends by itself; systemd calls that failed."""
    broken = replace(node, server=None).with_unit("mariadb.service", active=Active.FAILED)
    return broken.said(world.now, "mariadb", f"[ERROR] WSREP: {why}: aborting")
