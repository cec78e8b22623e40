"""A cluster on record, and what the tests of its services share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from nodes import services
from nodes.domain.refusal import Refused
from nodes.models import Cluster
from tests.fakes.recorded import HOSTS

KEY = ed25519.Ed25519PrivateKey.generate()
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
GOOD: dict[str, Any] = {
    "name": "Office",
    "galera_peer_hosts": list(HOSTS),
    "cluster_fs_peer_hosts": list(HOSTS),
    "cluster_primary_host": HOSTS[0],
    "ssh_private_key": PEM,
}


def refused(call: Callable[..., object], **kwargs: Any) -> dict[str, str]:
    """Code by field of what was refused."""
    with pytest.raises(Refused) as caught:
        call(**kwargs)
    assert all(str(r.why) and str(r.fix) for r in caught.value.refusals)
    return {r.field: r.code for r in caught.value.refusals}


def save(cluster: Cluster, based_on: int, **change: Any) -> Any:
    keys = ("galera_peer_hosts", "cluster_fs_peer_hosts", "cluster_primary_host")
    values = {**{key: GOOD[key] for key in keys}, **change}
    return services.settings_save(cluster=cluster, by=None, based_on=based_on, **values)


def moved(first: str) -> dict[str, Any]:
    order = [first, *(host for host in HOSTS if host != first)]
    return {
        "galera_peer_hosts": order,
        "cluster_fs_peer_hosts": order,
        "cluster_primary_host": first,
    }
