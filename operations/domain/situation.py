"""Everything a planner may look at, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from nodes.domain.observation import ClusterFacts, SeenPosition, Unknown
from nodes.domain.peers import PeerSettings
from nodes.domain.traces import Traces
from nodes.domain.view import View


@dataclass(frozen=True)
class BackupFacts:
    """A backup on record. `verified_at` in seconds since the epoch, UTC; `taken_by` a procedure."""

    id: int
    kind: str  # database, storage
    node: str
    path: str
    bytes: int
    sha256: str
    verified_at: float
    taken_by: str = ""


@dataclass(frozen=True)
class Memory:
    """What the panel's books say of earlier runs.

    `stopped`: the servers in the order in which the newest stop of the cluster stopped them, if
    nothing changed the cluster since. `restarted`: by service, what a rolling restart that came to
    no end has done already.
    """

    stopped: tuple[str, ...] = ()
    restarted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Workers:
    """dpiui2's background workers: shell commands that stop and start them, and one that exits with
    0 while they run. "" is not configured; the third is there whenever one of the others is."""

    stop: str = ""
    start: str = ""
    check: str = ""


@dataclass(frozen=True)
class Situation:
    """The settings wanted, what was seen, and what was asked for. `now` in seconds, UTC.

    `traces`: what stopped databases left on their disks, read for the recovery only; `seen`: how
    far each member was when it was last seen Synced. Both by host. `patience_s`: how long a server
    that restarts, starts or joins is waited for while nothing moves.
    """

    cluster_name: str
    app_dir: str
    settings: PeerSettings
    revision: int
    facts: ClusterFacts
    backups: tuple[BackupFacts, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    now: float = 0.0
    fences: tuple[str, ...] = ()  # hosts whose pending fence is open
    former: tuple[str, ...] = ()  # primaries of the settings since a change was last proven
    workers: Workers = Workers()
    apply_command: str = ""
    memory: Memory = Memory()
    traces: Mapping[str, Traces | Unknown] = field(default_factory=dict)
    seen: Mapping[str, SeenPosition] = field(default_factory=dict)
    patience_s: int = 1800

    @cached_property
    def view(self) -> View:
        return View(self.settings, self.facts, self.now)

    def asked_for(self, params: Mapping[str, Any]) -> Situation:
        """The same moment and another wish: what was made of the facts is not made again."""
        asked = replace(self, params=params)
        asked.__dict__["view"] = self.view
        return asked

    @property
    def primary(self) -> str:
        return self.settings.cluster_primary_host

    @property
    def suspects(self) -> tuple[str, ...]:
        """Servers that may name themselves in their `.env`, unless they are read: oldest first."""
        return tuple(dict.fromkeys((*self.former, self.primary, *self.fences)))

    def order(self, hosts: tuple[str, ...]) -> tuple[str, ...]:
        """“Starting from the master node”: the primary, then the others as they are listed."""
        return tuple(dict.fromkeys((self.primary, *hosts))) if self.primary in hosts else hosts

    @property
    def hosts(self) -> tuple[str, ...]:
        return self.order(self.settings.hosts)

    @property
    def storage(self) -> str:
        """The directory that GlusterFS replicates."""
        return f"{self.app_dir}/backend/storage"

    @property
    def env_path(self) -> str:
        return f"{self.app_dir}/backend/.env"

    def script(self, name: str) -> str:
        """The vendor's script `name` on the nodes."""
        return f"{self.app_dir}/backend/app_bash/{name}"
