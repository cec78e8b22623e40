"""A first look at a host that somebody types: does it resolve, answer, show the accepted key, let us
in as root. Nothing is stored and nothing is trusted by looking (law 12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User

from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs
from nodes import resolve
from nodes.domain.peers import is_host
from nodes.domain.text import Text, say
from nodes.models import Cluster, HostKey
from nodes.services.clusters import target_for
from nodes.services.host_keys import scan_one
from nodes.transport.base import TransportError, script
from nodes.transport.pool import transport_for


@dataclass(frozen=True)
class Look:
    """One answer. `state` is a word of the pages: ok, needs, attention, failed."""

    about: str
    state: str
    text: Text


@needs(Role.ADMINISTRATOR)
def host_look(*, host: str, cluster: Cluster | None, by: User | None = None) -> list[Look]:
    """As far as one answer leads to the next question; ends at the first that is bad."""
    return list(_looks(host.strip(), cluster))


def _looks(host: str, cluster: Cluster | None) -> Iterator[Look]:
    if not is_host(host):
        yield Look("name", "failed", say("neither an address nor a host name"))
        return
    address = resolve.addresses_of([host]).get(host)
    if address is None:
        yield Look("name", "failed", say("does not resolve on the panel's machine"))
        return
    if address != host:
        yield Look("name", "ok", say("is %(address)s", address=address))
    yield from _ssh(host, cluster)


def _ssh(host: str, cluster: Cluster | None) -> Iterator[Look]:
    pinned = cluster.host_keys.filter(host=host).first() if cluster else None
    shown = scan_one(host, cluster.ssh_port if cluster else 22, pinned)
    if shown.error is not None:
        yield Look("ssh", "failed", shown.error)
        return
    yield Look("ssh", "ok", say("answers on SSH"))
    yield _key(pinned, shown.state)
    if cluster is not None and shown.state == "trusted":
        yield _root(cluster, host)


def _key(pinned: HostKey | None, state: str) -> Look:
    if state == "trusted":
        return Look("key", "ok", say("host key accepted"))
    if state == "changed" and pinned:
        return Look("key", "failed", say("another host key than the accepted one"))
    return Look("key", "needs", say("host key not accepted yet"))


def _root(cluster: Cluster, host: str) -> Look:
    try:
        answer = transport_for(target_for(cluster, host)).run(script("id -u", timeout_s=5))
    except TransportError as error:
        return Look("root", "failed", error.why)
    if answer.text.strip() == "0":
        return Look("root", "ok", say("signs in as root"))
    return Look("root", "failed", say("%(user)s is not root there", user=cluster.ssh_username))
