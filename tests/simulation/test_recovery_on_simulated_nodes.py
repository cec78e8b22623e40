"""From survey to the last join on simulated servers: the same probes, planners, scripts and proofs.

Two stories by default, one of them with everything that may come in between; all of them:

    NIGHTS=1 .venv/bin/python -m pytest -q tests/simulation/test_recovery_on_simulated_nodes.py
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nodes.domain.observation import ClusterFacts, SeenPosition
from nodes.domain.peers import PeerSettings
from nodes.domain.refusal import Refusal
from nodes.probes import traces
from nodes.probes.sweep import Sweep
from nodes.simulation import events
from nodes.simulation.cluster import SimulatedCluster
from nodes.simulation.world import Row
from nodes.transport.base import Command, Output
from operations.domain import guards
from operations.domain.plan import Plan, Step
from operations.domain.planners import PLANNERS
from operations.domain.proofs import PROOFS, Holds
from operations.domain.situation import Situation
from tests.simulation.scenario import SETTINGS, vendor
from tests.simulation.sides import APP, Simulated, run

A, B, C = HOSTS = ("10.0.0.11", "10.0.0.12", "10.0.0.13")
MARIADB = "mariadb.service"
long = pytest.mark.skipif(not os.environ.get("NIGHTS"), reason="NIGHTS=1 plays every story")


class Night:
    """A cluster with Galera, and a panel's hands without the panel."""

    def __init__(self, folder: Path) -> None:
        self.side = Simulated(SimulatedCluster.create(folder / "cluster", HOSTS))
        self.cluster = self.side.cluster
        for host in HOSTS:
            run(self.side, host, SETTINGS, f"{APP}/backend/.env", ",".join(HOSTS), A)
        assert set(vendor("galera_setup.sh", "init_cluster", 1, 2, 3)(self.side)) == {0}
        self.seen: dict[str, SeenPosition] = {}
        self.started: list[str] = []

    def happen(self, *what: events.Event) -> None:
        self.cluster.happen(*what)

    def write(self, host: str, times: int = 3) -> None:
        self.happen(*[events.Write(host)] * times)

    @property
    def committed(self) -> frozenset[Row]:
        return self.cluster.world.committed

    def situation(self, **params: Any) -> Situation:
        targets = [self.side.target(host) for host in HOSTS]
        facts = Sweep(targets, APP).run(self.side.connect)
        nodes = tuple(replace(node, gluster_volumes=(), gluster_peers=()) for node in facts.nodes)
        return Situation(
            "Office",
            APP,
            PeerSettings(HOSTS, HOSTS, A),
            1,
            ClusterFacts(nodes),
            params=params,
            now=time.time(),
            traces=traces.look(self.side.connect, targets),
            seen=self.seen,
        )

    def answer(self, procedure: str, **params: Any) -> Plan | Refusal:
        return PLANNERS[procedure](self.situation(**params))

    def plan(self, procedure: str, **params: Any) -> Plan:
        found = self.answer(procedure, **params)
        assert isinstance(found, Plan), found
        return found

    def refused(self, procedure: str, **params: Any) -> str:
        found = self.answer(procedure, **params)
        assert isinstance(found, Refusal), [str(step.title) for step in found.steps]
        return found.code

    def does(self, plan: Plan, only: int | None = None) -> None:
        for step in plan.steps[:only]:
            self.step(step)

    def step(self, step: Step) -> None:
        refusal = guards.refused(step.guard, self.situation())
        assert refusal is None, refusal
        done = self.tell(step)
        assert done.exit_code == 0, (step.title, done.text, done.stderr)
        kind, args = PROOFS[step.proof.name], step.proof_for("r1").args
        probes = kind.probes(args, step.node, HOSTS)
        deadline = time.monotonic() + 30
        while True:
            outputs = {p.host: run(self.side, p.host, p.script, *p.args) for p in probes}
            verdict = kind.judge(args, outputs)
            if isinstance(verdict, Holds):
                self.started.append(step.key)
                return
            assert time.monotonic() < deadline, verdict.sentence
            time.sleep(0.1)

    def tell(self, step: Step) -> Output:
        argv = step.argv_for("r1")
        command = Command(argv, timeout_s=120)
        return self.side.connect(self.side.target(step.node)).run(command)

    def whole(self) -> None:
        """Every server Synced in one component with everything that was committed."""
        world = self.cluster.world
        views = {n.server.view for n in world.nodes.values() if n.server}
        assert len(views) == 1
        assert all(n.server and n.server.ready for n in world.nodes.values())
        assert all(world.committed <= n.disk.rows for n in world.nodes.values())


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    made = Night(tmp_path)
    yield made
    for host in HOSTS:
        made.side.power_off(host)


def test_all_killed_at_different_positions_and_the_primary_behind(night: Night) -> None:
    """With a marker left, and a worker that dies between the bootstrap and the first join."""
    night.write(A)
    night.happen(events.KillDatabase(A), events.Pass(5))
    night.write(B)
    night.happen(events.KillDatabase(B), events.KillDatabase(C), events.MarkNewCluster(C))
    assert night.refused("recover_galera") == "positions_unknown"
    night.does(night.plan("survey_galera"))
    assert not night.cluster.node(C).new_cluster
    plan = night.plan("recover_galera")
    assert [(s.key, s.node) for s in plan.steps] == [
        ("bootstrap-2", B),
        ("join-1", A),
        ("join-3", C),
        ("agree-1", A),
    ]
    assert [gate.kind for gate in plan.gates] == ["typed"]
    night.does(plan, only=1)
    refusal = guards.refused(plan.steps[0].guard, night.situation())
    assert refusal
    assert refusal.code == "somebody_runs"
    assert b"runs or starts here already" in night.tell(plan.steps[0]).stderr
    for step in plan.steps[1:]:
        night.step(step)
    night.whole()


@long
def test_all_switched_off_and_on_again(night: Night) -> None:
    """Each one is started at boot and finds nobody; that is stopped before the positions are read."""
    night.write(A)
    for host in (C, B, A):
        night.side.power_off(host)
    for host in HOSTS:
        night.side.power_on(host)
    plan = night.plan("survey_galera")
    assert [stage.key for stage in plan.stages] == ["halt", "positions"]
    night.does(plan)
    night.does(night.plan("recover_galera"))
    night.whole()


def test_a_power_cut_of_all_needs_no_bootstrap(night: Night) -> None:
    night.write(A)
    night.happen(*(events.KillDatabase(host) for host in HOSTS))
    plan = night.plan("recover_galera")
    assert [stage.key for stage in plan.stages] == ["start", "formed", "agree"]
    assert plan.gates == ()
    night.does(plan)
    night.whole()


@long
def test_one_without_a_majority_beside_two_that_were_wiped(night: Night) -> None:
    night.write(A)
    night.happen(events.KillDatabase(B), events.KillDatabase(C), events.Pass(5))
    world = night.cluster.world
    for host in (B, C):
        folder = night.cluster.root(host) / "var/lib/mysql"
        for file in ("grastate.dat", "gvwstate.dat"):
            (folder / file).unlink(missing_ok=True)
    assert world.nodes[A].server
    night.does(night.plan("survey_galera"))
    plan = night.plan("recover_galera")
    assert [s.key for s in plan.steps] == ["primary-1", "join-2", "join-3"]
    assert [gate.id for gate in plan.gates] == ["data-replaced", "bootstrap"]
    night.does(plan)
    night.whole()


@long
def test_what_was_started_since_voids_the_position(night: Night) -> None:
    night.write(A)
    night.happen(*(events.StopUnit(host, MARIADB) for host in (C, B, A)))
    night.does(night.plan("survey_galera"))
    plan = night.plan("recover_galera")
    night.happen(events.StartUnit(B, MARIADB), events.Pass(60), events.ResetFailed(B, MARIADB))
    refusal = guards.refused(plan.steps[0].guard, night.situation())
    assert refusal
    assert refusal.code == "position_moved"
    assert night.refused("recover_galera") == "positions_unknown"


@long
def test_a_bootstrap_is_not_repeated_when_somebody_is_primary(night: Night) -> None:
    """The worker died between the bootstrap and the first join; another plan only joins."""
    night.write(A)
    night.happen(*(events.StopUnit(host, MARIADB) for host in (C, B, A)))
    night.does(night.plan("survey_galera"))
    plan = night.plan("recover_galera")
    night.does(plan, only=1)
    assert plan.steps[0].key == "bootstrap-1"
    refusal = guards.refused(plan.steps[0].guard, night.situation())
    assert refusal
    assert refusal.code == "somebody_runs"
    again = night.tell(plan.steps[0])
    assert again.exit_code != 0
    assert b"runs or starts here already" in again.stderr
    rest = night.plan("recover_galera")
    assert [s.key for s in rest.steps] == ["join-2", "join-3"]
    night.does(rest)
    night.whole()


@long
def test_a_silent_node_is_given_up_by_name_only(night: Night) -> None:
    night.write(A)
    night.happen(*(events.StopUnit(host, MARIADB) for host in (C, B, A)))
    night.side.power_off(C)
    night.does(night.plan("survey_galera"))
    assert night.refused("recover_galera") == "node_unknown"
    plan = night.plan("recover_galera", accept=[f"silent:{C}"])
    assert [(gate.id, gate.kind) for gate in plan.gates] == [
        ("override-1", "override"),
        ("bootstrap", "typed"),
    ]
    assert C in str(plan.gates[0].why)
    assert [s.node for s in plan.steps] == [A, B]
    night.side.power_on(C)
    night.happen(events.Pass(30))
    night.does(night.plan("survey_galera"))
    night.does(night.plan("recover_galera"))
    night.whole()


@long
def test_a_server_that_was_alone_last_joins_and_is_no_cluster_of_its_own(night: Night) -> None:
    """Its gvwstate.dat names only itself. It does not hear the others, the panel hears them all."""
    night.happen(*(events.StopUnit(host, MARIADB) for host in (A, B)))
    night.happen(events.KillDatabase(C), events.Pass(5))
    state = night.cluster.node(A).disk.grastate
    assert state
    night.happen(events.EditGrastate(A, replace(state, safe_to_bootstrap=True)))
    night.happen(events.NewCluster(A), events.StartUnit(B, MARIADB), events.Pass(5))
    night.write(A)
    night.happen(events.Partition(C))
    (step,) = night.plan("start_node", node=C).steps
    assert b"gvwstate.dat is set aside" in night.tell(step).stdout
    night.happen(events.Pass(5))
    alone = night.cluster.node(C).server
    assert alone is None or alone.view is None or not alone.view.primary
    night.happen(events.Rejoin(C), events.ResetFailed(C, MARIADB))
    night.step(step)
    night.whole()


@long
def test_a_copy_is_kept_before_the_start(night: Night) -> None:
    night.write(A)
    night.happen(*(events.StopUnit(host, MARIADB) for host in (C, B, A)))
    night.does(night.plan("survey_galera"))
    plan = night.plan("recover_galera", copy="yes")
    assert plan.steps[0].key == "copy-1"
    night.does(plan, only=2)
    kept = night.cluster.root(A) / "var/lib/clusterpanel/recovery/copy-r1/grastate.dat"
    assert "seqno" in kept.read_text()


@long
def test_less_than_was_seen_is_refused(night: Night) -> None:
    night.write(A)
    at = night.cluster.node(A).disk.position
    night.seen = {C: SeenPosition(at.uuid, at.seqno + 50, 1.0)}
    night.happen(*(events.StopUnit(host, MARIADB) for host in (C, B, A)))
    night.does(night.plan("survey_galera"))
    assert night.refused("recover_galera") == "went_backwards"
    token = f"seen:{C}:{at.uuid}:{at.seqno + 50}"
    assert night.plan("recover_galera", accept=[token]).gates[0].subject == token
