"""Steps 6 and 7: what the two installations will do, in words, before their plans are opened."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from nodes import selectors
from nodes.domain import tally
from nodes.domain.observation import ClusterFacts, Unknown
from nodes.models import Cluster
from nodes.views.steps.common import around


@dataclass(frozen=True)
class Member:
    """A server and the databases on it; `databases` None means that nobody could say."""

    host: str
    primary: bool
    databases: dict[str, int] | None


def galera(request: HttpRequest, cluster: Cluster) -> HttpResponse:
    peers = cluster.revision.peers
    facts = selectors.latest_facts(cluster)
    members = [
        Member(host, host == peers.cluster_primary_host, _databases(facts, host))
        for host in peers.galera_peer_hosts
    ]
    context = {
        **around(cluster, "galera"),
        "members": members,
        "procedure": "install_galera",
        "command": f"sh {cluster.app_dir}/backend/app_bash/galera_setup.sh -a init_cluster",
    }
    return render(request, "nodes/steps/galera.html", context)


def _databases(facts: ClusterFacts | None, host: str) -> dict[str, int] | None:
    node = tally.node_of(facts, host)
    if node is None or isinstance(node.databases, Unknown):
        return None
    return dict(node.databases)


def gluster(request: HttpRequest, cluster: Cluster) -> HttpResponse:
    peers = cluster.revision.peers
    context = {
        **around(cluster, "gluster"),
        "hosts": peers.cluster_fs_peer_hosts,
        "primary": peers.cluster_primary_host,
        "procedure": "install_glusterfs",
        "script": f"sh {cluster.app_dir}/backend/app_bash/glusterfs_setup.sh",
    }
    return render(request, "nodes/steps/gluster.html", context)
