"""Clusters, their settings by revision, and how their servers are reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from clusterpanel import audit
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs, of_the_panel
from nodes import credentials
from nodes.domain.page_url import problem as page_url_problem
from nodes.domain.peers import PeerSettings, parse_host_list
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import say
from nodes.models import DEFAULT_APP_DIR, Cluster, SettingsRevision
from nodes.services import typed
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
    app_dir: str = DEFAULT_APP_DIR,
    two_galera_acknowledged: bool = False,
) -> Cluster:
    """A cluster with revision 1 of its settings. Raises Refused with everything that is wrong."""
    peers = _peers(galera_peer_hosts, cluster_fs_peer_hosts, cluster_primary_host)
    cluster = Cluster(name=name.strip(), app_dir=app_dir.strip().rstrip("/"))
    cluster.ssh_username, cluster.ssh_port = ssh_username, ssh_port
    cluster.ssh_private_key = credentials.normalized(ssh_private_key)
    cluster.ssh_password = ssh_password
    _refuse(*typed.cluster_problems(cluster), *typed.peer_problems(peers, two_galera_acknowledged))
    _insert(cluster, peers, two_galera_acknowledged, by)
    return cluster


def _insert(cluster: Cluster, peers: PeerSettings, acknowledged: bool, by: User | None) -> None:
    try:
        with transaction.atomic():
            cluster.save(force_insert=True)
            _revision(cluster, 1, peers, acknowledged, by)
            _record(by, "cluster_create", cluster, _told(cluster, peers))
    except IntegrityError:  # somebody else used the name in this very moment
        raise Refused(typed.name_taken(cluster.name)) from None


@needs(Role.ADMINISTRATOR)
def settings_save(
    *,
    cluster: Cluster,
    by: User | None,
    based_on: int,
    galera_peer_hosts: Sequence[str] | str,
    cluster_fs_peer_hosts: Sequence[str] | str,
    cluster_primary_host: str,
    two_galera_acknowledged: bool = False,
) -> SettingsRevision:
    """A new revision; the newest one when nothing changed. Only the panel's wish: no node is touched.

    Raises Refused: `settings_stale` when somebody saved since `based_on`, or what is wrong.
    """
    peers = _peers(galera_peer_hosts, cluster_fs_peer_hosts, cluster_primary_host)
    newest = cluster.revision
    if newest.number != based_on:
        raise Refused(_stale(newest, based_on))
    _refuse(*typed.peer_problems(peers, two_galera_acknowledged))
    if (newest.peers, newest.two_galera_acknowledged) == (peers, two_galera_acknowledged):
        return newest
    return _append(newest, peers, two_galera_acknowledged, by)


def _append(
    newest: SettingsRevision, peers: PeerSettings, acknowledged: bool, by: User | None
) -> SettingsRevision:
    cluster, number = newest.cluster, newest.number + 1
    detail = {"revision": number, "before": newest.peers.as_env(), "after": peers.as_env()}
    try:
        with transaction.atomic():
            saved = _revision(cluster, number, peers, acknowledged, by)
            _record(by, "settings_save", cluster, detail)
    except IntegrityError:  # somebody else saved this number in this very moment
        raise Refused(_stale(cluster.revision, newest.number)) from None
    return saved


@needs(Role.ADMINISTRATOR)
def access_save(
    *,
    cluster: Cluster,
    by: User | None,
    ssh_username: str,
    ssh_port: int,
    ssh_private_key: str = "",
    ssh_password: str = "",
) -> None:
    """How the servers are reached. An empty secret keeps the stored one."""
    key = credentials.normalized(ssh_private_key)
    _refuse(
        *typed.access_problems(ssh_username, ssh_port, key),
        *typed.no_secret(cluster, key, ssh_password),
    )
    cluster.ssh_username, cluster.ssh_port = ssh_username, ssh_port
    changed = [
        name for name, value in (("ssh_private_key", key), ("ssh_password", ssh_password)) if value
    ]
    cluster.ssh_private_key = key or cluster.ssh_private_key
    cluster.ssh_password = ssh_password or cluster.ssh_password
    with transaction.atomic():
        cluster.save(update_fields=["ssh_username", "ssh_port", "ssh_private_key", "ssh_password"])
        detail = {"username": ssh_username, "port": ssh_port, "replaced": changed}
        _record(by, "access_save", cluster, detail)


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


def _peers(galera: Sequence[str] | str, gluster: Sequence[str] | str, primary: str) -> PeerSettings:
    return PeerSettings(_hosts(galera), _hosts(gluster), primary.strip())


def _hosts(value: Sequence[str] | str) -> tuple[str, ...]:
    return parse_host_list(value) if isinstance(value, str) else tuple(h.strip() for h in value)


def _revision(
    cluster: Cluster, number: int, peers: PeerSettings, acknowledged: bool, by: User | None
) -> SettingsRevision:
    return SettingsRevision.objects.create(
        cluster=cluster,
        number=number,
        galera_peer_hosts=list(peers.galera_peer_hosts),
        cluster_fs_peer_hosts=list(peers.cluster_fs_peer_hosts),
        cluster_primary_host=peers.cluster_primary_host,
        two_galera_acknowledged=acknowledged,
        author=by,
    )


def _record(by: User | None, action: str, cluster: Cluster, detail: dict[str, Any]) -> None:
    audit.record(who=who(by), action=action, subject=cluster.name, detail=detail)


def _told(cluster: Cluster, peers: PeerSettings) -> dict[str, Any]:
    access = {"username": cluster.ssh_username, "port": cluster.ssh_port}
    return {"settings": peers.as_env(), "ssh": access, "app_dir": cluster.app_dir}


def _refuse(*refusals: Refusal) -> None:
    if refusals:
        raise Refused(*refusals)


def _stale(newest: SettingsRevision, based_on: int) -> Refusal:
    why = say(
        "%(author)s saved revision %(newest)s of the settings since you opened revision %(based)s.",
        author=who(newest.author),
        newest=newest.number,
        based=based_on,
    )
    fix = say("Look at the new settings and make your change there.")
    evidence = {"newest": newest.number, "based_on": based_on, "settings": newest.peers.as_env()}
    return Refusal("settings_stale", why, fix, evidence)
