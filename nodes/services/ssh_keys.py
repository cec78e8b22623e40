"""The key that the panel signs in with. A cluster has one in use, and may have another beside it: a new
one that waits to be proven, or the one before. Taking the other into use swaps the two: nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from clusterpanel import audit
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs, open_to_viewers
from nodes import authorized_keys, credentials
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import Text, say
from nodes.models import Cluster
from nodes.services.clusters import targets_for, who
from nodes.transport import servers
from nodes.transport.base import AuthFailed, Command, SudoRefused, Target, TransportError
from nodes.transport.keys import fingerprint

_FIELDS = ("ssh_private_key", "ssh_password", "ssh_other_key", "ssh_other_until")


@dataclass(frozen=True)
class ShownKey:
    """The public half, and what is pasted on the servers."""

    type: str
    sha256: str
    line: str
    commands: authorized_keys.Commands


@dataclass(frozen=True)
class Keys:
    """None in use: the panel signs in with a password, or with nothing yet. `until`: the other key was
    in use until then; None: it is new and never was."""

    in_use: ShownKey | None
    other: ShownKey | None
    until: datetime | None
    password_stored: bool


@dataclass(frozen=True)
class Tried:
    """What one server said to a key. Unknown: it could not be asked, so nobody knows."""

    host: str
    state: Literal["ok", "failed", "unknown"]
    why: Text | None
    fix: Text | None


class NotOpened(Refused):
    """The key does not open every server; `tried` says of each what it answered."""

    def __init__(self, tried: Sequence[Tried]) -> None:
        self.tried = list(tried)
        super().__init__(_not_opened(closed(tried)))


@open_to_viewers
def ssh_keys_shown(*, cluster: Cluster) -> Keys:
    """Public halves only: the private ones never leave this ring."""
    return Keys(
        _shown(cluster, cluster.ssh_private_key),
        _shown(cluster, cluster.ssh_other_key),
        cluster.ssh_other_until,
        bool(cluster.ssh_password),
    )


@needs(Role.ADMINISTRATOR)
def ssh_key_make(*, cluster: Cluster, by: User | None) -> ShownKey:
    """A new ed25519 key. It waits beside the one in use; with nothing stored yet it is in use at once.

    Raises Refused `ssh_key_waiting` when there is another key already.
    """
    key = credentials.made()
    with transaction.atomic():
        read_again(cluster)
        in_use = place(cluster, key)
        cluster.save(update_fields=_FIELDS)
        _record(by, "ssh_key_make", cluster, {"sha256": sha256_of(key), "in_use": in_use})
    shown = _shown(cluster, key)
    assert shown
    return shown


@needs(Role.OPERATOR)
def ssh_key_try(*, cluster: Cluster, by: User | None, sha256: str) -> list[Tried]:
    """Sign in to every server with the key of this fingerprint ("": the password), as the stored user.

    Nothing is changed. Raises Refused `ssh_key_gone`.
    """
    return _try(cluster, _stored(cluster, sha256))


@needs(Role.ADMINISTRATOR)
def ssh_key_use(
    *, cluster: Cluster, by: User | None, sha256: str, without: Sequence[str] = ()
) -> list[Tried]:
    """Prove that the other key opens every server, then sign in with it; the one before is kept.

    `sha256` "" is the stored password. `without` are the servers that the person was told about and
    goes on without. Raises NotOpened for any others; Refused `ssh_key_gone`.
    """
    _other(cluster, sha256)
    tried = _try(cluster, _stored(cluster, sha256))
    if not {each.host for each in closed(tried)} <= set(without):
        raise NotOpened(tried)
    with transaction.atomic():
        read_again(cluster)
        _other(cluster, sha256)  # of two persons only one
        before = cluster.ssh_private_key
        cluster.ssh_private_key, cluster.ssh_other_key = cluster.ssh_other_key, before
        cluster.ssh_other_until = timezone.now() if before else None
        cluster.save(update_fields=_FIELDS)
        _record(by, "ssh_key_use", cluster, _used(sha256, before, tried))
    return tried


@needs(Role.ADMINISTRATOR)
def ssh_key_drop(*, cluster: Cluster, by: User | None, sha256: str) -> None:
    """Forget the other key. It still opens the servers that have its line. Raises `ssh_key_gone`."""
    with transaction.atomic():
        read_again(cluster)
        if not sha256:
            raise Refused(_gone())
        _other(cluster, sha256)
        cluster.ssh_other_key, cluster.ssh_other_until = "", None
        cluster.save(update_fields=_FIELDS)
        _record(by, "ssh_key_drop", cluster, {"sha256": sha256})


def read_again(cluster: Cluster) -> None:
    """The secrets as they are now, and nobody changes them until this transaction is over."""
    list(Cluster.objects.select_for_update().filter(pk=cluster.pk).values_list("pk"))
    cluster.refresh_from_db(fields=list(_FIELDS))


def place(cluster: Cluster, key: str, *, pasted: bool = False) -> bool:
    """Put a key that is no other where it belongs, without saving; whether it is in use now.

    While something is in use it waits; a pasted one does not where no host key was accepted yet, since
    nobody can have signed in. Raises Refused `ssh_key_waiting` when one waits already.
    """
    nothing = not (cluster.ssh_private_key or cluster.ssh_password)
    if nothing or (pasted and not cluster.host_keys.exists()):
        cluster.ssh_private_key = key
        return True
    if cluster.ssh_other_key:
        raise Refused(_waiting())
    cluster.ssh_other_key, cluster.ssh_other_until = key, None
    return False


def is_there(cluster: Cluster, key: str) -> bool:
    """Whether this very key is stored already, in use or not."""
    return sha256_of(key) in (
        sha256_of(cluster.ssh_private_key),
        sha256_of(cluster.ssh_other_key),
    )


def sha256_of(private: str) -> str:
    """The fingerprint of a stored private key; "" of none."""
    return fingerprint(credentials.public_half(private)) if private else ""


def closed(tried: Sequence[Tried]) -> list[Tried]:
    """The servers that the key was not seen to open."""
    return [each for each in tried if each.state != "ok"]


def _shown(cluster: Cluster, private: str) -> ShownKey | None:
    if not private:
        return None
    key = credentials.public_half(private)
    commands = authorized_keys.commands(key, cluster.ssh_username)
    return ShownKey(key.type, fingerprint(key), authorized_keys.line(key), commands)


def _stored(cluster: Cluster, sha256: str) -> str:
    """The private key with this fingerprint; "" is the password."""
    for key in (cluster.ssh_private_key, cluster.ssh_other_key):
        if key and sha256_of(key) == sha256:
            return key
    if sha256 or not cluster.ssh_password:
        raise Refused(_gone())
    return ""


def _other(cluster: Cluster, sha256: str) -> None:
    """Raises unless it is this key that waits, or the password beside a key that is in use."""
    if sha256_of(cluster.ssh_other_key) != sha256 or not (
        cluster.ssh_other_key or _by_password(cluster)
    ):
        raise Refused(_gone())


def _by_password(cluster: Cluster) -> bool:
    return bool(cluster.ssh_private_key and cluster.ssh_password)


def _try(cluster: Cluster, key: str) -> list[Tried]:
    password = "" if key else cluster.ssh_password
    targets = [replace(t, private_key=key, password=password) for t in targets_for(cluster)]
    with ThreadPoolExecutor(len(targets), "key") as pool:
        return list(pool.map(_try_one, targets))


def _try_one(target: Target) -> Tried:
    """A new connection, and a command over it: a login that runs nothing is of no use."""
    try:
        connection = servers.connect(target)
        try:
            code = connection.run(Command(("true",))).exit_code
        finally:
            connection.close()
    except (AuthFailed, SudoRefused) as error:
        return Tried(target.host, "failed", error.why, error.fix)
    except TransportError as error:
        return Tried(target.host, "unknown", error.why, error.fix)
    return _ran_nothing(target) if code else Tried(target.host, "ok", None, None)


def _ran_nothing(target: Target) -> Tried:
    at = {"user": target.username, "host": target.host}
    why = say("%(host)s lets %(user)s in, but runs no command for this key.", **at)
    fix = say("Look at the shell of %(user)s and at command= in authorized_keys there.", **at)
    return Tried(target.host, "failed", why, fix)


def _used(sha256: str, before: str, tried: Sequence[Tried]) -> dict[str, Any]:
    without = [each.host for each in closed(tried)]
    return {
        "sha256": sha256 or "password",
        "before": sha256_of(before) or "password",
        "without": without,
    }


def _not_opened(tried: Sequence[Tried]) -> Refusal:
    refused = [each.host for each in tried if each.state == "failed"]
    hosts = ", ".join(each.host for each in tried)
    why = say("It was not seen to open %(hosts)s; nothing was changed.", hosts=hosts)
    fix = say("Paste the command there and try again, or say that you go on without these servers.")
    evidence = {"refused": refused, "unknown": [t.host for t in tried if t.host not in refused]}
    return Refusal("ssh_key_refused", why, fix, evidence)


def _waiting() -> Refusal:
    why = say("There is another key of this cluster already, which is not in use.")
    fix = say("Take that one into use or remove it first.")
    return Refusal("ssh_key_waiting", why, fix, field=credentials.FIELD)


def _gone() -> Refusal:
    why = say("The key that was shown is not there any more, or is in use already.")
    return Refusal("ssh_key_gone", why, say("Look at the keys again."))


def _record(by: User | None, action: str, cluster: Cluster, detail: dict[str, Any]) -> None:
    audit.record(who=who(by), action=action, subject=cluster.name, detail=detail)
