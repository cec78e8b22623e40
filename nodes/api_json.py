"""Clusters, settings and facts as the API tells them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from clusterpanel.words import translated
from nodes.domain.observation import (
    GROUPS,
    ClusterFacts,
    EnvFacts,
    GaleraFacts,
    GlusterVolume,
    MountFacts,
    NodeFacts,
    PageFacts,
    Unknown,
)
from nodes.domain.verdict import Action, Finding, Verdict
from nodes.models import CheckResult, Cluster, SettingsRevision

T = TypeVar("T")


def results(results: Sequence[CheckResult]) -> list[dict[str, Any]]:
    return [
        {
            "host": result.host,
            "check": result.check_id,
            "state": result.state,
            "detail": translated(result.detail),
            "fix": translated(result.fix),
            "checked_at": result.checked_at,
        }
        for result in results
    ]


def cluster(cluster: Cluster) -> dict[str, Any]:
    """Without the secrets: whether there are any is all that is told."""
    return {
        "id": cluster.pk,
        "name": cluster.name,
        "app_dir": cluster.app_dir,
        "page_url": cluster.page_url,
        "workers": {
            "stop": cluster.worker_stop,
            "start": cluster.worker_start,
            "check": cluster.worker_check,
        },
        "apply_command": cluster.apply_command,
        "adopting": cluster.adopting,
        "settings": settings(cluster.revision),
        "ssh": {
            "username": cluster.ssh_username,
            "port": cluster.ssh_port,
            "has_private_key": bool(cluster.ssh_private_key),
            "has_password": bool(cluster.ssh_password),
        },
        "created_at": cluster.created_at,
    }


def settings(revision: SettingsRevision) -> dict[str, Any]:
    return {
        "revision": revision.number,
        "galera_peer_hosts": revision.galera_peer_hosts,
        "cluster_fs_peer_hosts": revision.cluster_fs_peer_hosts,
        "cluster_primary_host": revision.cluster_primary_host,
        "two_galera_acknowledged": revision.two_galera_acknowledged,
        "why": revision.why,
        "author": revision.author.get_username() if revision.author else None,
        "created_at": revision.created_at,
    }


def verdict(verdict: Verdict) -> dict[str, Any]:
    """`action` is the next step as a sentence; `next` is the same for a program."""
    return {
        "state": verdict.state,
        "sentence": translated(verdict.sentence),
        "action": translated(verdict.action.text) if verdict.action else None,
        "next": _action(verdict.action),
        "tolerates": verdict.tolerates,
        "galera_tolerates": verdict.galera_tolerates,
        "gluster_tolerates": verdict.gluster_tolerates,
        "age_s": verdict.age_s,
        "stale": verdict.stale,
        "findings": [_finding(finding) for finding in verdict.findings],
        "transfers": [asdict(t) | {"percent": t.percent} for t in verdict.transfers],
    }


def _action(action: Action | None) -> dict[str, Any] | None:
    if action is None:
        return None
    return {
        "kind": action.kind,
        "text": translated(action.text),
        "procedure": action.procedure or None,
        "command": action.command or None,
        "node": action.node or None,
        "service": action.service or None,
        "allowed": action.allowed,
        "why": translated(action.why),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "severity": finding.severity,
        "node": finding.node or None,
        "what": translated(finding.what),
        "why": translated(finding.why),
        "next": _action(finding.action),
    }


def nodes(cluster: Cluster, facts: ClusterFacts | None, now: float) -> list[dict[str, Any]]:
    primary = cluster.revision.cluster_primary_host
    seen = facts.nodes if facts else ()
    return [_node(node, now) | {"primary": node.host == primary} for node in seen]


def _node(node: NodeFacts, now: float) -> dict[str, Any]:
    return {
        "host": node.host,
        "age_s": round(now - node.taken_at, 1),
        "ssh": _known(node.ssh, lambda value: value),
        "hostname": _known(node.hostname, lambda value: value),
        "units": _known(node.units, dict),
        "galera": _known(node.galera, _galera),
        "mount": _known(node.mount, _mount),
        "peers": _known(node.gluster_peers, _peers),
        "volumes": _known(node.gluster_volumes, lambda found: [_volume(v) for v in found]),
        "env": _known(node.env, _env),
        "boot_id": _known(node.boot_id, str),
        "uptime_s": _known(node.uptime_s, float),
        "load1": _known(node.load1, float),
        "memory": _known(node.memory, dict),
        "disk_free": _known(node.disk_free, dict),
        "clock_offset_s": _known(node.clock_offset_s, float),
        "versions": _known(node.versions, dict),
        "page": _known(node.page, _page),
        "read_at": {name: node.group_read_at(name) for name in GROUPS},
    }


def _env(facts: EnvFacts) -> dict[str, Any]:
    return asdict(facts)


def _page(facts: PageFacts) -> dict[str, Any]:
    return {"url": facts.url, "answers": facts.answers, "code": facts.code, "why": facts.why}


def _volume(volume: GlusterVolume) -> dict[str, Any]:
    return asdict(volume)


def _known(value: T | Unknown, show: Callable[[T], Any]) -> Any:
    """An unknown fact says why; it is never an empty one (law 9)."""
    if isinstance(value, Unknown):
        return {"unknown": translated(value.why)}
    return show(value)


def _galera(facts: GaleraFacts) -> dict[str, Any]:
    return {
        "wsrep_on": facts.wsrep_on,
        "cluster_status": facts.cluster_status,
        "cluster_size": facts.cluster_size,
        "cluster_uuid": facts.cluster_uuid,
        "state": facts.local_state_comment,
        "synced": facts.synced,
    }


def _mount(facts: MountFacts) -> dict[str, Any]:
    return {
        "mounted": facts.mounted,
        "fstype": facts.fstype,
        "source": facts.source,
        "answers": facts.answers,
    }


def _peers(peers: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {"hostname": p.hostname, "connected": p.connected, "state": p.state_text, "well": p.well}
        for p in peers
    ]
