"""A host key is pinned only by its compared fingerprint (law 12)."""

from __future__ import annotations

from typing import Any

import pytest

from clusterpanel.models import AuditEntry
from nodes import services
from nodes.models import Cluster, HostKey
from nodes.services import host_keys
from nodes.transport import servers
from nodes.transport.base import PinnedKey
from tests.fakes import recorded
from tests.fakes.recorded import HOSTS
from tests.nodes.made import refused

pytestmark = pytest.mark.django_db

KEY_A = PinnedKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIAaa")
KEY_B = PinnedKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIBbb")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, PinnedKey]:
    """What each server shows; one that is not in it is away."""
    keys = dict.fromkeys(HOSTS, KEY_A)

    def scan(host: str, port: int) -> list[PinnedKey]:
        if host not in keys:
            raise recorded.away(host)
        return [keys[host]]

    monkeypatch.setattr(servers, "scan_host_key", scan)
    monkeypatch.setattr(host_keys, "fingerprint", lambda key: f"SHA256:{key.base64[-2:]}")
    return keys


def states(cluster: Cluster) -> list[str]:
    return [key.state for key in services.host_keys_scan(cluster=cluster)]


def trust(cluster: Cluster, sha256: str, **kwargs: Any) -> HostKey:
    return services.host_key_trust(cluster=cluster, host=HOSTS[0], sha256=sha256, by=None, **kwargs)


def test_a_scan_tells_new_trusted_changed_and_away(
    cluster: Cluster, shown: dict[str, PinnedKey]
) -> None:
    assert states(cluster) == ["new", "new", "new"]
    assert not HostKey.objects.exists()
    trust(cluster, "SHA256:aa")
    shown[HOSTS[1]] = KEY_B
    del shown[HOSTS[2]]
    assert states(cluster) == ["trusted", "new", "unreachable"]
    shown[HOSTS[0]] = KEY_B
    assert states(cluster) == ["changed", "new", "unreachable"]
    assert services.target_for(cluster, HOSTS[0]).pinned_keys == (KEY_A,)


def test_only_the_fingerprint_that_was_compared_is_pinned(
    cluster: Cluster, shown: dict[str, PinnedKey]
) -> None:
    assert refused(trust, cluster=cluster, sha256="SHA256:bb") == {"": "host_key_mismatch"}
    assert not HostKey.objects.exists()


def test_a_changed_key_is_replaced_only_when_that_was_said(
    cluster: Cluster, shown: dict[str, PinnedKey]
) -> None:
    trust(cluster, "SHA256:aa")
    shown[HOSTS[0]] = KEY_B
    assert refused(trust, cluster=cluster, sha256="SHA256:bb") == {"": "host_key_pinned"}
    assert trust(cluster, "SHA256:bb", replace=True).base64 == KEY_B.base64
    last = AuditEntry.objects.last()
    assert last
    assert last.detail == {"sha256": "SHA256:bb", "before": "SHA256:aa"}


def test_a_strangers_key_is_not_pinned(cluster: Cluster, shown: dict[str, PinnedKey]) -> None:
    call = services.host_key_trust
    wanted = {"cluster": cluster, "host": "10.9.9.9", "sha256": "SHA256:aa", "by": None}
    assert refused(call, **wanted) == {"": "host_unknown"}


def test_the_command_for_the_console_fits_the_key() -> None:
    assert services.console_command("ssh-rsa").endswith("ssh_host_rsa_key.pub")
    assert services.console_command("ecdsa-sha2-nistp256").endswith("ssh_host_ecdsa_key.pub")
    assert services.console_command() == "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
