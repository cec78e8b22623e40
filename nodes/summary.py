"""What the header strip and the top of the dashboard say about a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from nodes import history, selectors
from nodes.domain import health, tally
from nodes.domain.observation import ClusterFacts
from nodes.domain.peers import PeerSettings
from nodes.history import PastRun
from nodes.models import Cluster

STALE_AFTER_S = 15.0


@dataclass(frozen=True)
class Summary:
    """One moment of a cluster. `age_s` is None when it was never observed."""

    settings: PeerSettings
    facts: ClusterFacts | None
    verdict: health.Verdict
    galera: tally.Tally
    gluster: tally.Tally
    age_s: float | None
    active_run: PastRun | None

    @property
    def stale(self) -> bool:
        return self.age_s is not None and self.age_s > STALE_AFTER_S


def of(cluster: Cluster, now: float) -> Summary:
    """`now` in seconds since the epoch."""
    peers = cluster.revision.peers
    facts = selectors.latest_facts(cluster)
    return Summary(
        settings=peers,
        facts=facts,
        verdict=health.assess(peers, facts, now),
        galera=tally.galera(peers, facts),
        gluster=tally.gluster(peers, facts),
        age_s=age(facts, now),
        active_run=history.of().active_run(cluster),
    )


def age(facts: ClusterFacts | None, now: float) -> float | None:
    """Of the oldest answer: a page is only as fresh as the part that is not."""
    if not facts or not facts.nodes:
        return None
    return max(0.0, now - min(node.taken_at for node in facts.nodes))
