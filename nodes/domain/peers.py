"""The three keys of the cluster: two peer lists and the primary host.

The names and the rule "the main node is placed at the beginning of the list" are the manual's
(chapter "Settings"); "fewer than three GlusterFS hosts" is refused in its words (chapter
"Restart nodes").
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say

GALERA_KEY = "GALERA_PEER_HOSTS"
GLUSTER_KEY = "CLUSTER_FS_PEER_HOSTS"
PRIMARY_KEY = "CLUSTER_PRIMARY_HOST"
KEYS = (GALERA_KEY, GLUSTER_KEY, PRIMARY_KEY)

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_NUMERIC = re.compile(r"[0-9.]+")


@dataclass(frozen=True)
class PeerSettings:
    """What the panel wants in every node's `.env`. Lists are ordered: the primary is first."""

    galera_peer_hosts: tuple[str, ...]
    cluster_fs_peer_hosts: tuple[str, ...]
    cluster_primary_host: str

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every server once, in the order of the lists."""
        return tuple(dict.fromkeys((*self.galera_peer_hosts, *self.cluster_fs_peer_hosts)))

    def as_env(self) -> dict[str, str]:
        """The three lines exactly as they are written into `.env`."""
        return {
            GALERA_KEY: ",".join(self.galera_peer_hosts),
            GLUSTER_KEY: ",".join(self.cluster_fs_peer_hosts),
            PRIMARY_KEY: self.cluster_primary_host,
        }


def parse_host_list(text: str) -> tuple[str, ...]:
    """Hosts as people type them: by comma, semicolon, blank or line; blanks at the ends are dropped.

    Empty entries between two commas are kept as "", so that `problems` names them.
    """
    lines = [line.strip().rstrip(",;").strip() for line in text.splitlines()]
    entries = [entry for line in lines if line for entry in re.split(r"\s*[,;]\s*|\s+", line)]
    return tuple(entry.strip() for entry in entries)


def is_host(value: str) -> bool:
    """True for an IPv4 or IPv6 address or a DNS name; "10.0.0.300" is neither.

    Nor is an address with a zone (`fe80::1%eth0`): the zone means something on one machine only, and
    Python takes any text for it, line ends and shell commands included.
    """
    if "%" in value:
        return False
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return _is_name(value)
    return True


def _is_name(value: str) -> bool:
    labels = value.removesuffix(".").split(".")
    fits = 0 < len(value) <= 253 and not _NUMERIC.fullmatch(value)
    return fits and all(_LABEL.fullmatch(label) for label in labels)


def problems(
    settings: PeerSettings,
    *,
    addresses: Mapping[str, str] | None = None,
    two_galera_acknowledged: bool = False,
    ordered: bool = True,
) -> list[Refusal]:
    """Everything wrong with the settings, one sentence for each field at fault.

    `ordered` False: the primary need not be the first; its place is “important for initial cluster
    deployment” alone, and a primary that was changed later leaves the lists as they were.

    `addresses` maps a host as typed to the address it resolves to, so that one server given by
    name and by address is seen as a duplicate; hosts that are missing from it are compared as typed.
    """
    found = [
        *_list_problems(GALERA_KEY, settings.galera_peer_hosts, addresses or {}),
        *_list_problems(GLUSTER_KEY, settings.cluster_fs_peer_hosts, addresses or {}),
        *_primary_problems(settings, ordered),
    ]
    if not found:
        found += _two_names(settings, addresses or {})
    if not found:
        found += _size_problems(settings, two_galera_acknowledged)
    return found


def _list_problems(key: str, hosts: Sequence[str], addresses: Mapping[str, str]) -> list[Refusal]:
    if not hosts:
        return [
            _bad(
                "peers_empty",
                key,
                say("%(key)s is empty.", key=key),
                say("Enter the hosts of the cluster, the primary first."),
            )
        ]
    bad = [_bad_host(key, host) for host in hosts if not is_host(host)]
    return bad or _duplicates(key, hosts, addresses)


def _bad_host(key: str, host: str) -> Refusal:
    if not host.strip() or host != host.strip():
        why = say(
            "%(key)s contains a blank entry or a blank around “%(host)s”.", key=key, host=host
        )
    else:
        why = say(
            "“%(host)s” in %(key)s is neither an address nor a host name.", key=key, host=host
        )
    fix = say(
        "Write each host as an address such as 10.0.0.11 or a name such as node1.example.org."
    )
    return _bad("host_invalid", key, why, fix)


def _duplicates(key: str, hosts: Sequence[str], addresses: Mapping[str, str]) -> list[Refusal]:
    seen: dict[str, str] = {}
    found = []
    for host in hosts:
        identity = _identity(host, addresses)
        if identity in seen:
            found.append(_duplicate(key, seen[identity], host, identity))
        seen.setdefault(identity, host)
    return found


def _identity(host: str, addresses: Mapping[str, str]) -> str:
    """The address where it is known; otherwise the name, of which the case does not count."""
    try:
        return str(ipaddress.ip_address(addresses.get(host, host)))
    except ValueError:
        return addresses.get(host, host).lower().removesuffix(".")


def _two_names(settings: PeerSettings, addresses: Mapping[str, str]) -> list[Refusal]:
    """Each host of the two lists is one server to the panel, so both must call it the same."""
    known = {_identity(host, addresses): host for host in settings.galera_peer_hosts}
    return [
        _bad(
            "host_two_names",
            GLUSTER_KEY,
            say(
                "“%(second)s” is the same server as “%(first)s” in %(key)s.",
                second=host,
                first=known[_identity(host, addresses)],
                key=GALERA_KEY,
            ),
            say("Write it the same way in both lists."),
        )
        for host in settings.cluster_fs_peer_hosts
        if known.get(_identity(host, addresses), host) != host
    ]


def _duplicate(key: str, first: str, second: str, identity: str) -> Refusal:
    if first.lower() == second.lower():
        why = say("“%(host)s” stands in %(key)s twice.", host=first, key=key)
    else:
        why = say(
            "“%(first)s” and “%(second)s” in %(key)s are the same server (%(address)s).",
            first=first,
            second=second,
            key=key,
            address=identity,
        )
    return _bad("host_duplicate", key, why, say("Remove one of the two entries."))


def _primary_problems(settings: PeerSettings, ordered: bool) -> list[Refusal]:
    primary = settings.cluster_primary_host
    if not is_host(primary):
        why = say("%(key)s is empty or is not an address or a host name.", key=PRIMARY_KEY)
        fix = say("Choose one of the hosts of the lists as the primary.")
        return [_bad("primary_invalid", PRIMARY_KEY, why, fix)]
    return [
        problem
        for key, hosts in (
            (GALERA_KEY, settings.galera_peer_hosts),
            (GLUSTER_KEY, settings.cluster_fs_peer_hosts),
        )
        if hosts
        for problem in _primary_in_list(primary, key, hosts, ordered)
    ]


def _primary_in_list(primary: str, key: str, hosts: Sequence[str], ordered: bool) -> list[Refusal]:
    if primary not in hosts:
        why = say("The primary %(primary)s is not in %(key)s.", primary=primary, key=key)
        fix = say("Add %(primary)s to the beginning of the list.", primary=primary)
        return [_bad("primary_not_listed", key, why, fix)]
    if ordered and hosts[0] != primary:
        why = say(
            "The primary %(primary)s is not the first of %(key)s; “the main (master) node of the"
            " cluster must be placed at the beginning of the list”.",
            primary=primary,
            key=key,
        )
        fix = say("Move %(primary)s to the top of the list.", primary=primary)
        return [_bad("primary_not_first", key, why, fix)]
    return []


def _size_problems(settings: PeerSettings, two_galera_acknowledged: bool) -> list[Refusal]:
    found = []
    if len(settings.cluster_fs_peer_hosts) < 3:
        found.append(gluster_too_small(len(settings.cluster_fs_peer_hosts)))
    if len(settings.galera_peer_hosts) < 2:
        why = say("A Galera cluster of one host replicates nothing.")
        fix = say("Add at least one more host; three are required for normal operation.")
        found.append(_bad("galera_single", GALERA_KEY, why, fix))
    elif len(settings.galera_peer_hosts) == 2 and not two_galera_acknowledged:
        found.append(_two_galera())
    return found


def gluster_too_small(count: int) -> Refusal:
    """The manual's own reason for three servers (chapter "Restart nodes")."""
    why = say(
        "%(count)s GlusterFS hosts: “don't try to implement GlusterFS on only 2 nodes. The cluster"
        " requires a 3rd server - an arbiter. If you restart any of the 2 nodes, you will lose"
        " data.”",
        count=count,
    )
    return _bad("gluster_too_small", GLUSTER_KEY, why, say("Add a third host to the list."))


def _two_galera() -> Refusal:
    why = say(
        "With only two Galera hosts the crash of either one stops the database on both,"
        " and “there will be problems with restarting the nodes”."
    )
    fix = say("Add a third host, or tick that you accept this.")
    return _bad("galera_two_hosts", GALERA_KEY, why, fix)


def _bad(code: str, field: str, why: Text, fix: Text) -> Refusal:
    return Refusal(code, why, fix, field=field.lower())
