"""What the Galera servers' stopped databases left on their disks, asked now."""

from __future__ import annotations

from collections.abc import Mapping

from clusterpanel.people.rules import of_the_panel
from nodes.domain.observation import ClusterFacts, Unknown
from nodes.domain.traces import Traces
from nodes.models import Cluster
from nodes.probes import traces
from nodes.services.clusters import targets_for
from nodes.transport import pool


@of_the_panel
def traces_now(*, cluster: Cluster, facts: ClusterFacts) -> Mapping[str, Traces | Unknown]:
    """By host, of every server of the Galera list; one that does not answer is Unknown.

    `facts` of the same servers say where the data lies.
    """
    wanted = cluster.revision.peers.galera_peer_hosts
    targets = [target for target in targets_for(cluster) if target.host in wanted]
    datadirs = {node.host: str(node.extra.get("datadir") or "") for node in facts.nodes}
    return traces.look(pool.transport_for, targets, datadirs)
