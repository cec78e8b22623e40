"""What is stopped and started on one server, in words and as params of a procedure."""

from __future__ import annotations

from dataclasses import dataclass

from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from nodes.domain.view import View
from operations.domain.known import params_invalid
from operations.domain.situation import Situation

DATABASE, STORAGE, HOST = SERVICES = ("mariadb", "glusterd", "host")
NAMES = {DATABASE: say("MariaDB"), STORAGE: say("GlusterFS"), HOST: say("the whole server")}


@dataclass(frozen=True)
class Target:
    """One service of one server. `service`: mariadb, glusterd, or host for the server itself."""

    host: str
    service: str

    @property
    def database(self) -> bool:
        return self.service in (DATABASE, HOST)

    @property
    def storage(self) -> bool:
        return self.service in (STORAGE, HOST)


def target(situation: Situation) -> Target | Refusal:
    """params: {"node": host, "service": mariadb (when it is left out), glusterd or host}."""
    service = service_of(situation)
    if isinstance(service, Refusal):
        return service
    host = node_of(situation)
    if isinstance(host, Refusal):
        return host
    lists = {
        DATABASE: situation.settings.galera_peer_hosts,
        STORAGE: situation.settings.cluster_fs_peer_hosts,
        HOST: situation.settings.hosts,
    }
    if host in lists[service]:
        return Target(host, service)
    why = say("%(host)s has no %(service)s in this cluster.", host=host, service=NAMES[service])
    return params_invalid("service", why)


def node_of(situation: Situation) -> str | Refusal:
    host = situation.params.get("node")
    if isinstance(host, str) and host in situation.settings.hosts:
        return host
    named = ", ".join(situation.settings.hosts)
    return params_invalid("node", say("node must be one of: %(hosts)s.", hosts=named))


def service_of(situation: Situation) -> str | Refusal:
    service = situation.params.get("service", DATABASE)
    if isinstance(service, str) and service in SERVICES:
        return service
    named = ", ".join(SERVICES)
    return params_invalid("service", say("service must be one of: %(names)s.", names=named))


def view_of(situation: Situation) -> View:
    return situation.view
