"""HTTP API: what exists and what was seen. The rules are those of the services."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router
from ninja.responses import Status
from pydantic import Field, SecretStr

from clusterpanel.api import Body, InvalidInput
from clusterpanel.words import translated
from nodes import api_json, samples, selectors, services, summary
from nodes.domain.consequences import consequences_of_stopping
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import say
from nodes.models import DEFAULT_APP_DIR, Cluster

router = Router(tags=["nodes"])
T = TypeVar("T")
# Refusals of the state of things, not of what was sent.
_CONFLICTS = frozenset(
    {
        "drift_gone",
        "host_key_mismatch",
        "host_key_pinned",
        "live_list",
        "primary_is_procedure",
        "settings_stale",
        "ssh_key_gone",
        "ssh_key_refused",
        "ssh_key_waiting",
    }
)


class Peers(Body):
    galera_peer_hosts: list[str]
    cluster_fs_peer_hosts: list[str]
    cluster_primary_host: str
    two_galera_acknowledged: bool = False


class Access(Body):
    username: str = "root"
    port: int = 22
    private_key: SecretStr = SecretStr("")
    password: SecretStr = SecretStr("")
    make_key: bool = False


class NewCluster(Peers):
    name: str
    ssh: Access = Field(default_factory=Access)
    app_dir: str = DEFAULT_APP_DIR


class Page(Body):
    page_url: str


class Workers(Body):
    stop: str = ""
    start: str = ""
    check: str = ""


class Apply(Body):
    apply_command: str


class Trust(Body):
    host: str
    sha256: str
    replace: bool = False
    password: SecretStr = SecretStr("")


class Which(Body):
    host: str = ""
    check: str = ""


def the_cluster(cluster_id: int) -> Cluster:
    return get_object_or_404(Cluster, pk=cluster_id)


def checked(act: Callable[[], T]) -> T:
    """A refusal of what was sent is 422; one of the state of things stays 409."""
    try:
        return act()
    except Refused as error:
        if error.first.code in _CONFLICTS:
            raise
        raise InvalidInput(*error.refusals) from None


@router.get("/clusters")
def clusters(request: HttpRequest) -> list[dict[str, Any]]:
    return [api_json.cluster(cluster) for cluster in selectors.clusters()]


@router.post("/clusters", response={201: dict[str, Any]})
def cluster_create(request: HttpRequest, data: NewCluster) -> Status[dict[str, Any]]:
    cluster = checked(
        lambda: services.cluster_create(
            by=user_of(request),
            name=data.name,
            galera_peer_hosts=data.galera_peer_hosts,
            cluster_fs_peer_hosts=data.cluster_fs_peer_hosts,
            cluster_primary_host=data.cluster_primary_host,
            two_galera_acknowledged=data.two_galera_acknowledged,
            ssh_username=data.ssh.username,
            ssh_port=data.ssh.port,
            ssh_private_key=data.ssh.private_key.get_secret_value(),
            ssh_password=data.ssh.password.get_secret_value(),
            make_key=data.ssh.make_key,
            app_dir=data.app_dir,
        )
    )
    return Status(201, api_json.cluster(cluster))


@router.get("/clusters/{int:cluster_id}")
def cluster(request: HttpRequest, cluster_id: int) -> dict[str, Any]:
    return api_json.cluster(the_cluster(cluster_id))


@router.get("/clusters/{int:cluster_id}/status")
def status(request: HttpRequest, cluster_id: int) -> dict[str, Any]:
    """The verdict over the newest observation, and what each node said."""
    found, now = the_cluster(cluster_id), time.time()
    seen = summary.of(found, now)
    return {
        "verdict": api_json.verdict(seen.verdict),
        "nodes": api_json.nodes(found, seen.facts, now),
    }


@router.put("/clusters/{int:cluster_id}/page-url")
def page_url_save(request: HttpRequest, cluster_id: int, data: Page) -> dict[str, Any]:
    """Where dpiui2's own page is on each server: `https://{host}/`; "" and nobody asks."""
    found = the_cluster(cluster_id)
    checked(
        lambda: services.page_url_save(cluster=found, by=user_of(request), page_url=data.page_url)
    )
    return api_json.cluster(found)


@router.put("/clusters/{int:cluster_id}/apply-command")
def apply_command_save(request: HttpRequest, cluster_id: int, data: Apply) -> dict[str, Any]:
    """One line, run as root in APP/backend after .env was written; "" and nothing is run."""
    found = the_cluster(cluster_id)
    checked(
        lambda: services.apply_command_save(
            cluster=found, by=user_of(request), apply_command=data.apply_command
        )
    )
    return api_json.cluster(found)


@router.put("/clusters/{int:cluster_id}/workers")
def workers_save(request: HttpRequest, cluster_id: int, data: Workers) -> dict[str, Any]:
    """Shell commands for dpiui2's background workers; a change of the primary uses them."""
    found = the_cluster(cluster_id)
    words = {"stop": data.stop, "start": data.start, "check": data.check}
    checked(lambda: services.workers_save(cluster=found, by=user_of(request), **words))
    return api_json.cluster(found)


@router.get("/clusters/{int:cluster_id}/history")
def numbers(
    request: HttpRequest, cluster_id: int, metric: str, since: float, points: int = 300
) -> list[dict[str, Any]]:
    """One line of a chart for each server: [seconds since the epoch, value or null]…"""
    if metric not in samples.METRICS:
        names = ", ".join(samples.METRICS)
        why = say("There is no number “%(metric)s”.", metric=metric)
        raise InvalidInput(Refusal("metric_unknown", why, say("Known: %(names)s.", names=names)))
    found = samples.history(the_cluster(cluster_id), metric, since, min(max(points, 2), 2000))
    return [{"host": series.host, "points": series.points} for series in found]


@router.get("/clusters/{int:cluster_id}/consequences")
def consequences(request: HttpRequest, cluster_id: int, hosts: str) -> dict[str, Any]:
    """What stopping these servers (names with commas) would do now."""
    found = the_cluster(cluster_id)
    told = consequences_of_stopping(
        hosts.split(","), found.revision.peers, selectors.latest_facts(found)
    )
    return {
        "hosts": told.hosts,
        "database_after_clean_stop": told.graceful,
        "database_after_crash": told.crash,
        "storage": told.storage,
        "sentences": [translated(text) for text in told.sentences],
    }


@router.post("/clusters/{int:cluster_id}/host-keys/scan")
def host_keys_scan(request: HttpRequest, cluster_id: int) -> list[dict[str, Any]]:
    """The key that each server shows now. Nothing is trusted by asking."""
    return [
        {
            "host": key.host,
            "type": key.type,
            "sha256": key.sha256,
            "state": key.state,
            "pinned_sha256": key.pinned_sha256,
            "error": translated(key.error),
            "console_command": key.console_command,
        }
        for key in services.host_keys_scan(cluster=the_cluster(cluster_id))
    ]


@router.post("/clusters/{int:cluster_id}/host-keys/trust")
def host_key_trust(request: HttpRequest, cluster_id: int, data: Trust) -> dict[str, Any]:
    found = the_cluster(cluster_id)
    key = services.host_key_trust(
        cluster=found,
        host=data.host,
        sha256=data.sha256,
        by=user_of(request),
        replace=data.replace,
        password=data.password.get_secret_value(),
    )
    return {"host": key.host, "type": key.type, "sha256": key.sha256, "state": "trusted"}


@router.get("/clusters/{int:cluster_id}/checks")
def checks(request: HttpRequest, cluster_id: int) -> list[dict[str, Any]]:
    return [
        {
            "host": row.host,
            "check": cell.check.id,
            "title": translated(cell.check.title),
            "blocking": cell.check.blocking,
            "state": cell.state or None,
            "detail": translated(cell.detail),
            "fix": translated(cell.fix),
            "checked_at": cell.checked_at,
        }
        for row in selectors.checks_table(the_cluster(cluster_id))
        for cell in row.cells
    ]


@router.post("/clusters/{int:cluster_id}/checks")
def checks_run(
    request: HttpRequest, cluster_id: int, data: Which | None = None
) -> list[dict[str, Any]]:
    """Runs the whole table (no body), a row, a column or one cell."""
    found, which = the_cluster(cluster_id), data or Which()
    results = checked(
        lambda: services.checks_run(
            cluster=found, host=which.host, check_id=which.check, by=user_of(request)
        )
    )
    return api_json.results(results)


def user_of(request: HttpRequest) -> Any:
    return request.user
