"""What the header strip and the top of the dashboard say about a cluster."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from nodes import history, selectors
from nodes.domain import tally, wizard
from nodes.domain.assess import STALE_AFTER_S, assess
from nodes.domain.observation import ClusterFacts
from nodes.domain.peers import PeerSettings
from nodes.domain.verdict import Verdict
from nodes.history import PastRun
from nodes.models import Cluster


def stale_after_s() -> float:
    """Two missed beats, and the time that a sweep may take beside them."""
    return max(STALE_AFTER_S, 2 * selectors.observe_every_s() + 5)


@dataclass(frozen=True)
class Summary:
    """One moment of a cluster. `age_s` is None when it was never observed; facts that are older than
    `stale_after_s` are not the present."""

    settings: PeerSettings
    facts: ClusterFacts | None
    verdict: Verdict
    galera: tally.Tally
    gluster: tally.Tally
    age_s: float | None
    stale_after_s: float
    active_run: PastRun | None

    @property
    def stale(self) -> bool:
        return self.age_s is not None and self.age_s > self.stale_after_s


def of(cluster: Cluster, now: float) -> Summary:
    """`now` in seconds since the epoch."""
    peers, limit_s = cluster.revision.peers, stale_after_s()
    facts = selectors.latest_facts(cluster)
    return Summary(
        settings=peers,
        facts=facts,
        verdict=assess(peers, facts, now, limit_s),
        galera=tally.galera(peers, facts),
        gluster=tally.gluster(peers, facts),
        age_s=age(facts, now),
        stale_after_s=limit_s,
        active_run=history.of().active_run(cluster),
    )


def age(facts: ClusterFacts | None, now: float) -> float | None:
    """Of the oldest answer: a page is only as fresh as the part that is not."""
    if not facts or not facts.nodes:
        return None
    return max(0.0, now - min(node.taken_at for node in facts.nodes))


def installation(
    cluster: Cluster, facts: ClusterFacts | None = None
) -> tuple[wizard.StepStand, ...]:
    """How far the installation is, from facts, pinned keys, checks, backups and runs.

    `facts`: those that were read just now, if they were.
    """
    return wizard.steps(_known(cluster, facts or selectors.latest_facts(cluster)))


def _known(cluster: Cluster, facts: ClusterFacts | None) -> wizard.Known:
    past = history.of()
    active = past.active_run(cluster)
    return wizard.Known(
        settings=cluster.revision.peers,
        facts=facts,
        has_secret=bool(cluster.ssh_private_key or cluster.ssh_password),
        pinned=frozenset(cluster.host_keys.values_list("host", flat=True)),
        checks=_check_counts(cluster),
        backups=frozenset(b.kind for b in past.backups(cluster) if b.usable),
        last_states={name: run.state for name, run in past.last_runs(cluster).items()},
        active=active.procedure if active else "",
    )


def _check_counts(cluster: Cluster) -> dict[str, int]:
    """Cells by state; only those that an installation should not start past."""
    table = selectors.checks_table(cluster)
    cells = [cell for row in table for cell in row.cells if cell.check.blocking]
    if not any(cell.state for cell in cells):
        return {}
    return dict(Counter(cell.state or "missing" for cell in cells))
