"""What is known of a cluster that has no Primary component, node by node, before anything is decided.

A position is a history's UUID and the number of the last transaction in it. Numbers are comparable
within one UUID only. `grastate.dat` alone is no evidence: after a crash it says -1, and a server that
was stopped last week shows the only number; so the position of a stopped server is what
`galera_recovery` read from its data (MariaDB scripts/galera_recovery.sh), and it counts only while
nothing was started there since.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nodes.domain.observation import Grastate
from nodes.domain.text import Text
from nodes.domain.traces import LastView

NULL_UUID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, order=True)
class Position:
    """How far a database is. Ordered by number: compare within one UUID only."""

    seqno: int
    uuid: str

    @property
    def real(self) -> bool:
        return self.seqno >= 0 and self.uuid not in ("", NULL_UUID)

    def __str__(self) -> str:
        return f"{self.uuid}:{self.seqno}"


class Life(StrEnum):
    """What the database of a node does now."""

    SILENT = "silent"  # the node or its database could not be asked: nobody knows
    STOPPED = "stopped"  # certain: unit down, no process
    STARTING = "starting"  # a process without SQL: looks for the others, or receives a copy
    NON_PRIMARY = "non_primary"  # answers SQL, has no majority, takes no writes
    PRIMARY = "primary"
    STANDALONE = "standalone"  # runs with wsrep off


class Found(StrEnum):
    """How the position of a node is known."""

    READ = "read"  # `position` is real
    NOTHING = "nothing"  # certain: no data of any cluster lies there
    NOT_READ = "not_read"  # nobody looked yet, or something was started since
    FAILED = "failed"  # the server could not recover a position
    PREPARED = "prepared"  # …because of prepared transactions


@dataclass(frozen=True)
class Seen:
    """The last position that the panel read from a living member, and when (seconds, UTC)."""

    position: Position
    at: float


@dataclass(frozen=True)
class NodeEvidence:
    """One node. `component` tells Primary components apart; `why` is the reason of a silence.

    `mark` is a hash over the boot and the state files: the same mark, nothing was started since.
    """

    host: str
    life: Life
    found: Found = Found.NOT_READ
    position: Position | None = None
    component: str = ""
    why: Text | None = None
    grastate: Grastate | None = None
    last_view: LastView | None = None
    copying: bool = False  # the marker of a state transfer that did not end
    bootstrap_marker: str = ""
    socket: bool = False  # mariadb.socket would take the port
    unit: str = ""
    mark: str = ""
    read_at: float = 0.0  # the position; seconds since the epoch
    said: str = ""  # what galera_recovery said when it failed
    seen: Seen | None = None

    @property
    def flagged(self) -> bool:
        return self.grastate is not None and self.grastate.safe_to_bootstrap is True

    @property
    def clean(self) -> bool:
        """Stopped in order: the file has the number."""
        return self.grastate is not None and self.grastate.seqno is not None

    @property
    def holds(self) -> Position | None:
        """The position if there is one at all."""
        real = self.position is not None and self.position.real
        return self.position if self.found is Found.READ and real else None

    @property
    def whole(self) -> bool:
        """Whether the node may be a source: its file and its data name the same history.

        A null UUID in the file means a crash inside of DDL, of a state transfer, or an
        inconsistency; such data is only good for being replaced (Galera documentation,
        node-provisioning.rst).
        """
        if self.holds is None or self.copying:
            return False
        if self.life is Life.NON_PRIMARY:
            return True
        state = self.grastate
        return state is not None and state.present and state.uuid == self.holds.uuid


@dataclass(frozen=True)
class Evidence:
    """All nodes of the Galera list in its order, and which one is the primary of the settings."""

    nodes: tuple[NodeEvidence, ...]
    primary: str

    def living(self, *lives: Life) -> tuple[NodeEvidence, ...]:
        return tuple(node for node in self.nodes if node.life in lives)

    def node(self, host: str) -> NodeEvidence:
        return next(node for node in self.nodes if node.host == host)
