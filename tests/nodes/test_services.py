"""What an admin can do to a cluster on record, and the sentences he gets."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519
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
from nodes import history, selectors, services
from nodes.domain.checks import IDS
from nodes.domain.observation import NOT_ASKED, Unknown
from nodes.domain.parse_node import unreachable
from nodes.domain.refusal import Refused
from nodes.models import Cluster, HostKey, Observation
from nodes.services import host_keys, observing
from nodes.transport import pool, servers
from nodes.transport.base import PinnedKey
from tests.fakes import recorded
from tests.fakes.recorded import HOSTS
from tests.people.made import person

pytestmark = pytest.mark.django_db

KEY = ed25519.Ed25519PrivateKey.generate()
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
GOOD: dict[str, Any] = {
    "name": "Office",
    "galera_peer_hosts": list(HOSTS),
    "cluster_fs_peer_hosts": list(HOSTS),
    "cluster_primary_host": HOSTS[0],
    "ssh_private_key": PEM,
}


@pytest.fixture
def ann() -> User:
    return person("ann", "administrator")


@pytest.fixture
def cluster(ann: User) -> Cluster:
    return services.cluster_create(by=ann, **GOOD)


def refused(call: Callable[..., object], **kwargs: Any) -> dict[str, str]:
    """Code by field of what was refused."""
    with pytest.raises(Refused) as caught:
        call(**kwargs)
    assert all(str(r.why) and str(r.fix) for r in caught.value.refusals)
    return {r.field: r.code for r in caught.value.refusals}


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


@pytest.fixture
def nodes_say(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def say(state: str) -> None:
        monkeypatch.setattr(pool, "transport_for", recorded.connect(state))

    say("healthy")
    return say


def test_a_sweep_is_stored_and_read_back(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    assert selectors.latest_facts(cluster) is None
    facts = services.observe(cluster=cluster)
    assert selectors.latest_facts(cluster) == facts
    assert [node.host for node in facts.nodes] == list(HOSTS)


def test_a_young_sweep_is_used_again_when_that_is_enough(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    first = services.observe(cluster=cluster)
    assert services.observe(cluster=cluster, max_age_s=60) == first
    assert services.observe(cluster=cluster).nodes[0].taken_at > first.nodes[0].taken_at


def test_a_slow_sweep_does_not_overwrite_a_later_one(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    older = services.observe(cluster=cluster)
    newer = services.observe(cluster=cluster)
    observing._store(cluster, older.nodes, None)
    assert selectors.latest_facts(cluster) == newer


def test_a_look_tells_its_own_answers_whatever_a_beat_stores_meanwhile(
    cluster: Cluster, nodes_say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A beat that still holds an older reason must not refuse what a person has just put right."""
    real = observing._ask_gluster

    def beaten(*arguments: Any, **named: Any) -> bool:
        asked = real(*arguments, **named)
        older = [unreachable(HOSTS[0], time.time(), NOT_ASKED)]
        observing._store(cluster, older, selectors.latest_facts(cluster))
        return asked

    monkeypatch.setattr(observing, "_ask_gluster", beaten)
    facts = services.observe(cluster=cluster)
    assert [node.ssh for node in facts.nodes] == [True] * 3
    assert not isinstance(facts.nodes[0].gluster_volumes, Unknown)
    stored = selectors.latest_facts(cluster)
    assert stored
    assert stored.nodes[0].ssh is not True


def test_a_server_that_was_added_is_unknown_until_it_is_asked(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    services.observe(cluster=cluster)
    Observation.objects.filter(host=HOSTS[2]).delete()
    facts = selectors.latest_facts(cluster)
    assert facts
    assert facts.nodes[2].ssh is not True


def test_the_beat_is_skipped_while_somebody_asks(
    cluster: Cluster, nodes_say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    real = observing._sweep

    def sweep(*arguments: Any) -> Any:
        seen.append(services.observe_if_idle(cluster=cluster))
        return real(*arguments)

    monkeypatch.setattr(observing, "_sweep", sweep)
    services.observe_if_idle(cluster=cluster)
    assert seen == [False]
    cluster.refresh_from_db()
    assert cluster.sweep_until is None


def test_the_beat_counts_the_backlog_only_now_and_then(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    services.observe_if_idle(cluster=cluster)
    assert services.observe_gluster_if_idle(cluster=cluster)
    first = selectors.latest_facts(cluster)
    assert first
    assert time.time() - first.nodes[0].read_at["heal"] < 10
    services.observe_gluster_if_idle(cluster=cluster)
    second = selectors.latest_facts(cluster)
    assert second
    assert second.nodes[0].read_at["heal"] == first.nodes[0].read_at["heal"]
    assert second.nodes[0].read_at["gluster"] > first.nodes[0].read_at["gluster"]
    assert second.nodes[0].gluster_volumes == first.nodes[0].gluster_volumes


def test_glusterd_is_left_alone_while_a_run_works_with_it(
    cluster: Cluster, nodes_say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored stays, with its age."""
    before = services.observe(cluster=cluster)
    monkeypatch.setattr(type(history.of()), "gluster_in_use", lambda *_: True)
    assert services.observe_gluster_if_idle(cluster=cluster) is False
    after = services.observe(cluster=cluster)
    assert after.nodes[0].gluster_volumes == before.nodes[0].gluster_volumes
    assert after.nodes[0].read_at["gluster"] == before.nodes[0].read_at["gluster"]
    assert after.nodes[0].taken_at > before.nodes[0].taken_at


def test_glusterd_has_one_asker_in_whatever_process(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    services.observe_if_idle(cluster=cluster)
    with observing._turn(cluster, "gluster_until") as ours:
        assert ours
        assert services.observe_gluster_if_idle(cluster=cluster) is False
    assert services.observe_gluster_if_idle(cluster=cluster) is True


def test_a_quick_beat_keeps_what_hardly_changes(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    first = services.observe(cluster=cluster)
    assert services.observe_if_idle(cluster=cluster)
    second = selectors.latest_facts(cluster)
    assert second
    assert second.nodes[0].versions == first.nodes[0].versions
    assert second.nodes[0].read_at["slow"] == first.nodes[0].read_at["slow"]
    assert second.nodes[0].taken_at > first.nodes[0].taken_at
    assert second.samples[HOSTS[0]][-1].cluster_size == 3


def test_where_the_page_is_can_be_said_and_taken_back(cluster: Cluster) -> None:
    services.page_url_save(cluster=cluster, by=None, page_url=" https://{host}/ ")
    cluster.refresh_from_db()
    assert cluster.page_url == "https://{host}/"
    assert refused(services.page_url_save, cluster=cluster, by=None, page_url="-o /etc/passwd") == {
        "page_url": "page_url_bad"
    }
    services.page_url_save(cluster=cluster, by=None, page_url="")
    assert Cluster.objects.get().page_url == ""


def test_the_env_difference_is_told_line_by_line(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    save(cluster, 1, **moved(HOSTS[1]))
    files = selectors.env_difference(cluster, services.observe(cluster=cluster))
    assert [file.same for file in files] == [False] * 3
    assert files[0].lines[2].found == HOSTS[0]
    assert files[0].lines[2].wanted == HOSTS[1]


def test_the_table_of_checks_starts_empty_and_a_cell_can_be_run_alone(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    table = selectors.checks_table(cluster)
    assert [row.host for row in table] == list(HOSTS)
    assert {cell.state for row in table for cell in row.cells} == {""}
    (cell,) = services.checks_run(cluster=cluster, host=HOSTS[1], check_id="disk")
    assert (cell.host, cell.check_id, cell.state) == (HOSTS[1], "disk", "ok")
    assert cluster.checks.count() == 1


def test_rows_columns_and_the_whole_table_of_checks(
    cluster: Cluster, nodes_say: Callable[[str], None]
) -> None:
    assert len(services.checks_run(cluster=cluster, host=HOSTS[0])) == len(IDS)
    assert len(services.checks_run(cluster=cluster, check_id="clock")) == 3
    assert len(services.checks_run(cluster=cluster)) == 3 * len(IDS)
    assert cluster.checks.count() == 3 * len(IDS)


@pytest.mark.parametrize("wanted", [{"host": "10.9.9.9"}, {"check_id": "nonsense"}])
def test_a_cell_that_does_not_exist_is_refused(cluster: Cluster, wanted: dict[str, str]) -> None:
    assert list(refused(services.checks_run, cluster=cluster, **wanted).values()) == [
        "check_unknown"
    ]


def test_the_command_for_the_console_fits_the_key() -> None:
    assert services.console_command("ssh-rsa").endswith("ssh_host_rsa_key.pub")
    assert services.console_command("ecdsa-sha2-nistp256").endswith("ssh_host_ecdsa_key.pub")
    assert services.console_command() == "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
