"""The panel's own key: made here, shown by its public half, proven before the one in use is put away."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from clusterpanel.models import AuditEntry
from clusterpanel.people.rules import Forbidden
from nodes import credentials, services
from nodes.domain.refusal import Refused
from nodes.domain.text import say
from nodes.models import Cluster, HostKey
from nodes.services.ssh_keys import sha256_of
from nodes.transport import servers
from nodes.transport.base import AuthFailed, Command, Output, Target, Unreachable
from tests.fakes.recorded import HOSTS
from tests.nodes.made import GOOD, PEM, refused
from tests.people.made import person

pytestmark = pytest.mark.django_db


class Doors:
    """Which key opens which server; a server that is off answers nobody."""

    def __init__(self) -> None:
        self.opens: dict[str, set[str]] = {host: {PEM} for host in HOSTS}
        self.off: set[str] = set()
        self.exit_code = 0

    def connect(self, target: Target) -> Any:
        if target.host in self.off:
            raise Unreachable(say("It is off."), say("Switch it on."))
        if (target.private_key or target.password) not in self.opens[target.host]:
            raise AuthFailed(say("%(h)s refused.", h=target.host), say("Put the key there."))
        return self

    def run(self, command: Command) -> Output:
        return Output(self.exit_code, b"", b"")

    def close(self) -> None:
        pass


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> Doors:
    found = Doors()
    monkeypatch.setattr(servers, "connect", found.connect)
    return found


@pytest.fixture
def lived_in(cluster: Cluster) -> Cluster:
    """One whose servers are known: somebody accepted their keys."""
    for host in HOSTS:
        HostKey.objects.create(cluster=cluster, host=host, type="t", base64="A", sha256="S")
    return cluster


def told(action: str) -> list[dict[str, Any]]:
    return [entry.detail for entry in AuditEntry.objects.filter(action=action)]


# The key itself


def test_the_public_half_is_what_ssh_keygen_says(tmp_path: Path) -> None:
    private = tmp_path / "key"
    private.touch(0o600)
    private.write_text(credentials.made())
    public = credentials.public_half(private.read_text())
    asked = [("ssh-keygen", "-yf", private), ("ssh-keygen", "-lf", private)]
    line, print_ = (subprocess.run(a, capture_output=True, text=True).stdout for a in asked)
    assert line.split()[:2] == [public.type, public.base64] == ["ssh-ed25519", line.split()[1]]
    assert print_.split()[1] == sha256_of(private.read_text())


def test_two_keys_are_never_the_same() -> None:
    assert credentials.made() != credentials.made()


# Made and pasted


def test_the_first_key_is_in_use_at_once(ann: User) -> None:
    values = {**GOOD, "ssh_private_key": "", "make_key": True}
    cluster = Cluster.objects.get(pk=services.cluster_create(by=ann, **values).pk)
    keys = services.ssh_keys_shown(cluster=cluster)
    assert keys.in_use
    assert keys.in_use.sha256 == sha256_of(cluster.ssh_private_key)
    assert keys.other is None


def test_a_new_key_waits_and_a_second_new_one_is_refused(lived_in: Cluster, ann: User) -> None:
    made = services.ssh_key_make(cluster=lived_in, by=ann)
    lived_in.refresh_from_db()
    assert lived_in.ssh_private_key == PEM
    assert sha256_of(lived_in.ssh_other_key) == made.sha256
    assert refused(services.ssh_key_make, cluster=lived_in, by=ann) == {
        "ssh_private_key": "ssh_key_waiting"
    }
    assert sha256_of(lived_in.ssh_other_key) == made.sha256
    assert told("ssh_key_make") == [{"sha256": made.sha256, "in_use": False}]


def test_a_pasted_key_waits_too_where_the_panel_may_be_signed_in(
    lived_in: Cluster, ann: User
) -> None:
    other = credentials.made()
    access(lived_in, ann, ssh_private_key=other)
    assert (lived_in.ssh_private_key, lived_in.ssh_other_key) == (PEM, other)
    access(lived_in, ann, ssh_private_key=other)  # the same once more is no third key
    with pytest.raises(Refused):
        access(lived_in, ann, ssh_private_key=credentials.made())


def test_a_typing_mistake_in_the_wizard_is_simply_replaced(cluster: Cluster, ann: User) -> None:
    other = credentials.made()
    access(cluster, ann, ssh_private_key=other)
    assert (cluster.ssh_private_key, cluster.ssh_other_key) == (other, "")


def test_a_pasted_key_and_a_made_one_are_not_both(cluster: Cluster, ann: User) -> None:
    both = {"ssh_private_key": credentials.made(), "make_key": True}
    assert refused(access, cluster=cluster, by=ann, **both) == {"ssh_private_key": "ssh_key_two"}
    values = {**GOOD, "name": "Two", "make_key": True}
    assert refused(services.cluster_create, by=ann, **values) == {"ssh_private_key": "ssh_key_two"}


def access(cluster: Cluster, by: User, **change: Any) -> None:
    services.access_save(cluster=cluster, by=by, ssh_username="root", ssh_port=22, **change)


# Tried, used, undone


def test_the_old_key_stays_until_the_new_one_opens_every_server(
    lived_in: Cluster, ann: User, doors: Doors
) -> None:
    new = services.ssh_key_make(cluster=lived_in, by=ann)
    private = lived_in.ssh_other_key
    for host in HOSTS[:2]:
        doors.opens[host].add(private)
    with pytest.raises(services.NotOpened) as caught:
        services.ssh_key_use(cluster=lived_in, by=ann, sha256=new.sha256)
    assert [each.state for each in caught.value.tried] == ["ok", "ok", "failed"]
    assert HOSTS[2] in str(caught.value.first.why)
    assert caught.value.first.evidence == {"refused": [HOSTS[2]], "unknown": []}
    lived_in.refresh_from_db()
    assert lived_in.ssh_private_key == PEM

    doors.opens[HOSTS[2]].add(private)
    services.ssh_key_use(cluster=lived_in, by=ann, sha256=new.sha256)
    lived_in.refresh_from_db()
    assert (lived_in.ssh_private_key, lived_in.ssh_other_key) == (private, PEM)
    assert lived_in.ssh_other_until is not None
    assert told("ssh_key_use") == [{"sha256": new.sha256, "before": sha256_of(PEM), "without": []}]


def test_a_server_that_is_off_proves_nothing_and_only_a_named_one_is_left_out(
    lived_in: Cluster, ann: User, doors: Doors
) -> None:
    new = services.ssh_key_make(cluster=lived_in, by=ann)
    for host in HOSTS:
        doors.opens[host].add(lived_in.ssh_other_key)
    doors.off = {HOSTS[1]}
    use: dict[str, Any] = {"cluster": lived_in, "by": ann, "sha256": new.sha256}
    for without in ([], [HOSTS[0]]):
        with pytest.raises(services.NotOpened) as caught:
            services.ssh_key_use(**use, without=without)
        assert caught.value.first.evidence == {"refused": [], "unknown": [HOSTS[1]]}
    tried = services.ssh_key_use(**use, without=[HOSTS[1]])
    assert [each.state for each in tried] == ["ok", "unknown", "ok"]
    assert told("ssh_key_use")[0]["without"] == [HOSTS[1]]


def test_a_login_that_runs_nothing_does_not_count(
    lived_in: Cluster, ann: User, doors: Doors
) -> None:
    doors.exit_code = 1
    tried = services.ssh_key_try(cluster=lived_in, by=ann, sha256=sha256_of(PEM))
    assert {each.state for each in tried} == {"failed"}
    assert "runs no command" in str(tried[0].why)


def test_going_back_is_the_same_step_and_is_proven_too(
    lived_in: Cluster, ann: User, doors: Doors
) -> None:
    new = services.ssh_key_make(cluster=lived_in, by=ann)
    for host in HOSTS:
        doors.opens[host].add(lived_in.ssh_other_key)
    services.ssh_key_use(cluster=lived_in, by=ann, sha256=new.sha256)
    services.ssh_key_use(cluster=lived_in, by=ann, sha256=sha256_of(PEM))
    assert lived_in.ssh_private_key == PEM
    assert sha256_of(lived_in.ssh_other_key) == new.sha256


def test_from_a_password_to_a_key_and_back(ann: User, doors: Doors) -> None:
    values = {**GOOD, "ssh_private_key": "", "ssh_password": "hunter2"}
    cluster = services.cluster_create(by=ann, **values)
    new = services.ssh_key_make(cluster=cluster, by=ann)
    for host in HOSTS:
        doors.opens[host] = {cluster.ssh_other_key, "hunter2"}
    assert cluster.ssh_private_key == ""
    services.ssh_key_use(cluster=cluster, by=ann, sha256=new.sha256)
    assert (sha256_of(cluster.ssh_private_key), cluster.ssh_other_key) == (new.sha256, "")
    services.ssh_key_use(cluster=cluster, by=ann, sha256="")
    assert (cluster.ssh_private_key, sha256_of(cluster.ssh_other_key)) == ("", new.sha256)


def test_a_key_that_was_not_shown_is_never_used_tried_or_dropped(
    lived_in: Cluster, ann: User, doors: Doors
) -> None:
    services.ssh_key_make(cluster=lived_in, by=ann)
    before = lived_in.ssh_other_key
    calls: list[Callable[..., object]] = [services.ssh_key_use, services.ssh_key_drop]
    for call in calls:
        for sha256 in ("SHA256:other", "", sha256_of(PEM)):
            assert refused(call, cluster=lived_in, by=ann, sha256=sha256) == {"": "ssh_key_gone"}
    for sha256 in ("SHA256:other", ""):
        asked = {"cluster": lived_in, "by": ann, "sha256": sha256}
        assert refused(services.ssh_key_try, **asked) == {"": "ssh_key_gone"}
    lived_in.refresh_from_db()
    assert (lived_in.ssh_private_key, lived_in.ssh_other_key) == (PEM, before)


def test_of_two_people_only_one_takes_it_into_use(
    lived_in: Cluster, ann: User, doors: Doors
) -> None:
    """The second one's page is older than the first one's click, and its look at the servers as well."""
    new = services.ssh_key_make(cluster=lived_in, by=ann)
    private = lived_in.ssh_other_key
    for host in HOSTS:
        doors.opens[host].add(private)
    stale = Cluster.objects.get(pk=lived_in.pk)
    services.ssh_key_use(cluster=lived_in, by=ann, sha256=new.sha256)
    assert refused(services.ssh_key_use, cluster=stale, by=ann, sha256=new.sha256) == {
        "": "ssh_key_gone"
    }
    access(Cluster.objects.get(pk=lived_in.pk), ann)
    lived_in.refresh_from_db()
    assert (lived_in.ssh_private_key, lived_in.ssh_other_key) == (private, PEM)


def test_a_dropped_key_is_gone_and_the_audit_says_which(lived_in: Cluster, ann: User) -> None:
    new = services.ssh_key_make(cluster=lived_in, by=ann)
    services.ssh_key_drop(cluster=lived_in, by=ann, sha256=new.sha256)
    lived_in.refresh_from_db()
    assert (lived_in.ssh_private_key, lived_in.ssh_other_key) == (PEM, "")
    assert told("ssh_key_drop") == [{"sha256": new.sha256}]


# Who, and what is told


def test_an_operator_may_try_a_key_and_nothing_else(
    lived_in: Cluster, ann: User, doors: Doors
) -> None:
    olga = person("olga", "operator")
    new = services.ssh_key_make(cluster=lived_in, by=ann)
    services.ssh_key_try(cluster=lived_in, by=olga, sha256=new.sha256)
    with pytest.raises(Forbidden):
        services.ssh_key_make(cluster=lived_in, by=olga)
    for call in (services.ssh_key_use, services.ssh_key_drop):
        with pytest.raises(Forbidden):
            call(cluster=lived_in, by=olga, sha256=new.sha256)
    with pytest.raises(Forbidden):
        services.ssh_key_try(cluster=lived_in, by=person("vic", "viewer"), sha256=new.sha256)


def test_no_private_half_is_in_what_is_shown_or_audited(
    lived_in: Cluster, ann: User, doors: Doors
) -> None:
    new = services.ssh_key_make(cluster=lived_in, by=ann)
    secret = lived_in.ssh_other_key.splitlines()[4]
    with pytest.raises(services.NotOpened) as caught:
        services.ssh_key_use(cluster=lived_in, by=ann, sha256=new.sha256)
    said = [services.ssh_keys_shown(cluster=lived_in), new, caught.value.tried]
    said += [caught.value.first, list(AuditEntry.objects.values_list("detail"))]
    assert secret not in repr(said)
    row = Cluster.objects.filter(pk=lived_in.pk).extra(select={"raw": "ssh_other_key"})
    assert secret not in row.values_list("raw", flat=True)[0]
