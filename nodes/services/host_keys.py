"""Host keys: shown, compared by a person, pinned. Nothing is ever trusted by itself (law 12)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from django.contrib.auth.models import User
from django.db import transaction

from clusterpanel import audit
from clusterpanel.people import confirming
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs, open_to_viewers
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import Text, say
from nodes.models import Cluster, HostKey
from nodes.services.clusters import who
from nodes.transport import servers
from nodes.transport.base import PinnedKey, TransportError
from nodes.transport.keys import fingerprint

KeyState = Literal["new", "trusted", "changed", "unreachable"]
_PREFERRED = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
_FILES = {"ssh-ed25519": "ed25519", "ssh-rsa": "rsa"}


@dataclass(frozen=True)
class ScannedKey:
    """What one server showed just now, beside what was accepted before."""

    host: str
    type: str
    sha256: str
    base64: str
    state: KeyState
    pinned_sha256: str
    error: Text | None
    console_command: str


@open_to_viewers
def console_command(key_type: str = "ssh-ed25519") -> str:
    """What to type on the server's own console to read the same fingerprint there."""
    name = _FILES.get(key_type, "ecdsa" if key_type.startswith("ecdsa-") else "ed25519")
    return f"ssh-keygen -lf /etc/ssh/ssh_host_{name}_key.pub"


@open_to_viewers
def host_keys_scan(*, cluster: Cluster) -> list[ScannedKey]:
    """The key that each server shows now, in the order of the lists. Nobody signs in."""
    hosts = cluster.revision.peers.hosts
    pinned = {key.host: key for key in cluster.host_keys.all()}
    with ThreadPoolExecutor(len(hosts), "scan") as pool:
        return list(pool.map(lambda h: scan_one(h, cluster.ssh_port, pinned.get(h)), hosts))


@needs(Role.ADMINISTRATOR)
def host_key_trust(
    *,
    cluster: Cluster,
    host: str,
    sha256: str,
    by: User | None,
    replace: bool = False,
    password: str = "",
) -> HostKey:
    """Pin the key with this fingerprint, if the server shows it at this moment.

    Raises Refused: host_unknown, host_unreachable, host_key_mismatch, host_key_pinned (another
    key was accepted before and `replace` was not said), or that the password is asked for again.
    """
    if host not in cluster.revision.peers.hosts:
        raise Refused(_unknown_host(cluster, host))
    pinned = cluster.host_keys.filter(host=host).first()
    shown = scan_one(host, cluster.ssh_port, pinned)
    if problem := _trust_problem(shown, sha256.strip(), replace):
        raise Refused(problem)
    if shown.state == "changed":
        confirming.require(by, password)
    return _pin(cluster, shown, by)


def _pin(cluster: Cluster, shown: ScannedKey, by: User | None) -> HostKey:
    values = {"type": shown.type, "base64": shown.base64, "sha256": shown.sha256, "trusted_by": by}
    with transaction.atomic():
        key, _ = HostKey.objects.update_or_create(cluster=cluster, host=shown.host, defaults=values)
        audit.record(
            who=who(by),
            action="host_key_trust",
            subject=f"{cluster.name}: {shown.host}",
            detail={"sha256": shown.sha256, "before": shown.pinned_sha256},
        )
    return key


def scan_one(host: str, port: int, pinned: HostKey | None) -> ScannedKey:
    """What `host` shows now beside the accepted key, if there is one."""
    before = pinned.sha256 if pinned else ""
    try:
        keys = servers.scan_host_key(host, port)
    except TransportError as error:
        return ScannedKey(host, "", "", "", "unreachable", before, error.why, console_command())
    if not keys:
        why = say("%(host)s showed no host key.", host=host)
        return ScannedKey(host, "", "", "", "unreachable", before, why, console_command())
    key = _to_compare(keys, pinned)
    sha256 = fingerprint(key)
    state: KeyState = "new" if pinned is None else "trusted" if sha256 == before else "changed"
    return ScannedKey(
        host, key.type, sha256, key.base64, state, before, None, console_command(key.type)
    )


def _to_compare(keys: list[PinnedKey], pinned: HostKey | None) -> PinnedKey:
    """The type that was pinned, else the best one the server has."""
    order = ((pinned.type,) if pinned else ()) + _PREFERRED
    ranked = sorted(keys, key=lambda k: order.index(k.type) if k.type in order else len(order))
    return ranked[0]


def _trust_problem(shown: ScannedKey, sha256: str, replace: bool) -> Refusal | None:
    if shown.error:
        fix = say("Look whether the server is up and whether port 22 is open, then scan again.")
        return Refusal("host_unreachable", shown.error, fix, {"host": shown.host})
    evidence = {"shown": shown.sha256, "accepted": sha256, "pinned": shown.pinned_sha256}
    if shown.sha256 != sha256:
        why = say(
            "%(host)s shows %(shown)s now, not the fingerprint that was accepted.",
            host=shown.host,
            shown=shown.sha256,
        )
        fix = say(
            "Compare again on the server's own console: `%(command)s`",
            command=shown.console_command,
        )
        return Refusal("host_key_mismatch", why, fix, evidence)
    if shown.state == "changed" and not replace:
        why = say(
            "%(host)s had host key %(pinned)s before; now it shows another one.",
            host=shown.host,
            pinned=shown.pinned_sha256,
        )
        fix = say("Find out why it changed; then say that the old key is to be replaced.")
        return Refusal("host_key_pinned", why, fix, evidence)
    return None


def _unknown_host(cluster: Cluster, host: str) -> Refusal:
    why = say("%(host)s is not a server of %(cluster)s.", host=host[:253], cluster=cluster.name)
    return Refusal("host_unknown", why, say("Choose one of the servers of the lists."))
