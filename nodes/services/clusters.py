"""Clusters, and how their servers are reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from clusterpanel import audit
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs, of_the_panel
from nodes import credentials
from nodes.domain.apply_command import problem as apply_command_problem
from nodes.domain.page_url import problem as page_url_problem
from nodes.domain.peers import PeerSettings
from nodes.domain.refusal import Refusal, Refused
from nodes.models import DEFAULT_APP_DIR, Cluster
from nodes.services import typed
from nodes.services.revisions import peers_of, revision_add
from nodes.transport.base import PinnedKey, Target


@needs(Role.ADMINISTRATOR)
def cluster_create(
    *,
    by: User | None,
    name: str,
    galera_peer_hosts: Sequence[str] | str,
    cluster_fs_peer_hosts: Sequence[str] | str,
    cluster_primary_host: str,
    ssh_username: str = "root",
    ssh_port: int = 22,
    ssh_private_key: str = "",
    ssh_password: str = "",
    make_key: bool = False,
    app_dir: str = DEFAULT_APP_DIR,
    two_galera_acknowledged: bool = False,
) -> Cluster:
    """A cluster with revision 1 of its settings. Raises Refused with everything that is wrong.

    `make_key`: the panel makes the key that it will sign in with.
    """
    peers = peers_of(galera_peer_hosts, cluster_fs_peer_hosts, cluster_primary_host)
    cluster = Cluster(name=name.strip(), app_dir=app_dir.strip().rstrip("/"))
    both = sign_in_with(cluster, ssh_username, ssh_port, ssh_private_key, ssh_password, make_key)
    wrong = typed.peer_problems(peers, two_galera_acknowledged)
    _refuse(*both, *typed.cluster_problems(cluster), *wrong)
    _insert(cluster, peers, two_galera_acknowledged, by)
    return cluster


def sign_in_with(
    cluster: Cluster, username: str, port: int, pasted: str, password: str, make_key: bool
) -> list[Refusal]:
    """Give a cluster that is not saved yet what it signs in with; what contradicts itself in that."""
    cluster.ssh_username, cluster.ssh_port = username, port
    cluster.ssh_private_key = credentials.made() if make_key else credentials.normalized(pasted)
    cluster.ssh_password = password
    return typed.two_keys(pasted.strip(), make_key)


def _insert(cluster: Cluster, peers: PeerSettings, acknowledged: bool, by: User | None) -> None:
    try:
        with transaction.atomic():
            cluster.save(force_insert=True)
            revision_add(cluster, 1, peers, acknowledged, by)
            _record(by, "cluster_create", cluster, _told(cluster, peers))
    except IntegrityError:  # somebody else used the name in this very moment
        raise Refused(typed.name_taken(cluster.name)) from None


@needs(Role.ADMINISTRATOR)
def page_url_save(*, cluster: Cluster, by: User | None, page_url: str) -> None:
    """Where dpiui2's own page is on each server, `https://{host}/`; "" and nobody asks."""
    page_url = page_url.strip()
    wrong = page_url_problem(page_url)
    _refuse(*([wrong] if wrong else []))
    before, cluster.page_url = cluster.page_url, page_url
    with transaction.atomic():
        cluster.save(update_fields=["page_url"])
        _record(by, "page_url_save", cluster, {"before": before, "after": page_url})


@needs(Role.ADMINISTRATOR)
def apply_command_save(*, cluster: Cluster, by: User | None, apply_command: str) -> None:
    """What makes dpiui2 read its `.env` again; "" and nothing is run. It will run as root.

    Raises Refused `apply_command_bad`.
    """
    wanted = apply_command.strip()
    wrong = apply_command_problem(wanted)
    _refuse(*([wrong] if wrong else []))
    before, cluster.apply_command = cluster.apply_command, wanted
    with transaction.atomic():
        cluster.save(update_fields=["apply_command"])
        _record(by, "apply_command_save", cluster, {"before": before, "after": wanted})


@of_the_panel
def target_for(cluster: Cluster, host: str) -> Target:
    """How to reach one server: its pinned key and the cluster's secrets."""
    pinned = cluster.host_keys.filter(host=host)
    return _target(cluster, host, tuple(PinnedKey(key.type, key.base64) for key in pinned))


def targets_for(cluster: Cluster) -> tuple[Target, ...]:
    """Every server of the newest settings, in their order, with one query for the keys."""
    pinned = {key.host: PinnedKey(key.type, key.base64) for key in cluster.host_keys.all()}
    return tuple(
        _target(cluster, host, (pinned[host],) if host in pinned else ())
        for host in cluster.revision.peers.hosts
    )


def who(by: User | None) -> str:
    return by.get_username() if by else "panel"


def _target(cluster: Cluster, host: str, pinned: tuple[PinnedKey, ...]) -> Target:
    return Target(
        host=host,
        port=cluster.ssh_port,
        username=cluster.ssh_username,
        pinned_keys=pinned,
        private_key=cluster.ssh_private_key,
        password=cluster.ssh_password,
    )


def _record(by: User | None, action: str, cluster: Cluster, detail: dict[str, Any]) -> None:
    audit.record(who=who(by), action=action, subject=cluster.name, detail=detail)


def _told(cluster: Cluster, peers: PeerSettings) -> dict[str, Any]:
    access = {"username": cluster.ssh_username, "port": cluster.ssh_port}
    return {"settings": peers.as_env(), "ssh": access, "app_dir": cluster.app_dir}


def _refuse(*refusals: Refusal) -> None:
    if refusals:
        raise Refused(*refusals)
