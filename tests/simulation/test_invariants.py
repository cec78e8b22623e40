"""Whatever happens in whatever order, the simulated servers keep Galera's and GlusterFS' promises.

`make test` replays the same few histories each time. Tens of thousands, other ones at each start:

    HISTORIES=20000 .venv/bin/python -m pytest -q tests/simulation/test_invariants.py

Nobody forces anything in the first machine: no edited grastate.dat, no pc.bootstrap. In the second
one people do, and only what holds even then is asked.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from nodes.simulation import events, glusterfs
from nodes.simulation.apply import apply
from nodes.simulation.skin import codec
from nodes.simulation.world import QUICK, REAL, Active, Grastate, Node, Stage, View, World
from tests.simulation.clusters import GLUSTERD, HOSTS, MARIADB, A, B, C, after, galera

ANY = st.sampled_from(HOSTS)
GIVING = (Stage.SYNCED, Stage.DONOR)
STORAGE, V = "/storage", "dpiui2"
BRICKS = tuple((host, "/data/brick1") for host in HOSTS)


def members(world: World) -> list[Node]:
    """Nodes that serve in a Primary component."""
    return [
        node
        for node in world.nodes.values()
        if node.server and node.server.view and node.server.view.primary
        if node.server.stage in GIVING
    ]


def primary(world: World) -> View | None:
    """The Primary component's view, if there is one."""
    return next((n.server.view for n in members(world) if n.server), None)


class Unforced(RuleBasedStateMachine):
    @initialize(pace=st.sampled_from([QUICK, REAL]))
    def a_cluster(self, pace: object) -> None:
        self.world = after(galera(pace=REAL if pace is REAL else QUICK), events.Pass(60))
        for host in HOSTS:
            self.happen(events.EnableUnit(host, GLUSTERD), events.StartUnit(host, GLUSTERD))
        self.happen(events.ProbePeer(A, B), events.ProbePeer(A, C))
        self.happen(events.CreateVolume(A, V, BRICKS, 3), events.StartVolume(A, V))
        self.happen(*(events.Mount(host, STORAGE, V) for host in HOSTS))
        self.primary: View | None = primary(self.world)
        self.said_goodbye: set[str] = set()

    def happen(self, *what: events.Event) -> None:
        for event in what:
            if isinstance(event, events.StopUnit | events.PowerOff):
                self.note_goodbye(event)
            self.world, _ = apply(self.world, event)

    def teardown(self) -> None:
        """However a history ends, it is stored and read back. Once: it takes as long as the rest."""
        assert codec.decode(codec.encode(self.world)) == self.world

    def note_goodbye(self, event: events.StopUnit | events.PowerOff) -> None:
        """Also of one that is still receiving its data, and leaves when it hears of it."""
        server = self.world.nodes[event.host].server
        only_files = isinstance(event, events.StopUnit) and event.unit != MARIADB
        if server is not None and not only_files:
            self.said_goodbye.add(server.member)

    @rule(host=ANY, times=st.integers(1, 3))
    def write(self, host: str, times: int) -> None:
        self.happen(*[events.Write(host)] * times)

    @rule(host=ANY)
    def stop(self, host: str) -> None:
        self.happen(events.StopUnit(host, MARIADB))

    @rule(host=ANY)
    def start(self, host: str) -> None:
        self.happen(events.ResetFailed(host, MARIADB), events.StartUnit(host, MARIADB))

    @rule(host=ANY, restarts=st.booleans())
    def kill(self, host: str, restarts: bool) -> None:
        self.happen(events.KillDatabase(host, restarts=restarts))

    @rule(host=ANY, entries=st.integers(1, 3))
    def write_files(self, host: str, entries: int) -> None:
        self.happen(events.WriteFiles(host, V, entries))

    @rule(host=ANY, running=st.booleans())
    def turn_glusterd(self, host: str, running: bool) -> None:
        start, stop = events.StartUnit(host, GLUSTERD), events.StopUnit(host, GLUSTERD)
        self.happen(events.ResetFailed(host, GLUSTERD), start if running else stop)

    @rule(host=ANY)
    def mount(self, host: str) -> None:
        self.happen(events.Mount(host, STORAGE, V))

    @rule(host=ANY)
    def cut_power(self, host: str) -> None:
        self.happen(events.PowerCut(host))

    @rule(host=ANY)
    def switch_off(self, host: str) -> None:
        self.happen(events.PowerOff(host))

    @rule(host=ANY)
    def switch_on(self, host: str) -> None:
        self.happen(events.PowerOn(host))

    @rule(host=ANY)
    def partition(self, host: str) -> None:
        self.happen(events.Partition(host))

    @rule(host=ANY)
    def rejoin(self, host: str) -> None:
        self.happen(events.Rejoin(host))

    @rule(host=ANY)
    def bootstrap(self, host: str) -> None:
        """With the flag that Galera itself left. Not beside a living component: that is force."""
        if not any(node.server for node in self.world.nodes.values()):
            self.happen(events.ResetFailed(host, MARIADB), events.NewCluster(host))

    @rule(seconds=st.sampled_from([0.5, 6.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.happen(events.Pass(seconds))

    @invariant()
    def a_running_server_has_a_unit_that_says_so(self) -> None:
        for node in self.world.nodes.values():
            state = node.unit(MARIADB).active
            assert (node.server is None) == (
                state in (Active.INACTIVE, Active.FAILED)
                or node.unit(MARIADB).restart_at is not None
            )

    @invariant()
    def nothing_runs_without_power(self) -> None:
        for node in self.world.nodes.values():
            assert node.up or (node.server, node.daemon, node.mounts) == (None, None, {})

    @invariant()
    def files_are_written_where_two_of_three_bricks_are_seen(self) -> None:
        volume = self.world.volumes[V]
        for client in HOSTS:
            seen = glusterfs.running(self.world, volume, client)
            up = self.world.nodes[client].up
            assert glusterfs.serves(self.world, client, V) == (up and len(seen) >= 2)

    @invariant()
    def what_was_written_lies_whole_on_two_bricks(self) -> None:
        assert len(self.world.volumes[V].stale) <= 1


class Peaceful(Unforced):
    @invariant()
    def a_primary_component_has_the_majority_of_the_one_before(self) -> None:
        """By counting names; where a view was passed over in one event nothing is asked."""
        before, now = self.primary, primary(self.world)
        if before and now and now.conf == before.conf + 1:
            expected = before.members - self.said_goodbye
            assert 2 * len(now.members & before.members) > len(expected)
        self.primary = now or before

    @invariant()
    def a_number_is_given_once(self) -> None:
        """Two halves that both went on would give it twice; a second cluster has another UUID."""
        assert len({row.uuid for row in self.world.committed}) <= 1
        assert len({row.seqno for row in self.world.committed}) == len(self.world.committed)

    @invariant()
    def one_node_at_most_may_bootstrap_and_it_has_every_committed_row(self) -> None:
        flagged = [
            node
            for node in self.world.nodes.values()
            if node.disk.grastate and node.disk.grastate.safe_to_bootstrap
        ]
        assert len(flagged) <= 1
        for node in flagged:
            assert self.world.committed <= node.disk.rows

    @invariant()
    def a_running_member_has_no_number_on_disk(self) -> None:
        for node in members(self.world):
            assert node.disk.grastate is not None
            assert node.disk.grastate.seqno == -1

    @invariant()
    def a_member_of_primary_has_every_committed_row_of_its_history(self) -> None:
        for node in members(self.world):
            uuid = node.disk.position.uuid
            wanted = {row for row in self.world.committed if row.uuid == uuid}
            assert wanted <= node.disk.rows

    @invariant()
    def the_flag_on_a_running_node_means_that_it_is_alone(self) -> None:
        for node in members(self.world):
            assert node.disk.grastate is not None
            assert node.server is not None
            assert node.server.view is not None
            alone = len(node.server.view.members) == 1
            assert node.disk.grastate.safe_to_bootstrap is alone

    @invariant()
    def one_history_has_one_primary_component(self) -> None:
        views = {
            (node.server.view.uuid, node.server.view.number)
            for node in members(self.world)
            if node.server and node.server.view
        }
        assert len({uuid for uuid, _ in views}) == len(views) <= 1

    @invariant()
    def the_members_of_one_view_are_alike(self) -> None:
        found = {
            (node.server.view.number, node.disk.position, node.disk.rows)
            for node in members(self.world)
            if node.server and node.server.view
        }
        assert len(found) <= 1


class Forced(Unforced):
    @rule(host=ANY)
    def force(self, host: str) -> None:
        self.happen(events.ForcePrimary(host))

    @rule(host=ANY, flag=st.booleans())
    def edit(self, host: str, flag: bool) -> None:
        state = self.world.nodes[host].disk.grastate or Grastate()
        edited = Grastate(state.uuid, state.seqno, flag)
        self.happen(events.EditGrastate(host, edited), events.NewCluster(host))

    @rule(host=ANY)
    def remove_files(self, host: str) -> None:
        self.happen(events.EditGrastate(host, None), events.RemoveLastView(host))


# The same histories each time, unless more of them are asked for.
HISTORIES = int(os.environ.get("HISTORIES", "0"))
common = settings(
    max_examples=HISTORIES or 60,
    derandomize=not HISTORIES,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestPeaceful = Peaceful.TestCase
TestPeaceful.settings = common
TestForced = Forced.TestCase
TestForced.settings = common
