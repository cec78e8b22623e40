"""What there is: servers, what lies on their disks, what runs on them. Immutable values.

Everything a power cut destroys is in `Server` and `Daemon`; everything it leaves is in `Disk`
and `Pool`. A node is named by its host, as the peer lists name it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

NULL_UUID = "00000000-0000-0000-0000-000000000000"
NO_SEQNO = -1  # in grastate.dat: not known


@dataclass(frozen=True)
class Position:
    """How far a database is: the history's UUID and the number of the last transaction in it."""

    uuid: str = NULL_UUID
    seqno: int = NO_SEQNO

    @property
    def real(self) -> bool:
        return self.uuid != NULL_UUID and self.seqno >= 0


@dataclass(frozen=True)
class Row:
    """One committed transaction. `mark` tells two apart that got the same number in two halves."""

    uuid: str
    seqno: int
    mark: int


@dataclass(frozen=True)
class Grastate:
    """grastate.dat. `safe_to_bootstrap` None: the line is absent, which Galera reads as 1."""

    uuid: str = NULL_UUID
    seqno: int = NO_SEQNO
    safe_to_bootstrap: bool | None = False


@dataclass(frozen=True)
class LastView:
    """gvwstate.dat: the last Primary component this node was in, and who it was there."""

    member: str
    number: int
    members: frozenset[str]


@dataclass(frozen=True)
class Disk:
    """The database directory of one node, and the Galera settings beside it."""

    wsrep_on: bool = False
    peers: tuple[str, ...] = ()  # wsrep_cluster_address
    grastate: Grastate | None = None
    last_view: LastView | None = None
    position: Position = Position()  # what InnoDB recovers to
    rows: frozenset[Row] = frozenset()
    tables: Mapping[str, int] = field(default_factory=dict)  # database → number of tables
    accounts: frozenset[str] = frozenset()  # user@host
    sst_in_progress: bool = False


class Stage(StrEnum):
    """What a running database server does."""

    ALONE = "alone"  # wsrep is off
    WAITING = "waiting"  # looks for a Primary component; answers no SQL before its first
    JOINING = "joining"  # receives a state transfer; answers no SQL
    DONOR = "donor"
    SYNCED = "synced"


@dataclass(frozen=True)
class View:
    """What the members of a component agree on. `conf` counts the Primary views of a history."""

    number: int
    primary: bool
    members: frozenset[str]
    uuid: str = NULL_UUID
    conf: int = 0


@dataclass(frozen=True)
class Server:
    """A running mariadbd. `ready`: it was Synced once, so it answers SQL."""

    stage: Stage
    member: str = ""  # its name in the group, new at every start without gvwstate.dat
    view: View | None = None
    last_view: LastView | None = None
    ready: bool = False
    since: float = 0.0
    until: float | None = None  # a transfer ends, or the patience to wait for a Primary
    donor: str = ""  # member name
    by_copy: bool = False  # the transfer replaces everything (SST)


class Active(StrEnum):
    INACTIVE = "inactive"
    ACTIVATING = "activating"
    ACTIVE = "active"
    DEACTIVATING = "deactivating"
    FAILED = "failed"


@dataclass(frozen=True)
class Unit:
    """One systemd unit. `starts` are the moments of its last starts, for the start limit."""

    active: Active = Active.INACTIVE
    enabled: bool = False
    starts: tuple[float, ...] = ()
    restart_at: float | None = None  # Restart=on-abnormal is waiting


@dataclass(frozen=True)
class Pool:
    """What glusterd of one node has on its disk: the hosts it was introduced to.

    `called`: the name under which it knows one of them, where that is not the host.
    """

    peers: tuple[str, ...] = ()
    called: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Daemon:
    """A running glusterd. `greeted`: it spoke to a peer since it started."""

    greeted: bool = False


@dataclass(frozen=True)
class Volume:
    """A replicated volume. `stale` counts the entries that each brick still has to be given."""

    name: str
    number: int
    bricks: tuple[tuple[str, str], ...]  # host, path
    replica: int
    arbiters: int = 0
    started: bool = False
    stale: Mapping[str, int] = field(default_factory=dict)  # host → entries

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(host for host, _ in self.bricks)


@dataclass(frozen=True)
class Link:
    """How the node's SSH behaves: faults of the way, not of the node."""

    host_key: int = 1  # counts reinstallations
    slow_s: float = 0.0
    garbage: bool = False
    refused: bool = False  # login
    cuts: int = 0  # connections opened before the last cut are dead


@dataclass(frozen=True)
class Node:
    host: str
    name: str
    address: str
    number: int
    up: bool = True
    boot: int = 1
    booted_at: float = 0.0
    boots_at: float | None = None  # switched on, not up yet
    disk: Disk = Disk()
    server: Server | None = None
    units: Mapping[str, Unit] = field(default_factory=dict)
    new_cluster: bool = False  # the marker that makes the next start of mariadb a bootstrap
    pool: Pool = Pool()
    daemon: Daemon | None = None
    bricks: frozenset[str] = frozenset()  # volumes whose brick process runs here
    mounts: Mapping[str, str] = field(default_factory=dict)  # directory → volume
    fstab: Mapping[str, str] = field(default_factory=dict)
    full: bool = False  # the disk
    link: Link = Link()
    journal: tuple[tuple[float, str, str], ...] = ()  # when, unit, words

    def unit(self, name: str) -> Unit:
        return self.units.get(name, Unit())

    def with_unit(self, name: str, **changes: object) -> Node:
        return replace(
            self,
            units={**self.units, name: replace(self.unit(name), **changes)},  # type: ignore[arg-type]
        )

    def said(self, at: float, unit: str, *lines: str) -> Node:
        kept = (*self.journal, *((at, unit, line) for line in lines))
        return replace(self, journal=kept[-200:])


@dataclass(frozen=True)
class Pace:
    """How long things take, in seconds. The defaults are quick; `REAL` is what servers take."""

    notice: float = 0.0  # until a vanished member is given up (evs.suspect_timeout)
    start: float = 0.0
    ist: float = 0.0
    sst: float = 0.0
    boot: float = 0.0
    restart: float = 0.0  # RestartSec of a server that died
    wait_primary: float = 0.0  # pc.wait_prim_timeout
    heal: float = 0.0


QUICK = Pace()
REAL = Pace(5.0, 0.5, 2.0, 5.0, 5.0, 5.0, 30.0, 3.0)


@dataclass(frozen=True)
class World:
    """Everything. `cut` holds the pairs of hosts that do not reach each other."""

    nodes: Mapping[str, Node]
    now: float = 0.0
    pace: Pace = QUICK
    cut: frozenset[frozenset[str]] = frozenset()
    left: frozenset[str] = frozenset()  # members that said goodbye since the last views
    regroup_at: float | None = None  # the group layer notices then
    count: int = 0  # makes every name, view and mark its own
    seed: str = "world"
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    committed: frozenset[Row] = frozenset()  # acknowledged to somebody

    def put(self, *nodes: Node) -> World:
        return replace(self, nodes={**self.nodes, **{node.host: node for node in nodes}})

    def counted(self) -> tuple[int, World]:
        return self.count + 1, replace(self, count=self.count + 1)

    def name(self, what: str, number: int) -> str:
        """A UUID that is the same in every replay."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.seed}/{what}/{number}"))

    def reach(self, one: str, other: str) -> bool:
        both = self.nodes[one].up and self.nodes[other].up
        return both and (one == other or frozenset((one, other)) not in self.cut)

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self.nodes)


@dataclass(frozen=True)
class Reply:
    """What a command printed and its exit code."""

    exit_code: int = 0
    stdout: str = ""
    stderr: str = ""


OK = Reply()


def new_world(
    hosts: tuple[str, ...],
    *,
    pace: Pace = QUICK,
    seed: str = "world",
    now: float = 0.0,
    names: tuple[str, ...] = (),
    tables: Mapping[str, int] | None = None,
) -> World:
    """N freshly installed servers, each with a database of its own that stands alone."""
    world = World({}, now=now, pace=pace, seed=seed)
    for number, host in enumerate(hosts, start=1):
        name = names[number - 1] if names else f"node{number}"
        address = host if host.replace(".", "").isdigit() else f"10.0.0.{10 + number}"
        local = Row(f"local-{number}", 1, -number)
        disk = Disk(rows=frozenset({local}), tables=dict(tables or {"dpiui2": 7}))
        units = {
            "mariadb.service": Unit(Active.ACTIVE, enabled=True),
            "mariadb.socket": Unit(),
            "glusterd.service": Unit(),
        }
        node = Node(host, name, address, number, booted_at=now, disk=disk, units=units)
        world = world.put(replace(node, server=Server(Stage.ALONE, ready=True)))
    return world
