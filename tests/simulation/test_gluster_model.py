"""Peers, bricks, quorum of a client and mounts, after each way of losing servers."""

from __future__ import annotations

from dataclasses import replace

from nodes.simulation.events import (
    CreateVolume,
    EnableUnit,
    Event,
    Mount,
    Partition,
    PowerCut,
    PowerOff,
    PowerOn,
    ProbePeer,
    StartUnit,
    StartVolume,
    StopUnit,
    Write,
    WriteFiles,
)
from nodes.simulation.glusterfs import pending, serves
from nodes.simulation.world import World, new_world
from tests.simulation.clusters import GLUSTERD, HOSTS, A, B, C, after, told

STORAGE, V = "/storage", "dpiui2"


def volume() -> World:
    """Three servers, one volume, mounted everywhere."""
    world = new_world(HOSTS)
    up: list[Event] = []
    for host in HOSTS:
        up += [EnableUnit(host, GLUSTERD), StartUnit(host, GLUSTERD)]
    bricks = tuple((host, "/data/brick1") for host in HOSTS)
    world = after(world, *up, ProbePeer(A, B), ProbePeer(A, C))
    world = after(world, CreateVolume(A, V, bricks, 3), StartVolume(A, V))
    return after(world, *(Mount(host, STORAGE, V) for host in HOSTS))


def bricks(world: World) -> list[bool]:
    return [V in world.nodes[host].bricks for host in HOSTS]


def test_everybody_learns_of_a_new_peer() -> None:
    world = volume()
    assert {host: set(world.nodes[host].pool.peers) for host in HOSTS} == {
        A: {B, C},
        B: {A, C},
        C: {A, B},
    }


def test_one_server_less_still_serves_and_two_less_do_not() -> None:
    world = after(volume(), PowerOff(C))
    assert serves(world, A, V)

    assert not serves(after(world, PowerOff(B)), A, V)


def test_a_server_alone_after_a_full_stop_starts_no_brick_until_a_peer_is_there() -> None:
    off = after(volume(), *(PowerOff(host) for host in HOSTS))
    world = after(off, PowerOn(A))
    assert bricks(world) == [False, False, False]

    assert bricks(after(world, PowerOn(B))) == [True, True, False]


def test_a_mount_is_gone_with_the_power_and_comes_by_hand() -> None:
    world = after(volume(), PowerCut(C), PowerOn(C))
    assert world.nodes[C].mounts == {}

    assert told(world, Mount(C, STORAGE, V)).exit_code == 0
    assert told(world, Mount(A, STORAGE, V)).exit_code == 32


def test_files_written_meanwhile_wait_for_the_brick_that_was_away() -> None:
    world = after(volume(), PowerCut(C), WriteFiles(A, V, 4))
    assert [pending(world, world.volumes[V], host) for host in HOSTS] == [4, 4, None]

    world = after(world, PowerOn(C))
    assert [pending(world, world.volumes[V], host) for host in HOSTS] == [0, 0, 0]


def test_a_client_cut_off_alone_cannot_write() -> None:
    world = after(volume(), Partition(C))
    assert (serves(world, A, V), serves(world, C, V)) == (True, False)
    assert told(world, WriteFiles(C, V)).exit_code == 1


def test_a_stopped_daemon_takes_its_brick_with_it_and_the_mount_stays() -> None:
    world = after(volume(), StopUnit(C, GLUSTERD))
    assert bricks(world) == [True, True, False]
    assert (world.nodes[C].mounts, serves(world, C, V)) == ({STORAGE: V}, True)


def test_a_volume_needs_peers_that_answer() -> None:
    world = after(new_world(HOSTS), StartUnit(A, GLUSTERD), StartUnit(B, GLUSTERD))
    world = after(world, ProbePeer(A, B))
    reply = told(world, CreateVolume(A, V, ((A, "/b"), (B, "/b"), (C, "/b")), 3))
    assert "not in 'Peer in Cluster' state" in reply.stderr


def test_nothing_can_be_typed_on_a_server_that_is_off() -> None:
    assert told(after(volume(), PowerOff(A)), Write(A)).exit_code == 255


def test_at_boot_only_the_last_server_finds_enough_bricks_for_its_mount() -> None:
    world = after(volume(), *(PowerOff(host) for host in HOSTS))
    for host in HOSTS:
        world = world.put(replace(world.nodes[host], fstab={STORAGE: V}))

    world = after(world, *(PowerOn(host) for host in HOSTS))

    assert [world.nodes[host].mounts for host in HOSTS] == [{}, {}, {STORAGE: V}]
    assert told(world, Mount(A, STORAGE, V)).exit_code == 0
