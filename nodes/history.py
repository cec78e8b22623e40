"""What was done to a cluster, as far as the pages of `nodes` show it.

`nodes` never imports `operations`, so the knowledge comes in the other direction: `operations`
registers its `History` when it is loaded. Without it, nothing was ever done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from nodes.domain.observation import ClusterFacts
from nodes.domain.text import Text
from nodes.models import Cluster


@dataclass(frozen=True)
class PastRun:
    """One run in a line: what, how it stands, who started it."""

    id: str
    procedure: str
    title: Text
    state: str
    by: str
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class KnownBackup:
    """A backup the panel read back once; `why_not` says why it would not count now."""

    kind: str
    node: str
    path: str
    bytes: int
    sha256: str
    verified_at: datetime
    why_not: Text | None = None

    @property
    def usable(self) -> bool:
        return self.why_not is None


@dataclass(frozen=True)
class WaitingSettings:
    """A node was away when a revision was written; `said` is why it still waits, if it was tried."""

    host: str
    revision: int
    by: str
    since: datetime
    said: Text | None = None


@dataclass(frozen=True)
class NodeJob:
    """A process of a run that is at work on a node, whichever panel started it."""

    name: str
    command: str
    last_lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class NodeWork:
    """Who holds a node and what runs there. `unknown` says why nobody could tell.

    `run` "" means that nobody holds it. `since` as the holder wrote it; `silent_s` seconds since its
    last sign of life, None when that is not known.
    """

    host: str
    unknown: Text | None = None
    panel: str = ""
    run: str = ""
    user: str = ""
    since: str = ""
    silent_s: int | None = None
    jobs: tuple[NodeJob, ...] = ()


@dataclass(frozen=True)
class Offer:
    """One procedure as it could be asked for now, with its verdict before anybody clicks.

    `params` are those of its plan. `why_not` None: allowed; else the fact that stands against it,
    and `fix` what to do about it. `done`: there is nothing to do, which is good news. `unknown`: it
    is not allowed only because nobody knows.
    """

    procedure: str
    params: Mapping[str, str]
    label: Text
    why_not: Text | None = None
    fix: Text | None = None
    done: bool = False
    unknown: bool = False


class History(Protocol):
    def node_offers(
        self, cluster: Cluster, host: str, facts: ClusterFacts | None, running: PastRun | None
    ) -> Sequence[Offer]:
        """What can be done to one server. `facts`: what may be taken for the present; `running`: the
        run that holds the cluster now."""

    def offers(self, procedure: str) -> bool:
        """Whether the panel has a plan for it."""

    def active_run(self, cluster: Cluster) -> PastRun | None: ...

    def gluster_in_use(self, cluster: Cluster) -> bool:
        """A step of a run works with glusterd now: its locks are pool-wide, nobody else may ask."""

    def runs(
        self, cluster: Cluster, limit: int, since: datetime | None = None
    ) -> Sequence[PastRun]:
        """The newest first, of those that were asked for since then."""

    def last_run(self, cluster: Cluster, procedure: str) -> PastRun | None:
        """The newest run of one procedure."""

    def last_runs(self, cluster: Cluster) -> dict[str, PastRun]:
        """The newest run of each procedure."""

    def backups(self, cluster: Cluster) -> Sequence[KnownBackup]:
        """Those on record, newest first. Asks no server, so `why_not` is always empty."""

    def backups_now(self, cluster: Cluster) -> Sequence[KnownBackup]:
        """The same after asking their servers whether the files are still there."""

    def waiting_settings(self, cluster: Cluster) -> Sequence[WaitingSettings]:
        """Nodes that get the newest settings as soon as they answer."""

    def work_on_nodes(self, cluster: Cluster) -> Sequence[NodeWork]:
        """Asks every node whose host key is accepted: the truth is there, not in this database."""


class _Nothing:
    def node_offers(
        self, cluster: Cluster, host: str, facts: ClusterFacts | None, running: PastRun | None
    ) -> Sequence[Offer]:
        return ()

    def offers(self, procedure: str) -> bool:
        return False

    def active_run(self, cluster: Cluster) -> PastRun | None:
        return None

    def gluster_in_use(self, cluster: Cluster) -> bool:
        return False

    def runs(
        self, cluster: Cluster, limit: int, since: datetime | None = None
    ) -> Sequence[PastRun]:
        return ()

    def last_run(self, cluster: Cluster, procedure: str) -> PastRun | None:
        return None

    def last_runs(self, cluster: Cluster) -> dict[str, PastRun]:
        return {}

    def backups(self, cluster: Cluster) -> Sequence[KnownBackup]:
        return ()

    def backups_now(self, cluster: Cluster) -> Sequence[KnownBackup]:
        return ()

    def waiting_settings(self, cluster: Cluster) -> Sequence[WaitingSettings]:
        return ()

    def work_on_nodes(self, cluster: Cluster) -> Sequence[NodeWork]:
        return ()


_history: History = _Nothing()


def register(history: History) -> None:
    global _history
    _history = history


def of() -> History:
    return _history
