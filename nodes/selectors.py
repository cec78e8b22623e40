"""What is stored, as the pages and the API need it. Asks no server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Q, QuerySet

from nodes import samples
from nodes.domain.checks import CHECKS, Check
from nodes.domain.env_lines import EnvFile, differences
from nodes.domain.facts_json import from_json, with_gluster
from nodes.domain.observation import NOT_ASKED, ClusterFacts, NodeFacts, SeenPosition
from nodes.domain.parse_node import unreachable
from nodes.domain.peer_changes import LineChange, holders, line_changes
from nodes.domain.peers import PeerSettings
from nodes.domain.text import Text
from nodes.models import CheckResult, Cluster, Observation, SettingsRevision


def clusters() -> QuerySet[Cluster]:
    return Cluster.objects.order_by("name")


def cluster_get(id: int) -> Cluster:
    """Raises Cluster.DoesNotExist."""
    return Cluster.objects.get(pk=id)


# Seconds of a beat that one cluster is worth: with many the beat becomes slower, not the panel.
_CLUSTER_S = 0.1


def watched() -> QuerySet[Cluster]:
    """Clusters with an accepted host key; the others cannot be asked."""
    return clusters().filter(host_keys__isnull=False).distinct()


def observe_every_s() -> float:
    """Seconds between two looks at a server: OBSERVE_EVERY_S, more with more than twenty clusters."""
    return max(float(settings.OBSERVE_EVERY_S), _CLUSTER_S * Cluster.objects.count())


def due(now: datetime) -> QuerySet[Cluster]:
    """Clusters whose next look has come."""
    before = now - timedelta(seconds=observe_every_s() - float(settings.OBSERVE_EVERY_S) / 2)
    seen = watched().annotate(seen_at=Max("observations__taken_at"))
    return seen.filter(Q(seen_at__isnull=True) | Q(seen_at__lte=before))


def latest_facts(cluster: Cluster) -> ClusterFacts | None:
    """The newest answer of each server of the settings, in their order; None: never asked.

    A server that was added since the last sweep is there, with everything unknown. What glusterd
    said is as old as `read_at["gluster"]`; the samples of the last minutes are with the facts.
    """
    hosts = cluster.revision.peers.hosts
    stored = {row.host: _facts(row) for row in cluster.observations.filter(host__in=hosts)}
    if not stored:
        return None
    oldest = min(node.taken_at for node in stored.values())
    nodes = (stored.get(host) or unreachable(host, oldest, NOT_ASKED) for host in hosts)
    return ClusterFacts(tuple(nodes), samples.recent(cluster, oldest))


def last_positions(cluster: Cluster) -> dict[str, SeenPosition]:
    """By host, how far each server was when it was last seen Synced."""
    rows = cluster.observations.filter(position__isnull=False)
    return {row.host: SeenPosition(**row.position) for row in rows if row.position}


def completed(cluster: Cluster, nodes: Sequence[NodeFacts]) -> ClusterFacts:
    """These answers of the servers, with what glusterd said last and the latest samples."""
    said = dict(cluster.observations.values_list("host", "gluster"))
    oldest = min((node.taken_at for node in nodes), default=0.0)
    whole = tuple(with_gluster(node, said.get(node.host)) for node in nodes)
    return ClusterFacts(whole, samples.recent(cluster, oldest))


def _facts(row: Observation) -> NodeFacts:
    return with_gluster(from_json(row.facts), row.gluster)


@dataclass(frozen=True)
class Cell:
    """One answer; `state` "" when this was never checked."""

    check: Check
    state: str = ""
    detail: Text | None = None
    fix: Text | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True)
class CheckRow:
    host: str
    cells: tuple[Cell, ...]


def checks_table(cluster: Cluster) -> list[CheckRow]:
    """A row for each server, in the order of the lists; a cell for each check, in theirs."""
    stored = {(row.host, row.check_id): row for row in cluster.checks.all()}
    return [
        CheckRow(host, tuple(_cell(check, stored.get((host, check.id))) for check in CHECKS))
        for host in cluster.revision.peers.hosts
    ]


def _cell(check: Check, row: CheckResult | None) -> Cell:
    if row is None:
        return Cell(check)
    fix = Text.from_json(row.fix) if row.fix else None
    return Cell(check, row.state, Text.from_json(row.detail), fix, row.checked_at)


def env_difference(cluster: Cluster, facts: ClusterFacts | None) -> list[EnvFile]:
    """The `.env` of each server beside what the newest settings want in it."""
    return differences(cluster.revision.peers, facts)


@dataclass(frozen=True)
class RevisionRow:
    """One revision: what it changed, and on which nodes the file reads like it."""

    revision: SettingsRevision
    changes: tuple[LineChange, ...]
    on: tuple[str, ...]


def revision_rows(cluster: Cluster, facts: ClusterFacts | None) -> list[RevisionRow]:
    """The whole history, newest first."""
    rows = list(cluster.revisions.select_related("author"))
    before: list[PeerSettings | None] = [*(row.peers for row in rows[1:]), None]
    on = holders([(row.number, row.peers) for row in rows], facts)
    return [
        RevisionRow(row, line_changes(old, row.peers), on.get(row.number, ()))
        for row, old in zip(rows, before, strict=True)
    ]
