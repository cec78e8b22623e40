"""Rows of revisions: what was typed as peers, and one more row."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User

from nodes.domain.peers import PeerSettings, parse_host_list
from nodes.models import Cluster, SettingsRevision


def peers_of(
    galera: Sequence[str] | str, gluster: Sequence[str] | str, primary: str
) -> PeerSettings:
    return PeerSettings(_hosts(galera), _hosts(gluster), primary.strip())


def _hosts(value: Sequence[str] | str) -> tuple[str, ...]:
    return parse_host_list(value) if isinstance(value, str) else tuple(h.strip() for h in value)


def revision_add(
    cluster: Cluster,
    number: int,
    peers: PeerSettings,
    acknowledged: bool,
    by: User | None,
    why: str = "",
) -> SettingsRevision:
    return SettingsRevision.objects.create(
        cluster=cluster,
        number=number,
        galera_peer_hosts=list(peers.galera_peer_hosts),
        cluster_fs_peer_hosts=list(peers.cluster_fs_peer_hosts),
        cluster_primary_host=peers.cluster_primary_host,
        two_galera_acknowledged=acknowledged,
        author=by,
        why=why,
    )
