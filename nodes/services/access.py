"""How the panel signs in to the servers of a cluster."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from clusterpanel import audit
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs
from nodes import credentials
from nodes.domain.refusal import Refused
from nodes.models import Cluster
from nodes.services import ssh_keys, typed
from nodes.services.clusters import who

_FIELDS = [
    "ssh_username",
    "ssh_port",
    "ssh_private_key",
    "ssh_password",
    "ssh_other_key",
    "ssh_other_until",
]


@needs(Role.ADMINISTRATOR)
def access_save(
    *,
    cluster: Cluster,
    by: User | None,
    ssh_username: str,
    ssh_port: int,
    ssh_private_key: str = "",
    ssh_password: str = "",
    make_key: bool = False,
) -> None:
    """How the servers are reached. An empty secret keeps the stored one; `make_key`: the panel makes a
    key. A key waits while another secret is in use (`ssh_keys.place`)."""
    key = credentials.normalized(ssh_private_key)
    found = [
        *typed.access_problems(ssh_username, ssh_port, key),
        *typed.two_keys(key, make_key),
        *([] if make_key else typed.no_secret(cluster, key, ssh_password)),
    ]
    if found:
        raise Refused(*found)
    with transaction.atomic():
        ssh_keys.read_again(cluster)
        detail = {"username": ssh_username, "port": ssh_port}
        detail |= _put(cluster, key, ssh_password, make_key)
        cluster.ssh_username, cluster.ssh_port = ssh_username, ssh_port
        cluster.save(update_fields=_FIELDS)
        audit.record(who=who(by), action="access_save", subject=cluster.name, detail=detail)


def _put(cluster: Cluster, pasted: str, password: str, make_key: bool) -> dict[str, Any]:
    """Both secrets where they belong; what is to be told of it."""
    told: dict[str, Any] = {"replaced": []}
    key = credentials.made() if make_key else pasted
    if key and not ssh_keys.is_there(cluster, key):
        in_use = ssh_keys.place(cluster, key, pasted=not make_key)
        told |= {"sha256": ssh_keys.sha256_of(key), "made": make_key, "in_use": in_use}
        told["replaced"] += ["ssh_private_key"] if in_use else []
    if password:
        cluster.ssh_password = password
        told["replaced"].append("ssh_password")
    return told
