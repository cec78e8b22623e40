"""What can happen, as values. `host` is always the node that it happens to, or on which it is typed."""

from __future__ import annotations

from dataclasses import dataclass

from nodes.simulation.world import Grastate


@dataclass(frozen=True)
class Pass:
    """Time goes by."""

    seconds: float


@dataclass(frozen=True)
class PowerCut:
    """Every process of the node is gone at once; the others notice later."""

    host: str


@dataclass(frozen=True)
class PowerOff:
    """`systemctl poweroff`: services are stopped in order first."""

    host: str


@dataclass(frozen=True)
class PowerOn:
    host: str


@dataclass(frozen=True)
class Partition:
    """The node and all other nodes no longer hear each other; the panel still reaches it."""

    host: str


@dataclass(frozen=True)
class Rejoin:
    host: str


@dataclass(frozen=True)
class StartUnit:
    host: str
    unit: str


@dataclass(frozen=True)
class StopUnit:
    host: str
    unit: str


@dataclass(frozen=True)
class EnableUnit:
    host: str
    unit: str
    enabled: bool = True


@dataclass(frozen=True)
class ResetFailed:
    host: str
    unit: str


@dataclass(frozen=True)
class KillDatabase:
    """SIGKILL to mariadbd. `restarts` False: `systemctl stop` came right after it."""

    host: str
    restarts: bool = False


@dataclass(frozen=True)
class Configure:
    """The Galera settings are on the disk; they count from the next start of mariadb on."""

    host: str
    peers: tuple[str, ...]


@dataclass(frozen=True)
class NewCluster:
    """`galera_new_cluster`."""

    host: str


@dataclass(frozen=True)
class MarkNewCluster:
    """The marker is set (or taken away) without a start: what an interrupted script leaves."""

    host: str
    marked: bool = True


@dataclass(frozen=True)
class Recover:
    """`galera_recovery`."""

    host: str


@dataclass(frozen=True)
class ForcePrimary:
    """`pc.bootstrap=YES`."""

    host: str


@dataclass(frozen=True)
class EditGrastate:
    """A person or the panel wrote grastate.dat; None: removed it."""

    host: str
    state: Grastate | None


@dataclass(frozen=True)
class RemoveLastView:
    """Somebody removed gvwstate.dat."""

    host: str


@dataclass(frozen=True)
class Write:
    """One transaction."""

    host: str


@dataclass(frozen=True)
class AddAccount:
    """`CREATE USER`; Galera replicates it as one transaction."""

    host: str
    account: str


@dataclass(frozen=True)
class ProbePeer:
    host: str
    peer: str


@dataclass(frozen=True)
class CreateVolume:
    host: str
    name: str
    bricks: tuple[tuple[str, str], ...]
    replica: int
    arbiters: int = 0


@dataclass(frozen=True)
class StartVolume:
    host: str
    name: str
    force: bool = False


@dataclass(frozen=True)
class StopVolume:
    host: str
    name: str


@dataclass(frozen=True)
class Mount:
    host: str
    directory: str
    name: str


@dataclass(frozen=True)
class Unmount:
    host: str
    directory: str


@dataclass(frozen=True)
class WriteFiles:
    """So many files were written through the mount on `host`."""

    host: str
    name: str
    entries: int = 1


@dataclass(frozen=True)
class FillDisk:
    host: str
    full: bool = True


Event = (
    Pass
    | PowerCut
    | PowerOff
    | PowerOn
    | Partition
    | Rejoin
    | StartUnit
    | StopUnit
    | EnableUnit
    | ResetFailed
    | KillDatabase
    | Configure
    | NewCluster
    | MarkNewCluster
    | Recover
    | ForcePrimary
    | EditGrastate
    | RemoveLastView
    | Write
    | AddAccount
    | ProbePeer
    | CreateVolume
    | StartVolume
    | StopVolume
    | Mount
    | Unmount
    | WriteFiles
    | FillDisk
)
