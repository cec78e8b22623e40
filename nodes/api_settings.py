"""HTTP API: the three keys, their drift and their history. The rules are those of the services."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from clusterpanel.api import Body
from clusterpanel.words import translated
from nodes import api_json, history, selectors, services
from nodes.api import Peers, checked, the_cluster, user_of

router = Router(tags=["nodes"])


class NewSettings(Peers):
    revision: int
    why: str = ""
    accepted: list[str] = Field(default_factory=list)


class Revert(Body):
    """`number` is the revision to go back to, `revision` the newest one that was seen."""

    number: int
    revision: int
    accepted: list[str] = Field(default_factory=list)


class Take(Body):
    """`finding` is the drift as `GET …/settings/drift` told it."""

    host: str
    finding: str
    revision: int
    accepted: list[str] = Field(default_factory=list)


@router.get("/clusters/{int:cluster_id}/settings")
def settings(request: HttpRequest, cluster_id: int) -> dict[str, Any]:
    return api_json.settings(the_cluster(cluster_id).revision)


@router.put("/clusters/{int:cluster_id}/settings")
def settings_save(request: HttpRequest, cluster_id: int, data: NewSettings) -> dict[str, Any]:
    """Saves the panel's wish; `revision` is the one that the change is based on."""
    found = the_cluster(cluster_id)
    saved = checked(
        lambda: services.settings_save(
            cluster=found,
            by=user_of(request),
            based_on=data.revision,
            galera_peer_hosts=data.galera_peer_hosts,
            cluster_fs_peer_hosts=data.cluster_fs_peer_hosts,
            cluster_primary_host=data.cluster_primary_host,
            two_galera_acknowledged=data.two_galera_acknowledged,
            why=data.why,
            accepted=data.accepted,
        )
    )
    return api_json.settings(saved)


@router.post("/clusters/{int:cluster_id}/settings/revert")
def settings_revert(request: HttpRequest, cluster_id: int, data: Revert) -> dict[str, Any]:
    """The values of an old revision as a new one."""
    found = the_cluster(cluster_id)
    saved = checked(
        lambda: services.settings_revert(
            cluster=found,
            by=user_of(request),
            number=data.number,
            based_on=data.revision,
            accepted=data.accepted,
        )
    )
    return api_json.settings(saved)


@router.post("/clusters/{int:cluster_id}/settings/take")
def settings_take(request: HttpRequest, cluster_id: int, data: Take) -> dict[str, Any]:
    """What one node's `.env` says, as a new revision."""
    found = the_cluster(cluster_id)
    saved = checked(
        lambda: services.settings_take(
            cluster=found,
            by=user_of(request),
            host=data.host,
            finding=data.finding,
            based_on=data.revision,
            accepted=data.accepted,
        )
    )
    return api_json.settings(saved)


@router.get("/clusters/{int:cluster_id}/settings/drift")
def drift(request: HttpRequest, cluster_id: int) -> list[dict[str, Any]]:
    """Each node's `.env` beside what it should say; `same` null when that is unknown."""
    found = the_cluster(cluster_id)
    return [
        {
            "host": file.host,
            "same": None if file.unknown else file.same,
            "present": None if file.unknown else file.present,
            "unknown": translated(file.unknown),
            "changed_at": file.changed_at,
            "finding": file.finding or None,
            "lines": [asdict(line) | {"same": line.same} for line in file.lines],
        }
        for file in selectors.env_difference(found, selectors.latest_facts(found))
    ]


@router.get("/clusters/{int:cluster_id}/settings/history")
def revisions(request: HttpRequest, cluster_id: int) -> list[dict[str, Any]]:
    """Every revision, newest first: who, when, why, what it changed, and which nodes have it."""
    found = the_cluster(cluster_id)
    rows = selectors.revision_rows(found, selectors.latest_facts(found))
    return [
        api_json.settings(row.revision)
        | {"changes": [asdict(line) for line in row.changes], "on": list(row.on)}
        for row in rows
    ]


@router.get("/clusters/{int:cluster_id}/settings/waiting")
def waiting(request: HttpRequest, cluster_id: int) -> list[dict[str, Any]]:
    """Nodes that were away when a revision was written, and get it as soon as they answer."""
    return [
        {
            "host": each.host,
            "revision": each.revision,
            "by": each.by,
            "since": each.since,
            "said": translated(each.said),
        }
        for each in history.of().waiting_settings(the_cluster(cluster_id))
    ]
