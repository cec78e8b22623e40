"""What an admin does, in the order of the wizard, by the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.panel import Client


def create_cluster(client: Client, lab: dict[str, Any], name: str) -> int:
    hosts = addresses(lab)
    body = {
        "name": name,
        "galera_peer_hosts": hosts,
        "cluster_fs_peer_hosts": hosts,
        "cluster_primary_host": hosts[0],
        "ssh": {"username": "root", "port": 22, "private_key": Path(lab["key"]).read_text()},
    }
    return int(client.post("/clusters", body, expect=201)["id"])


def trust_all(client: Client, cluster: int, lab: dict[str, Any]) -> None:
    """Accept each key only after comparing it with what the server's own console says."""
    known = {node["address"]: node["host_key_sha256"] for node in lab["nodes"]}
    for key in client.post(f"/clusters/{cluster}/host-keys/scan"):
        assert key["state"] == "new"
        assert key["sha256"] == known[key["host"]]
        body = {"host": key["host"], "sha256": key["sha256"]}
        client.post(f"/clusters/{cluster}/host-keys/trust", body)


def run_to_success(
    client: Client,
    cluster: int,
    procedure: str,
    confirmations: dict[str, Any] | None = None,
    **params: Any,
) -> Any:
    run = client.start(cluster, procedure, confirmations or {}, **params)
    snapshot = client.finished(run)
    assert snapshot["state"] == "succeeded", (snapshot["sentence"], client.log(run)[-3000:])
    return snapshot


def confirm_all(client: Client, cluster: int, procedure: str) -> dict[str, Any]:
    """Answers for every gate of the plan: the newest usable backup, and a tick."""
    answers: dict[str, Any] = {}
    for gate in client.plan(cluster, procedure)["gates"]:
        if gate["kind"] == "backup":
            answers[gate["id"]] = {"backup": usable_backup(client, cluster, gate["subject"])}
        else:
            answers[gate["id"]] = {"accept": True}
    return answers


def usable_backup(client: Client, cluster: int, kind: str) -> int:
    backups = client.get(f"/clusters/{cluster}/backups")
    return int(next(b["id"] for b in backups if b["kind"] == kind and b["usable"]))


def addresses(lab: dict[str, Any]) -> list[str]:
    return [node["address"] for node in lab["nodes"]]
