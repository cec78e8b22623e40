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
class Offer:
    """One procedure as it could be asked for now, with its verdict before anybody clicks.

    `params` are those of its plan. `why_not` None: allowed; else the fact that stands against it,
    and `fix` what to do about it. `done`: there is nothing to do, which is good news.
    """

    procedure: str
    params: Mapping[str, str]
    label: Text
    why_not: Text | None = None
    fix: Text | None = None
    done: bool = False


class History(Protocol):
    def node_offers(
        self, cluster: Cluster, facts: ClusterFacts | None, now: float
    ) -> Mapping[str, Sequence[Offer]]:
        """By server, what can be done to it. `facts`: what may be taken for the present."""

    def offers(self, procedure: str) -> bool:
        """Whether the panel has a plan for it."""

    def active_run(self, cluster: Cluster) -> PastRun | None: ...

    def gluster_in_use(self, cluster: Cluster) -> bool:
        """A step of a run works with glusterd now: its locks are pool-wide, nobody else may ask."""

    def runs(
        self, cluster: Cluster, limit: int, since: datetime | None = None
    ) -> Sequence[PastRun]:
        """The newest first, of those that were asked for since then."""

    def last_runs(self, cluster: Cluster) -> dict[str, PastRun]:
        """The newest run of each procedure."""

    def backups(self, cluster: Cluster) -> Sequence[KnownBackup]:
        """Those on record, newest first. Asks no server, so `why_not` is always empty."""

    def backups_now(self, cluster: Cluster) -> Sequence[KnownBackup]:
        """The same after asking their servers whether the files are still there."""


class _Nothing:
    def node_offers(
        self, cluster: Cluster, facts: ClusterFacts | None, now: float
    ) -> Mapping[str, Sequence[Offer]]:
        return {}

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

    def last_runs(self, cluster: Cluster) -> dict[str, PastRun]:
        return {}

    def backups(self, cluster: Cluster) -> Sequence[KnownBackup]:
        return ()

    def backups_now(self, cluster: Cluster) -> Sequence[KnownBackup]:
        return ()


_history: History = _Nothing()


def register(history: History) -> None:
    global _history
    _history = history


def of() -> History:
    return _history
