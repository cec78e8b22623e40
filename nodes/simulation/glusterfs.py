"""GlusterFS: who knows whom, which brick runs, who may read and write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from nodes.simulation import units
from nodes.simulation.quorum import client_serves
from nodes.simulation.world import OK, Active, Daemon, Node, Reply, Volume, World

UNIT = "glusterd.service"
NO_DAEMON = "Connection failed. Please check if gluster daemon is operational."


def start(world: World, host: str) -> tuple[World, Reply]:
    node = world.nodes[host]
    if node.daemon is not None:
        return world, OK
    if units.too_often(world, node, UNIT):
        return units.refuse(world, node, UNIT)
    node = replace(units.begin(world, node, UNIT), daemon=Daemon())
    return greet(world.put(node.with_unit(UNIT, active=Active.ACTIVE))), OK


def stop(world: World, host: str) -> World:
    """The unit's control group is stopped whole, its bricks too (KillMode=control-group)."""
    node = world.nodes[host]
    rest = Active.INACTIVE if node.daemon is not None else node.unit(UNIT).active
    stopped = replace(node, daemon=None, bricks=frozenset())
    return world.put(stopped.with_unit(UNIT, active=rest))


def greet(world: World) -> World:
    """Daemons that reach each other shake hands; then they start what should run.

    In a pool with two or more peers a daemon alone starts no brick before its first handshake.
    """
    for host in world.hosts:
        node = world.nodes[host]
        if node.daemon is None or node.daemon.greeted:
            continue
        few = len(node.pool.peers) < 2
        if few or any(connected(world, host, peer) for peer in node.pool.peers):
            world = world.put(_spawn(world, replace(node, daemon=Daemon(greeted=True))))
    return world


def _spawn(world: World, node: Node) -> Node:
    wanted = {v.name for v in world.volumes.values() if v.started and node.host in v.hosts}
    return replace(node, bricks=node.bricks | wanted)


def connected(world: World, host: str, peer: str) -> bool:
    """Whether two glusterd of one pool speak to each other."""
    both = world.nodes[host].daemon is not None and world.nodes[peer].daemon is not None
    return both and world.reach(host, peer)


def knows(world: World, host: str, volume: Volume) -> bool:
    node = world.nodes[host]
    return host in volume.hosts or any(peer in volume.hosts for peer in node.pool.peers)


def probe(world: World, host: str, peer: str) -> tuple[World, Reply]:
    """`gluster peer probe`: the newcomer becomes one of the pool; everybody learns of it."""
    if world.nodes[host].daemon is None:
        return world, Reply(1, "", NO_DAEMON + "\n")
    if peer == host:
        return world, Reply(0, "peer probe: Probe on localhost not needed\n")
    if peer not in world.nodes or not connected(world, host, peer):
        words = "peer probe: failed: Probe returned with Transport endpoint is not connected\n"
        return world, Reply(1, "", words)
    if peer in world.nodes[host].pool.peers:
        return world, Reply(0, f"peer probe: Host {peer} port 24007 already in peer list\n")
    pool = {host, *world.nodes[host].pool.peers, peer}
    for member in pool:
        world = world.put(_introduced(world, world.nodes[member], pool, host))
    return world, Reply(0, "peer probe: success\n")


def _introduced(world: World, node: Node, pool: set[str], prober: str) -> Node:
    """Everybody but itself knows the one who probes by the name that its address resolves to."""
    known = node.pool
    others = (h for h in world.hosts if h in pool - {node.host, *known.peers})
    called = dict(known.called)
    if prober not in (node.host, *known.peers):
        called[prober] = world.nodes[prober].name
    return replace(node, pool=replace(known, peers=(*known.peers, *others), called=called))


def create(
    world: World,
    host: str,
    name: str,
    bricks: Iterable[tuple[str, str]],
    replica: int,
    arbiters: int,
) -> tuple[World, Reply]:
    if world.nodes[host].daemon is None:
        return world, Reply(1, "", NO_DAEMON + "\n")
    if name in world.volumes:
        return world, Reply(1, "", f"volume create: {name}: failed: Volume {name} already exists\n")
    bricks = tuple(bricks)
    if fault := next(filter(None, (_unfit(world, host, *brick) for brick in bricks)), ""):
        return world, Reply(1, "", f"volume create: {name}: failed: {fault}\n")
    number, world = world.counted()
    volume = Volume(name, number, bricks, replica, arbiters)
    words = f"volume create: {name}: success: please start the volume to access data\n"
    return _store(world, volume), Reply(0, words)


def _unfit(world: World, host: str, peer: str, path: str) -> str:
    """Why a brick cannot be taken; "" when it can."""
    known = peer == host or peer in world.nodes[host].pool.peers
    if not known or (peer != host and not connected(world, host, peer)):
        return f"Host {peer} is not in 'Peer in Cluster' state"
    if any((peer, path) in volume.bricks for volume in world.volumes.values()):
        return f"{path} is already part of a volume"
    return ""


def _store(world: World, volume: Volume) -> World:
    return replace(world, volumes={**world.volumes, volume.name: volume})


def start_volume(world: World, host: str, name: str, *, force: bool = False) -> tuple[World, Reply]:
    if world.nodes[host].daemon is None:
        return world, Reply(1, "", NO_DAEMON + "\n")
    volume = world.volumes.get(name)
    if volume is None:
        words = f"volume start: {name}: failed: Volume {name} does not exist\n"
        return world, Reply(1, "", words)
    if volume.started and not force:
        return world, Reply(1, "", f"volume start: {name}: failed: Volume {name} already started\n")
    world = _store(world, replace(volume, started=True))
    for peer in volume.hosts:
        if peer == host or connected(world, host, peer):
            node = world.nodes[peer]
            world = world.put(replace(node, bricks=node.bricks | {name}))
    return world, Reply(0, f"volume start: {name}: success\n")


def stop_volume(world: World, host: str, name: str) -> tuple[World, Reply]:
    volume = world.volumes.get(name)
    if world.nodes[host].daemon is None or volume is None:
        return world, Reply(1, "", f"volume stop: {name}: failed: Volume {name} does not exist\n")
    for peer in volume.hosts:
        node = world.nodes[peer]
        world = world.put(replace(node, bricks=node.bricks - {name}))
    return _store(world, replace(volume, started=False)), Reply(
        0, f"volume stop: {name}: success\n"
    )


def running(world: World, volume: Volume, client: str) -> tuple[str, ...]:
    """The hosts whose brick a client on `client` is connected to."""
    return tuple(
        host
        for host in volume.hosts
        if volume.name in world.nodes[host].bricks and world.reach(client, host)
    )


def serves(world: World, client: str, name: str) -> bool:
    """Whether files of the volume can be read and written on `client`."""
    volume = world.volumes.get(name)
    if volume is None or not volume.started or not world.nodes[client].up:
        return False
    seen = running(world, volume, client)
    return client_serves(len(volume.bricks), len(seen), first=volume.hosts[0] in seen)


def mount(world: World, host: str, directory: str, name: str) -> tuple[World, Reply]:
    """`mount -t glusterfs localhost:/NAME DIRECTORY`; the local daemon hands out the settings."""
    node = world.nodes[host]
    failed = Reply(1, "", "Mount failed. Check the log file  for more details.\n")
    if directory in node.mounts:
        words = f"/sbin/mount.glusterfs: according to mtab, GlusterFS is already mounted on {directory}\n"
        return world, Reply(32, "", words)
    volume = world.volumes.get(name)
    if node.daemon is None or volume is None or not knows(world, host, volume):
        return world, failed
    if not serves(world, host, name):
        return world, failed
    return world.put(replace(node, mounts={**node.mounts, directory: name})), OK


def unmount(world: World, host: str, directory: str) -> tuple[World, Reply]:
    node = world.nodes[host]
    if directory not in node.mounts:
        return world, Reply(32, "", f"umount: {directory}: not mounted.\n")
    rest = {path: name for path, name in node.mounts.items() if path != directory}
    return world.put(replace(node, mounts=rest)), OK


def written(world: World, host: str, name: str, entries: int) -> tuple[World, Reply]:
    """Files were written through `host`: bricks that were not there have to be given them."""
    volume = world.volumes.get(name)
    if volume is None or not serves(world, host, name):
        return world, Reply(1, "", "Transport endpoint is not connected\n")
    seen = running(world, volume, host)
    stale = {h: volume.stale.get(h, 0) + (0 if h in seen else entries) for h in volume.hosts}
    return _store(world, replace(volume, stale={h: n for h, n in stale.items() if n})), OK


def heal(world: World) -> World:
    """Every brick that runs beside another one is given what it missed."""
    for volume in list(world.volumes.values()):
        rest = {h: n for h, n in volume.stale.items() if not _healed(world, volume, h)}
        if rest != volume.stale:
            world = _store(world, replace(volume, stale=rest))
    return world


def _healed(world: World, volume: Volume, host: str) -> bool:
    seen = running(world, volume, host)
    return host in seen and len(seen) > 1


def pending(world: World, volume: Volume, host: str) -> int | None:
    """Entries that `host`'s brick keeps for others; None when that brick does not run."""
    if volume.name not in world.nodes[host].bricks:
        return None
    return sum(entries for other, entries in volume.stale.items() if other != host)
