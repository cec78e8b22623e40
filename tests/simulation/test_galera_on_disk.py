"""What grastate.dat, gvwstate.dat and InnoDB say after each way of coming to a stop."""

from __future__ import annotations

from nodes.simulation.events import (
    Configure,
    EditGrastate,
    Event,
    KillDatabase,
    MarkNewCluster,
    NewCluster,
    Pass,
    PowerCut,
    PowerOff,
    PowerOn,
    Recover,
    RemoveLastView,
    ResetFailed,
    StartUnit,
    StopUnit,
    Write,
)
from nodes.simulation.world import (
    NULL_UUID,
    REAL,
    Active,
    Grastate,
    Position,
    Stage,
    World,
    new_world,
)
from tests.simulation.clusters import HOSTS, MARIADB, A, B, C, after, component, galera, told


def flags(world: World) -> dict[str, bool | None]:
    states = {host: world.nodes[host].disk.grastate for host in HOSTS}
    return {host: state.safe_to_bootstrap if state else None for host, state in states.items()}


def seqnos(world: World) -> list[int]:
    return [s.seqno for host in HOSTS if (s := world.nodes[host].disk.grastate)]


def positions(world: World) -> list[int]:
    return [world.nodes[host].disk.position.seqno for host in HOSTS]


def test_a_running_member_has_no_number_on_its_disk() -> None:
    world = galera()
    assert seqnos(world) == [-1, -1, -1]
    assert flags(world) == {A: False, B: False, C: False}


def test_each_one_that_stops_leaves_its_number_and_the_last_one_the_flag() -> None:
    """Every view takes a number too: 3 joins, then 1 write between two goodbyes."""
    world = after(
        galera(), StopUnit(C, MARIADB), Write(A), StopUnit(B, MARIADB), StopUnit(A, MARIADB)
    )
    assert seqnos(world) == [6, 5, 3]
    assert flags(world) == {A: True, B: False, C: False}
    assert [world.nodes[host].disk.last_view for host in HOSTS] == [None] * 3


def test_the_last_survivor_has_the_flag_while_it_runs() -> None:
    world = after(galera(), StopUnit(C, MARIADB), StopUnit(B, MARIADB))
    assert flags(world)[A] is True
    assert component(world.nodes[A]) == "Primary 1"


def test_after_a_clean_power_cycle_every_file_says_minus_one() -> None:
    off = after(galera(), *(PowerOff(host) for host in HOSTS))
    world = after(off, *(PowerOn(host) for host in HOSTS), Pass(60))
    assert seqnos(world) == [-1, -1, -1]
    assert flags(world) == {A: False, B: False, C: True}
    assert positions(world) == [3, 4, 5]
    assert [world.nodes[h].unit(MARIADB).active for h in HOSTS] == [Active.FAILED] * 3


def test_after_a_power_cut_of_all_the_cluster_forms_again_by_itself() -> None:
    dark = after(galera(pace=REAL), Pass(60), *(PowerCut(host) for host in HOSTS))
    world = after(dark, *(PowerOn(host) for host in HOSTS), Pass(60))
    assert {component(world.nodes[host]) for host in HOSTS} == {"Primary 3"}


def test_a_bootstrap_without_the_flag_is_refused_and_takes_the_number_away() -> None:
    stopped = after(galera(), *(StopUnit(host, MARIADB) for host in (C, B, A)))
    reply = told(stopped, NewCluster(C))
    assert reply.exit_code == 1

    world = after(stopped, NewCluster(C))
    assert world.nodes[C].unit(MARIADB).active is Active.FAILED
    assert "may not be safe" in world.nodes[C].journal[-1][2]
    assert world.nodes[C].disk.grastate == Grastate(
        world.nodes[C].disk.position.uuid, -1, safe_to_bootstrap=False
    )


def test_a_bootstrap_with_the_flag_goes_on_with_the_same_history() -> None:
    stopped = after(galera(), *(StopUnit(host, MARIADB) for host in (C, B, A)))
    uuid = stopped.nodes[A].disk.position.uuid

    world = after(stopped, NewCluster(A), StartUnit(B, MARIADB), StartUnit(C, MARIADB))

    assert {world.nodes[h].disk.position for h in HOSTS} == {Position(uuid, 8)}


def test_a_missing_grastate_is_no_refusal_but_a_new_history() -> None:
    """The trap: Galera takes a missing file for "safe"."""
    stopped = after(galera(), *(StopUnit(host, MARIADB) for host in (C, B, A)))
    old = stopped.nodes[C].disk.position.uuid

    world = after(stopped, EditGrastate(C, None), NewCluster(C))

    assert component(world.nodes[C]) == "Primary 1"
    assert world.nodes[C].disk.position.uuid not in (old, NULL_UUID)


def test_initialising_again_replaces_what_the_joiner_had() -> None:
    begun = after(galera(), Write(A), StopUnit(A, MARIADB), EditGrastate(A, None), NewCluster(A))
    assert component(begun.nodes[B]) == "Primary 2"
    second = begun.nodes[A].disk.position.uuid
    assert begun.nodes[B].disk.position.uuid != second

    world = after(begun, StopUnit(B, MARIADB), StopUnit(C, MARIADB), StartUnit(B, MARIADB))

    assert world.nodes[B].disk.position.uuid == second


def test_while_a_full_copy_runs_the_joiner_has_nothing() -> None:
    world = new_world(HOSTS, pace=REAL)
    start: Event = StartUnit(B, MARIADB)
    world = after(world, Configure(A, HOSTS), StopUnit(A, MARIADB), NewCluster(A))
    world = after(world, Configure(B, HOSTS), StopUnit(B, MARIADB), start)

    joiner, donor = world.nodes[B], world.nodes[A]
    assert joiner.disk.grastate == Grastate(NULL_UUID, -1, safe_to_bootstrap=False)
    assert joiner.disk.sst_in_progress
    assert joiner.disk.rows == frozenset()
    assert donor.server is not None
    assert donor.server.stage is Stage.DONOR

    world = after(world, Pass(10))
    assert world.nodes[B].disk.rows == world.nodes[A].disk.rows
    assert not world.nodes[B].disk.sst_in_progress


def test_a_joiner_whose_donor_dies_is_left_without_a_state() -> None:
    world = new_world(HOSTS, pace=REAL)
    world = after(world, Configure(A, HOSTS), StopUnit(A, MARIADB), NewCluster(A))
    world = after(world, Configure(B, HOSTS), StopUnit(B, MARIADB), StartUnit(B, MARIADB))

    world = after(world, Pass(1), PowerCut(A), Pass(30))

    assert world.nodes[B].unit(MARIADB).active is Active.FAILED
    assert world.nodes[B].disk.grastate == Grastate(NULL_UUID, -1, safe_to_bootstrap=False)
    assert not world.nodes[B].disk.position.real


def test_recovery_prints_what_innodb_has_not_what_the_file_says() -> None:
    world = after(galera(), KillDatabase(C), Write(A), KillDatabase(A), KillDatabase(B))
    uuid = world.nodes[A].disk.position.uuid

    assert told(world, Recover(C)).stdout == f"--wsrep_start_position={uuid}:3\n"
    assert told(world, Recover(A)).stdout == f"--wsrep_start_position={uuid}:5\n"


def test_recovery_fails_beside_a_running_server() -> None:
    assert told(galera(), Recover(A)).exit_code == 1


def test_without_its_last_view_a_node_waits_half_a_minute_and_fails() -> None:
    dead = after(galera(pace=REAL), Pass(60), KillDatabase(A), KillDatabase(B), KillDatabase(C))
    world = after(dead, RemoveLastView(B), StartUnit(A, MARIADB), StartUnit(B, MARIADB), Pass(40))

    assert world.nodes[B].unit(MARIADB).active is Active.FAILED
    assert world.nodes[A].unit(MARIADB).active is Active.ACTIVATING


def test_a_stop_does_not_end_a_server_that_waits_for_its_old_view() -> None:
    """Seen on real servers: SIGTERM is not heard before the first Primary component."""
    dead = after(galera(), KillDatabase(A), KillDatabase(B), KillDatabase(C))
    world = after(dead, StartUnit(A, MARIADB), StopUnit(A, MARIADB), Pass(600))
    assert world.nodes[A].unit(MARIADB).active is Active.DEACTIVATING

    world = after(world, KillDatabase(A), ResetFailed(A, MARIADB))
    assert world.nodes[A].unit(MARIADB).active is Active.INACTIVE


def test_a_sixth_start_within_ten_seconds_is_refused_until_the_count_is_reset() -> None:
    world = after(galera(), *(StopUnit(host, MARIADB) for host in (C, B, A)), Pass(20))
    for _ in range(5):
        world = after(world, NewCluster(C))
    assert "repeated too quickly" not in world.nodes[C].journal[-1][2]

    world = after(world, NewCluster(C))
    assert "repeated too quickly" in world.nodes[C].journal[-1][2]

    world = after(world, ResetFailed(C, MARIADB), EditGrastate(C, None), NewCluster(C))
    assert component(world.nodes[C]) == "Primary 1"


def test_a_marker_left_behind_makes_the_next_plain_start_a_second_cluster() -> None:
    world = after(galera(), StopUnit(A, MARIADB), EditGrastate(A, None), MarkNewCluster(A))

    world = after(world, StartUnit(A, MARIADB))

    uuids = {view.uuid for h in HOSTS if (s := world.nodes[h].server) and (view := s.view)}
    assert len(uuids) == 2


def test_writes_are_refused_without_a_primary_component() -> None:
    world = after(galera(), KillDatabase(B), KillDatabase(C))
    reply = told(world, Write(A))
    assert (reply.exit_code, "1047" in reply.stderr) == (1, True)
