"""A cluster as the panel has seen it: what real nodes said once, stored as if they said it now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from nodes.domain.facts_json import to_json
from nodes.domain.observation import NodeFacts
from nodes.domain.parse_system import NO_PAGE
from nodes.models import Cluster, HostKey, NodeSample, Observation, SettingsRevision
from tests.fakes import recorded

Bend = Callable[[NodeFacts], NodeFacts]


def cluster(name: str = "moscow-1") -> Cluster:
    """With the recorded nodes in its settings, never observed."""
    made = Cluster.objects.create(name=name)
    hosts = list(recorded.HOSTS)
    SettingsRevision.objects.create(
        cluster=made,
        number=1,
        galera_peer_hosts=hosts,
        cluster_fs_peer_hosts=hosts,
        cluster_primary_host=hosts[0],
    )
    for host in hosts:
        HostKey.objects.create(
            cluster=made, host=host, type="ssh-ed25519", base64="AAAA", sha256=f"SHA256:{host}"
        )
    return made


def observed(
    made: Cluster, state: str, *, age_s: float = 0.5, bend: Bend = lambda node: node
) -> None:
    """`state`: a folder of tests/fixtures/nodes. `bend` changes what a node said."""
    nodes = (bend(_without_page(node)) for node in recorded.sweep(state).nodes)
    stored(made, nodes, age_s)


def _without_page(node: NodeFacts) -> NodeFacts:
    """The records are older than the question for dpiui2's page: as if no address were set."""
    return replace(node, page=NO_PAGE) if node.ssh is True else node


def stored(made: Cluster, nodes: Iterable[NodeFacts], age_s: float = 0.5) -> None:
    at = time.time() - age_s
    for node in nodes:
        dated = replace(node, taken_at=at, read_at=dict.fromkeys(node.read_at, at))
        Observation.objects.update_or_create(
            cluster=made,
            host=node.host,
            defaults={
                "taken_at": datetime.fromtimestamp(at, UTC),
                "facts": to_json(dated),
                "gluster": None,
            },
        )


def month(made: Cluster, until: float, days: int = 31) -> None:
    """History as the thinning leaves it: an hour fine, a day by minutes, a month by quarters."""
    rows: list[NodeSample] = []
    for level, step, begin, end in (
        (0, 10, 3600, 0),
        (1, 60, 86400, 3600),
        (2, 900, days * 86400, 86400),
    ):
        first = int(until - begin) // step * step
        for at in range(first, int(until - end), step):
            rows += [
                _sample(made, host, place, level, at) for place, host in enumerate(recorded.HOSTS)
            ]
    NodeSample.objects.bulk_create(rows, batch_size=500)


def _sample(made: Cluster, host: str, place: int, level: int, at: int) -> NodeSample:
    """Plain numbers that differ by node and moment."""
    wave = (at // 600 + 3 * place) % 12
    return NodeSample(
        cluster=made,
        host=host,
        level=level,
        at=at,
        cluster_size=3,
        paused_ns=at * 10**6,
        recv_queue=wave / 2,
        heal_pending=wave * 3 if wave > 9 else 0,
        disk_used_pct=40 + place * 5 + wave / 4,
        load1=0.3 + wave / 10,
        memory_used_pct=50.0,
    )
