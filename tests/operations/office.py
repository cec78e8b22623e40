"""An office for the tests of services and API: a cluster, two people, and nodes that answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from nodes.domain.observation import ClusterFacts, NodeFacts
from nodes.domain.text import say
from nodes.models import Cluster, SettingsRevision
from nodes.transport.base import Command, Output, Target, Unreachable
from operations import services
from operations.domain.plan import Plan
from operations.models import Backup, Run
from tests import builders
from tests.builders import HOSTS
from tests.fakes.scripted import ScriptedTransport
from tests.people.made import at_the_keyboard, person

SIZE = 4711


@dataclass
class Office:
    """`facts` is what the next look at the nodes sees; `files` what lies on which node."""

    cluster: Cluster
    admin: User
    operator: User
    facts: ClusterFacts
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def see(self, *nodes: NodeFacts) -> None:
        self.facts = builders.cluster(*nodes)

    def observe(self, *, cluster: Cluster, **how: Any) -> ClusterFacts:
        return self.facts

    def transport(self, target: Target) -> ScriptedTransport:
        self.asked.append(target.host)
        if target.host in self.silent:
            why = say("%(host)s did not answer.", host=target.host)
            raise Unreachable(why, say("Switch it on."))

        def sizes(command: Command) -> Output:
            paths = command.argv[4:]
            told = [self.files.get((target.host, path), "-") for path in paths]
            return Output(0, "\n".join(told).encode(), b"")

        return ScriptedTransport(target, {"wc -c": sizes})

    def backup(self, kind: str = "database", node: str = HOSTS[0], **changes: Any) -> Backup:
        """A backup on record whose file is there as it was."""
        values = {
            "path": f"/backups/{kind}.gz",
            "bytes": SIZE,
            "sha256": "a" * 64,
            "verified_at": timezone.now() - timedelta(hours=1),
            **changes,
        }
        made = Backup.objects.create(cluster=self.cluster, kind=kind, node=node, **values)
        self.files[node, made.path] = str(made.bytes)
        return made

    def plan(self, procedure: str = "install_galera", **params: Any) -> Plan:
        return services.plan_preview(cluster=self.cluster, procedure=procedure, params=params)

    def start(
        self,
        procedure: str = "backup_database",
        *,
        confirmations: dict[str, Any] | None = None,
        plan_hash: str = "",
        by: User | None = None,
        **params: Any,
    ) -> Run:
        return services.run_start(
            cluster=self.cluster,
            procedure=procedure,
            params=params,
            plan_hash=plan_hash or self.plan(procedure, **params).hash,
            confirmations=confirmations or {},
            by=by or self.admin,
        )


def make_office(patch: Callable[[str, object], None]) -> Office:
    """`patch` replaces the two doors to the nodes."""
    cluster = Cluster.objects.create(name="Office", ssh_password="secret of ssh")
    peers = builders.peers()
    SettingsRevision.objects.create(
        cluster=cluster,
        number=1,
        galera_peer_hosts=list(peers.galera_peer_hosts),
        cluster_fs_peer_hosts=list(peers.cluster_fs_peer_hosts),
        cluster_primary_host=peers.cluster_primary_host,
    )
    admin = at_the_keyboard(User.objects.create_superuser("ivanov"))
    operator = person("petrov")
    office = Office(cluster, admin, operator, builders.cluster())
    patch("operations.planning.observe", office.observe)
    patch("operations.gates.transport_for", office.transport)
    return office


ACCEPT = {"databases-replaced": {"accept": True}}
