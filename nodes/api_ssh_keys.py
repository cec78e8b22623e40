"""HTTP API: the key that the panel signs in with. The rules are those of the services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status

from clusterpanel.api import Body
from clusterpanel.words import translated
from nodes import services
from nodes.api import the_cluster, user_of
from nodes.services.ssh_keys import ShownKey, Tried

router = Router(tags=["nodes"])


class Which(Body):
    """By its fingerprint; "" is the stored password."""

    sha256: str


class Use(Which):
    """`without`: the servers that the key does not open, which the caller goes on without."""

    without: list[str] = []


@router.get("/clusters/{int:cluster_id}/ssh-keys")
def ssh_keys(request: HttpRequest, cluster_id: int) -> dict[str, Any]:
    """Public halves, and the commands that put them on the servers. No private half is ever told."""
    keys = services.ssh_keys_shown(cluster=the_cluster(cluster_id))
    return {
        "in_use": _key(keys.in_use),
        "other": _key(keys.other),
        "other_until": keys.until,
        "password_stored": keys.password_stored,
    }


@router.post("/clusters/{int:cluster_id}/ssh-keys", response={201: dict[str, Any]})
def ssh_key_make(request: HttpRequest, cluster_id: int) -> Status[dict[str, Any] | None]:
    """A new ed25519 key. It waits while another secret is in use."""
    made = services.ssh_key_make(cluster=the_cluster(cluster_id), by=user_of(request))
    return Status(201, _key(made))


@router.post("/clusters/{int:cluster_id}/ssh-keys/try")
def ssh_key_try(request: HttpRequest, cluster_id: int, data: Which) -> list[dict[str, Any]]:
    """Signs in to every server with it; changes nothing."""
    found, by = the_cluster(cluster_id), user_of(request)
    return _tried(services.ssh_key_try(cluster=found, by=by, sha256=data.sha256))


@router.post("/clusters/{int:cluster_id}/ssh-keys/use")
def ssh_key_use(request: HttpRequest, cluster_id: int, data: Use) -> list[dict[str, Any]]:
    """Proves that it opens every server, then the panel signs in with it; the one before is kept."""
    found, by = the_cluster(cluster_id), user_of(request)
    return _tried(
        services.ssh_key_use(cluster=found, by=by, sha256=data.sha256, without=data.without)
    )


@router.post("/clusters/{int:cluster_id}/ssh-keys/drop", response={204: None})
def ssh_key_drop(request: HttpRequest, cluster_id: int, data: Which) -> Status[None]:
    """Forgets the key that is not in use."""
    services.ssh_key_drop(cluster=the_cluster(cluster_id), by=user_of(request), sha256=data.sha256)
    return Status(204, None)


def _key(key: ShownKey | None) -> dict[str, Any] | None:
    if key is None:
        return None
    told = {"type": key.type, "sha256": key.sha256, "authorized_keys": key.line}
    return {**told, "commands": asdict(key.commands)}


def _tried(tried: Sequence[Tried]) -> list[dict[str, Any]]:
    return [
        {
            "host": each.host,
            "state": each.state,
            "why": translated(each.why),
            "fix": translated(each.fix),
        }
        for each in tried
    ]
