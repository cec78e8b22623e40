"""A simulated cluster's evidence, and what a recovery does to it: the pure decision, without a panel.

`survey` and `carry_out` do what the steps of the procedures do on a server.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from nodes.domain import observation
from nodes.domain.traces import LastView
from nodes.simulation import events
from nodes.simulation.apply import apply
from nodes.simulation.world import Active, Grastate, Node, Row, Stage, World
from operations.domain.recovery_choice import Choice
from operations.domain.recovery_evidence import (
    Evidence,
    Found,
    Life,
    NodeEvidence,
    Position,
    Seen,
)

MARIADB = "mariadb.service"
LONG = 90.0  # seconds in which everything comes to rest


def happen(world: World, *what: events.Event) -> World:
    for event in what:
        world, _ = apply(world, event)
    return world


@dataclass
class Panel:
    """What the panel knows: whom it cannot reach, the positions it read, and what it saw alive."""

    silent: frozenset[str] = frozenset()
    kept: dict[str, tuple[object, Found, Position | None]] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)

    def look(self, world: World) -> None:
        for node in world.nodes.values():
            if life_of(node, self.silent) is Life.PRIMARY:
                self.seen[node.host] = Seen(position_of(node), world.now)

    def evidence(self, world: World) -> Evidence:
        nodes = tuple(self._node(node) for node in world.nodes.values())
        return Evidence(nodes, next(iter(world.nodes)))

    def _node(self, node: Node) -> NodeEvidence:
        life = life_of(node, self.silent)
        seen = self.seen.get(node.host)
        if life is Life.SILENT:
            return NodeEvidence(node.host, life, seen=seen)
        found, position = self._found(node, life)
        return NodeEvidence(
            host=node.host,
            life=life,
            found=found,
            position=position,
            component=_component(node),
            grastate=_grastate(node.disk.grastate),
            last_view=_last_view(node),
            copying=node.disk.sst_in_progress,
            bootstrap_marker="marker" if node.new_cluster else "",
            seen=seen,
        )

    def _found(self, node: Node, life: Life) -> tuple[Found, Position | None]:
        if life in (Life.PRIMARY, Life.NON_PRIMARY):
            position = position_of(node)
            return (Found.READ, position) if position.real else (Found.NOT_READ, None)
        mark, found, kept = self.kept.get(node.host, (None, Found.NOT_READ, None))
        if life is Life.STOPPED and mark == mark_of(node):
            return found, kept
        return Found.NOT_READ, None


def life_of(node: Node, silent: Collection[str]) -> Life:
    server = node.server
    if node.host in silent or not node.up:
        return Life.SILENT
    if server is None:
        waits = node.unit(MARIADB).active is Active.ACTIVATING
        return Life.STARTING if waits else Life.STOPPED
    if server.stage is Stage.ALONE:
        return Life.STANDALONE
    if not server.ready or server.view is None:
        return Life.STARTING
    if not server.view.primary:
        return Life.NON_PRIMARY
    return Life.PRIMARY if server.stage in (Stage.SYNCED, Stage.DONOR) else Life.STARTING


def position_of(node: Node) -> Position:
    return Position(node.disk.position.seqno, node.disk.position.uuid)


def mark_of(node: Node) -> object:
    return node.boot, node.disk.grastate, node.disk.last_view


def _component(node: Node) -> str:
    view = node.server.view if node.server else None
    return f"{view.uuid} {view.number}" if view else ""


def _grastate(state: Grastate | None) -> observation.Grastate:
    if state is None:
        return observation.Grastate(False)
    seqno = state.seqno if state.seqno >= 0 else None
    return observation.Grastate(True, state.uuid, seqno, state.safe_to_bootstrap)


def _last_view(node: Node) -> LastView | None:
    last = node.disk.last_view
    return LastView(last.member, str(last.number), last.members) if last else None


def survey(world: World, panel: Panel, *, everything: bool = False) -> World:
    """Stop what only tries to start (or everything), then recover each stopped node's position."""
    for node in list(world.nodes.values()):
        life = life_of(node, panel.silent)
        if life is Life.STARTING or (everything and life is Life.NON_PRIMARY):
            world = happen(world, events.StopUnit(node.host, MARIADB))
            if world.nodes[node.host].server is not None:
                world = happen(world, events.KillDatabase(node.host))
            world = happen(world, events.ResetFailed(node.host, MARIADB))
    for node in world.nodes.values():
        if life_of(node, panel.silent) is Life.STOPPED:
            position = position_of(node)
            found = Found.READ if position.real else Found.NOTHING
            panel.kept[node.host] = (mark_of(node), found, position if position.real else None)
    return world


def carry_out(world: World, choice: Choice) -> Iterator[World]:
    """The world after each step, so that a history may break in between."""
    for host in world.hosts:
        world = happen(world, events.MarkNewCluster(host, marked=False))
    if choice.kind == "together":
        for host in choice.starts:
            world = _started(world, host)
            yield world
        yield happen(world, events.Pass(LONG))
        return
    if choice.kind == "bootstrap":
        state = world.nodes[choice.host].disk.grastate
        assert state is not None
        flagged = events.EditGrastate(choice.host, replace(state, safe_to_bootstrap=True))
        reset = events.ResetFailed(choice.host, MARIADB)
        world = happen(world, reset, flagged, events.NewCluster(choice.host))
        yield world
    if choice.kind == "force_primary":
        world = happen(world, events.ForcePrimary(choice.host))
        yield world
    for host in choice.starts:
        # With a gvwstate.dat of its own it could be Primary by itself, out of sight of the others.
        world = happen(
            _started(happen(world, events.RemoveLastView(host)), host), events.Pass(LONG)
        )
        yield world
        if host not in primaries(world):
            return  # its proof does not hold: the run ends there


def _started(world: World, host: str) -> World:
    return happen(world, events.ResetFailed(host, MARIADB), events.StartUnit(host, MARIADB))


def rows(node: Node, uuid: str) -> frozenset[Row]:
    return frozenset(row for row in node.disk.rows if row.uuid == uuid)


def primaries(world: World) -> Mapping[str, Node]:
    """By host, past the panel: also those that it cannot reach."""
    return {n.host: n for n in world.nodes.values() if life_of(n, ()) is Life.PRIMARY}
