"""HTTP API: adopting a cluster that runs. The rules are those of the services."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status
from pydantic import Field

from clusterpanel.api import Body
from clusterpanel.words import translated
from nodes import api_json, history, services
from nodes.api import Access, checked, the_cluster, user_of
from nodes.history import NodeWork
from nodes.models import DEFAULT_APP_DIR
from nodes.services import adoption

router = Router(tags=["nodes"])


class Adoption(Body):
    """One server of the cluster, and how to sign in there."""

    name: str
    host: str
    ssh: Access = Field(default_factory=Access)
    app_dir: str = DEFAULT_APP_DIR


class Read(Body):
    host: str


@router.post("/clusters/adopt", response={201: dict[str, Any]})
def adoption_begin(request: HttpRequest, data: Adoption) -> Status[dict[str, Any]]:
    """Nothing is asked yet: scan and accept the host key, then read."""
    cluster = checked(
        lambda: services.adoption_begin(
            by=user_of(request),
            name=data.name,
            host=data.host,
            ssh_username=data.ssh.username,
            ssh_port=data.ssh.port,
            ssh_private_key=data.ssh.private_key.get_secret_value(),
            ssh_password=data.ssh.password.get_secret_value(),
            make_key=data.ssh.make_key,
            app_dir=data.app_dir,
        )
    )
    return Status(201, api_json.cluster(cluster))


@router.post("/clusters/{int:cluster_id}/adoption/read")
def adoption_read(request: HttpRequest, cluster_id: int, data: Read) -> dict[str, Any]:
    """Take the keys in the `.env` of `host` as the settings, and look at all servers."""
    found = the_cluster(cluster_id)
    services.adoption_read(cluster=found, by=user_of(request), host=data.host)
    return api_json.settings(found.revision)


@router.get("/clusters/{int:cluster_id}/work")
def work(request: HttpRequest, cluster_id: int) -> list[dict[str, Any]]:
    """Whose run holds each node and what is at work there, as the nodes say now."""
    return [_work(each) for each in history.of().work_on_nodes(the_cluster(cluster_id))]


def _work(each: NodeWork) -> dict[str, Any]:
    holder = {"panel": each.panel, "run": each.run, "user": each.user, "since": each.since}
    return {
        "host": each.host,
        "unknown": translated(each.unknown),
        "held_by": holder | {"silent_s": each.silent_s} if each.run else None,
        "jobs": [
            {"name": job.name, "command": job.command, "last_lines": list(job.last_lines)}
            for job in each.jobs
        ],
    }


@router.post("/clusters/{int:cluster_id}/adoption/finish")
def adoption_finish(request: HttpRequest, cluster_id: int) -> dict[str, Any]:
    """From now on it is managed. Nothing is changed on any server."""
    found = the_cluster(cluster_id)
    services.adoption_finish(cluster=found, by=user_of(request))
    return api_json.cluster(found)


@router.delete("/clusters/{int:cluster_id}/adoption")
def adoption_drop(request: HttpRequest, cluster_id: int) -> dict[str, Any]:
    found = the_cluster(cluster_id)
    services.adoption_drop(cluster=found, by=user_of(request))
    return {"forgotten": found.name}


@router.get("/clusters/{int:cluster_id}/adoption")
def adoption_state(request: HttpRequest, cluster_id: int) -> dict[str, Any]:
    """Whether it is being adopted, and what is still missing before it can be managed."""
    found = the_cluster(cluster_id)
    missing = adoption.not_ready(found) if found.adopting else None
    return {"adopting": found.adopting, "missing": translated(missing.why) if missing else None}
