"""What an admin can do to a cluster on record, and the sentences he gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from django.contrib.auth.models import User

from clusterpanel import audit
from clusterpanel.models import AuditEntry
from nodes import services
from nodes.domain.refusal import Refused
from nodes.models import Cluster
from tests.fakes import recorded
from tests.fakes.recorded import HOSTS
from tests.nodes.made import GOOD, KEY, PEM, moved, refused, save

pytestmark = pytest.mark.django_db


def test_a_cluster_is_created_with_revision_one_and_an_audit_line(cluster: Cluster) -> None:
    assert cluster.revision.number == 1
    assert cluster.revision.peers == recorded.SETTINGS
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.action, entry.subject) == ("ann", "cluster_create", "Office")
    assert PEM.splitlines()[1] not in str(entry.detail)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": " "}, {"name": "name_invalid"}),
        ({"app_dir": "var/www"}, {"app_dir": "app_dir_invalid"}),
        ({"app_dir": "/var/../etc"}, {"app_dir": "app_dir_invalid"}),
        ({"app_dir": "/srv/a b"}, {"app_dir": "app_dir_invalid"}),
        ({"ssh_port": 0}, {"ssh_port": "ssh_port_invalid"}),
        ({"ssh_username": "a b"}, {"ssh_username": "ssh_username_invalid"}),
        ({"galera_peer_hosts": []}, {"galera_peer_hosts": "peers_empty"}),
        ({"galera_peer_hosts": "10.77.2.11,,x"}, {"galera_peer_hosts": "host_invalid"}),
        ({"cluster_fs_peer_hosts": list(HOSTS[:2])}, {"cluster_fs_peer_hosts": "gluster_too_small"}),
        (
            {"name": "", "ssh_port": 70000, "cluster_primary_host": ""},
            {"name": "name_invalid", "ssh_port": "ssh_port_invalid", "cluster_primary_host": "primary_invalid"},
        ),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_field(change: dict[str, Any], expected: dict[str, str]) -> None:
    assert refused(services.cluster_create, by=None, **{**GOOD, **change}) == expected
    assert not Cluster.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_name_is_used_once(cluster: Cluster) -> None:
    assert refused(services.cluster_create, by=None, **GOOD) == {"name": "name_taken"}


def _names(table: dict[str, str]) -> Callable[..., list[Any]]:
    def getaddrinfo(name: str, *_: object, **__: object) -> list[Any]:
        if name not in table:
            raise OSError
        return [(2, 1, 6, "", (table[name], 0))]

    return getaddrinfo


def test_a_name_that_does_not_resolve_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodes.resolve.socket.getaddrinfo", _names({"node2": "10.0.0.2"}))
    listed = [HOSTS[0], "node2", "nowhere"]
    change = {"galera_peer_hosts": listed, "cluster_fs_peer_hosts": listed}
    with pytest.raises(Refused, match="“nowhere” does not resolve on the panel's machine"):
        services.cluster_create(by=None, **{**GOOD, **change})


def test_a_server_by_name_and_by_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodes.resolve.socket.getaddrinfo", _names({"node2": HOSTS[1]}))
    change = {"galera_peer_hosts": [*HOSTS[:2], "node2"]}
    assert refused(services.cluster_create, by=None, **{**GOOD, **change}) == {
        "galera_peer_hosts": "host_duplicate"
    }


def test_settings_are_kept_by_revision(cluster: Cluster) -> None:
    assert save(cluster, 1, **moved(HOSTS[1])).number == 2
    assert cluster.revision.cluster_primary_host == HOSTS[1]
    assert cluster.revisions.get(number=1).cluster_primary_host == HOSTS[0]


def test_settings_that_did_not_change_make_no_revision(cluster: Cluster) -> None:
    assert save(cluster, 1).number == 1


def test_somebody_saved_meanwhile(cluster: Cluster, ann: User) -> None:
    save(cluster, 1, **moved(HOSTS[1]))
    with pytest.raises(Refused, match="saved revision 2") as caught:
        save(cluster, 1, **moved(HOSTS[2]))
    assert caught.value.first.code == "settings_stale"
    assert cluster.revision.number == 2


def access(cluster: Cluster, **change: Any) -> None:
    values = {"ssh_username": "root", "ssh_port": 22, **change}
    services.access_save(cluster=cluster, by=None, **values)


def test_an_empty_secret_keeps_the_stored_one(cluster: Cluster) -> None:
    access(cluster, ssh_username="admin", ssh_password="hunter2")
    access(cluster, ssh_port=2222)
    cluster.refresh_from_db()
    assert (cluster.ssh_username, cluster.ssh_port) == ("root", 2222)
    assert (cluster.ssh_private_key, cluster.ssh_password) == (PEM, "hunter2")
    assert "hunter2" not in str([e.detail for e in AuditEntry.objects.all()])
    assert audit.verify() is None


def test_access_needs_some_secret() -> None:
    bare = services.cluster_create(by=None, **{**GOOD, "ssh_private_key": ""})
    assert refused(access, cluster=bare) == {"ssh_private_key": "ssh_secret_missing"}


ENCRYPTED = KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, BestAvailableEncryption(b"x"))
ENCRYPTED_8 = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
UNSUPPORTED = ed448.Ed448PrivateKey.generate().private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)
PUBLIC = KEY.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (ENCRYPTED.decode(), "protected with a passphrase"),
        (ENCRYPTED_8.decode(), "protected with a passphrase"),
        (PUBLIC.decode(), "public key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\n", "PuTTY"),
        (UNSUPPORTED.decode(), "no longer accepted"),
        (PEM[: len(PEM) // 2], "damaged or cut off"),
        (PEM.replace("b3Bl", "AAAA"), "damaged or cut off"),
        ("hello", "is not a private key"),
    ],
    # Keys are new in every process; names of tests are the same in all of them.
    ids=["old", "pkcs8", "public", "putty", "ed448", "half", "damaged", "hello"],
)
def test_a_key_that_cannot_be_used_is_refused_and_never_quoted(
    cluster: Cluster, key: str, words: str
) -> None:
    with pytest.raises(Refused, match=words) as caught:
        access(cluster, ssh_private_key=key)
    assert caught.value.first.field == "ssh_private_key"
    assert key.strip().splitlines()[-1] not in str(caught.value)


def test_a_key_pasted_from_windows_is_used(cluster: Cluster) -> None:
    access(cluster, ssh_private_key="  " + PEM.replace("\n", "\r\n") + "\r\n\r\n")
    assert cluster.ssh_private_key == PEM


def test_where_the_page_is_can_be_said_and_taken_back(cluster: Cluster) -> None:
    services.page_url_save(cluster=cluster, by=None, page_url=" https://{host}/ ")
    cluster.refresh_from_db()
    assert cluster.page_url == "https://{host}/"
    assert refused(services.page_url_save, cluster=cluster, by=None, page_url="-o /etc/passwd") == {
        "page_url": "page_url_bad"
    }
    services.page_url_save(cluster=cluster, by=None, page_url="")
    assert Cluster.objects.get().page_url == ""
