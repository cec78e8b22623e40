"""The quick question of a beat, run by a real shell on simulated servers."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from nodes.domain.observation import MountFacts, NodeFacts
from nodes.domain.parse_node import carried
from nodes.probes.sweep import Known, Sweep
from nodes.simulation import events
from nodes.simulation.cluster import SimulatedCluster
from nodes.transport import simulated
from nodes.transport.base import Target
from tests.simulation.sides import APP, Simulated

# These are never twice the same.
MOVING = {
    "taken_at",
    "clock_offset_s",
    "uptime_s",
    "load1",
    "memory",
    "disk_free",
    "read_at",
    "extra",
}


def test_it_tells_what_the_whole_one_tells(tmp_path: Path) -> None:
    side = Simulated(SimulatedCluster.create(tmp_path / "cluster", ("10.0.0.11",)))
    target = side.target("10.0.0.11")
    whole, quick = asked(side, target, Known()), asked(side, target, Known(quick=True, write=False))
    merged = carried(quick, whole)
    same = {f.name for f in fields(NodeFacts)} - MOVING
    assert {name: getattr(merged, name) for name in same} == {
        name: getattr(whole, name) for name in same
    }
    assert merged.extra["enabled"] == whole.extra["enabled"]
    assert set(merged.disk_free) == set(whole.disk_free)  # type: ignore[arg-type]


def test_the_marker_may_be_asked_with_it(tmp_path: Path) -> None:
    side = Simulated(SimulatedCluster.create(tmp_path / "cluster", ("10.0.0.11",)))
    target = side.target("10.0.0.11")
    whole = asked(side, target, Known())
    assert whole.bootstrap_marker == ""
    quick = asked(side, target, Known(quick=True))
    assert carried(quick, whole).bootstrap_marker == ""
    side.cluster.happen(events.MarkNewCluster("10.0.0.11"))
    seen = asked(side, target, Known(quick=True, marker=True))
    assert "wsrep-new-cluster" in str(carried(seen, whole).bootstrap_marker)
    assert carried(seen, whole).versions == whole.versions


def test_no_unit_that_is_absent_is_said_to_be_stopped(tmp_path: Path) -> None:
    side = Simulated(SimulatedCluster.create(tmp_path / "cluster", ("10.0.0.11",)))
    facts = asked(side, side.target("10.0.0.11"), Known(quick=True))
    assert isinstance(facts.mount, MountFacts)
    assert not facts.mount.answers
    assert facts.mount.why == "not mounted"
    assert facts.units["mariadb"] == "active"  # type: ignore[index]


def asked(side: Simulated, target: Target, known: Known) -> NodeFacts:
    sweep = Sweep([target], APP, known={target.host: known}, full_s=30)
    return sweep.run(lambda t: simulated.connect(side.cluster, t), deadline_s=30).nodes[0]
