"""`apply(world, event)`: the world after it, and what the command printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from nodes.simulation import events, glusterfs, machine, mariadb, units
from nodes.simulation.world import OK, Active, Node, Reply, World

Applied = tuple[World, Reply]
OFF = Reply(255, "", "the server does not answer\n")


def apply(world: World, event: events.Event) -> Applied:
    """Never raises for anything that can happen on a server. Nothing is typed on one that is off."""
    host = getattr(event, "host", "")
    power = events.PowerOn | events.PowerCut | events.PowerOff | events.Partition | events.Rejoin
    if host and not world.nodes[host].up and not isinstance(event, power):
        return world, OFF
    world, reply = _APPLY[type(event)](world, event)
    return machine.run_until(world, world.now), reply


def at(world: World, now: float) -> World:
    """The world as it is at `now`, which never is before what it was."""
    return machine.run_until(world, max(now, world.now))


def _start_unit(world: World, event: events.StartUnit) -> Applied:
    if event.unit == mariadb.UNIT:
        return mariadb.start(world, event.host)
    if event.unit == glusterfs.UNIT:
        return glusterfs.start(world, event.host)
    node = world.nodes[event.host]
    if event.unit not in node.units:
        return world, Reply(5, "", f"Failed to start {event.unit}: Unit {event.unit} not found.\n")
    return world.put(node.with_unit(event.unit, active=Active.ACTIVE)), OK


def _stop_unit(world: World, event: events.StopUnit) -> Applied:
    if event.unit == mariadb.UNIT:
        return mariadb.stop(world, event.host)
    if event.unit == glusterfs.UNIT:
        return glusterfs.stop(world, event.host), OK
    node = world.nodes[event.host]
    if event.unit not in node.units:
        words = f"Failed to stop {event.unit}: Unit {event.unit} not loaded.\n"
        return world, Reply(5, "", words)
    return world.put(node.with_unit(event.unit, active=Active.INACTIVE)), OK


def _kill(world: World, event: events.KillDatabase) -> Applied:
    return mariadb.kill(world, event.host, restarts=event.restarts), OK


def _add_account(world: World, event: events.AddAccount) -> Applied:
    world, reply = mariadb.write(world, event.host)
    if reply != OK:
        return world, reply
    view = world.nodes[event.host].server and world.nodes[event.host].server.view  # type: ignore[union-attr]
    for node in list(world.nodes.values()):
        same = node.host == event.host or (view and node.server and node.server.view == view)
        if same:
            accounts = node.disk.accounts | {event.account}
            world = world.put(replace(node, disk=replace(node.disk, accounts=accounts)))
    return world, OK


def _changed(change: Callable[[Node, Any], Node]) -> Callable[[World, Any], Applied]:
    """An event that changes one node and prints nothing."""

    def step(world: World, event: Any) -> Applied:
        return world.put(change(world.nodes[event.host], event)), OK

    return step


def _disk(change: Callable[[Any], Mapping[str, Any]]) -> Callable[[World, Any], Applied]:
    return _changed(lambda node, event: replace(node, disk=replace(node.disk, **change(event))))


def _quiet(act: Callable[[World, Any], World]) -> Callable[[World, Any], Applied]:
    return lambda world, event: (act(world, event), OK)


_APPLY: Mapping[type, Callable[[World, Any], Applied]] = {
    events.Pass: _quiet(lambda w, e: machine.run_until(w, w.now + e.seconds)),
    events.PowerCut: _quiet(lambda w, e: machine.power_cut(w, e.host)),
    events.PowerOff: _quiet(lambda w, e: machine.power_off(w, e.host)),
    events.PowerOn: _quiet(lambda w, e: machine.power_on(w, e.host)),
    events.Partition: _quiet(lambda w, e: machine.partition(w, e.host)),
    events.Rejoin: _quiet(lambda w, e: machine.rejoin(w, e.host)),
    events.StartUnit: _start_unit,
    events.StopUnit: _stop_unit,
    events.EnableUnit: _changed(lambda n, e: n.with_unit(e.unit, enabled=e.enabled)),
    events.ResetFailed: _changed(lambda n, e: units.reset_failed(n, e.unit)),
    events.KillDatabase: _kill,
    events.Configure: _disk(lambda e: {"wsrep_on": bool(e.peers), "peers": e.peers}),
    events.NewCluster: lambda w, e: mariadb.new_cluster(w, e.host),
    events.MarkNewCluster: _changed(lambda n, e: replace(n, new_cluster=e.marked)),
    events.Recover: lambda w, e: mariadb.recover(w, e.host),
    events.ForcePrimary: lambda w, e: mariadb.force_primary(w, e.host),
    events.EditGrastate: _disk(lambda e: {"grastate": e.state}),
    events.RemoveLastView: _disk(lambda e: {"last_view": None}),
    events.Write: lambda w, e: mariadb.write(w, e.host),
    events.AddAccount: _add_account,
    events.ProbePeer: lambda w, e: glusterfs.probe(w, e.host, e.peer),
    events.CreateVolume: lambda w, e: glusterfs.create(
        w, e.host, e.name, e.bricks, e.replica, e.arbiters
    ),
    events.StartVolume: lambda w, e: glusterfs.start_volume(w, e.host, e.name, force=e.force),
    events.StopVolume: lambda w, e: glusterfs.stop_volume(w, e.host, e.name),
    events.Mount: lambda w, e: glusterfs.mount(w, e.host, e.directory, e.name),
    events.Unmount: lambda w, e: glusterfs.unmount(w, e.host, e.directory),
    events.WriteFiles: lambda w, e: glusterfs.written(w, e.host, e.name, e.entries),
    events.FillDisk: _changed(lambda n, e: replace(n, full=e.full)),
}
