"""Clusters as the pages of `nodes` meet them: rows as the services leave them, no server asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User

from nodes import credentials
from nodes.domain.facts_json import to_json
from nodes.domain.observation import EnvFacts, NodeFacts
from nodes.models import Cluster, HostKey, Observation, SettingsRevision
from tests import builders
from tests.builders import HOSTS

KEY = credentials.made()
SECRET = KEY.splitlines()[4]  # of the private half


def admin(password: str | None = None) -> User:
    """Hashing a password takes long on purpose: only the tests of the sign-in page give one."""
    return User.objects.create_user("ivanov", password=password, is_superuser=True)


def made_site(name: str = "moscow-1", *, hosts: Sequence[str] = HOSTS, **fields: Any) -> Cluster:
    cluster = Cluster.objects.create(name=name, **fields)
    SettingsRevision.objects.create(
        cluster=cluster,
        number=1,
        galera_peer_hosts=list(hosts),
        cluster_fs_peer_hosts=list(hosts),
        cluster_primary_host=hosts[0],
    )
    return cluster


def fresh() -> Cluster:
    """Step 1 was saved, nothing else."""
    return made_site()


def reachable() -> Cluster:
    """Keys are pinned, the servers answer, nothing is written or installed yet."""
    site = made_site(ssh_private_key=KEY)
    pin(site)
    empty = EnvFacts(True, "0" * 64, dict.fromkeys(builders.peers().as_env()))
    observed(site, *(builders.node(host, env=empty) for host in HOSTS))
    return site


def unreachable() -> Cluster:
    site = made_site(ssh_private_key=KEY)
    pin(site)
    observed(site, *(builders.silent(host) for host in HOSTS))
    return site


def installed() -> Cluster:
    site = made_site(ssh_private_key=KEY)
    pin(site)
    observed(site, *(builders.well(host) for host in HOSTS))
    return site


def pin(site: Cluster) -> None:
    for host in HOSTS:
        HostKey.objects.create(
            cluster=site, host=host, type="ssh-ed25519", base64="AAAA", sha256=f"SHA256:{host}"
        )


def observed(site: Cluster, *nodes: NodeFacts, age_s: float = 1) -> None:
    taken_at = time.time() - age_s
    for node in nodes:
        dated = replace(node, taken_at=taken_at)
        Observation.objects.update_or_create(
            cluster=site,
            host=node.host,
            defaults={"taken_at": datetime.fromtimestamp(taken_at, UTC), "facts": to_json(dated)},
        )
