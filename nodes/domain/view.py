"""The facts as the rules of the verdict need them. Whatever order they came in, this one is fixed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from nodes.domain.observation import (
    NOT_ASKED,
    ClusterFacts,
    GaleraFacts,
    GlusterBrick,
    GlusterVolume,
    NodeFacts,
    Sample,
    Unknown,
)
from nodes.domain.parse_node import unreachable
from nodes.domain.peers import PeerSettings
from nodes.domain.text import Text, say

NOT_RUNNING = ("inactive", "failed", "not-found")
JOINING, DONOR, JOINED, SYNCED = 1, 2, 3, 4


def listed(hosts: Iterable[str]) -> str:
    return ", ".join(hosts)


def known(value: object) -> bool:
    return not isinstance(value, Unknown)


@dataclass(frozen=True)
class Member:
    """One server of the Galera list. At most one of `member`, `stopped`, `standalone` is true."""

    node: NodeFacts

    @property
    def host(self) -> str:
        return self.node.host

    @cached_property
    def status(self) -> GaleraFacts | None:
        return self.node.galera if isinstance(self.node.galera, GaleraFacts) else None

    @property
    def known(self) -> bool:
        return self.status is not None or self.stopped

    def unit(self, name: str) -> str:
        """State of a systemd unit; "" when it is not known."""
        units = self.node.units
        return "" if isinstance(units, Unknown) else units.get(name, "not-found")

    @cached_property
    def stopped(self) -> bool:
        """Certain: the unit is down and no process is left. A unit that starts is not stopped."""
        down = self.unit("mariadb") in NOT_RUNNING
        return self.node.ssh is True and down and self.node.mysqld_running is False

    @property
    def crashed(self) -> bool:
        """Stopped, and not in order: the file has no position, or systemd calls it failed."""
        grastate = self.node.grastate
        unsure = not isinstance(grastate, Unknown) and grastate.present and grastate.seqno is None
        return self.stopped and (unsure or self.unit("mariadb") == "failed")

    @property
    def never_installed(self) -> bool:
        """Stopped, and no trace of a cluster on the disk."""
        grastate = self.node.grastate
        return self.stopped and not isinstance(grastate, Unknown) and not grastate.present

    @cached_property
    def standalone(self) -> bool:
        return (self.status is not None and not self.status.wsrep_on) or self.never_installed

    @cached_property
    def member(self) -> bool:
        """Part of a component that has the majority."""
        return self.status is not None and self.status.cluster_status == "Primary"

    @property
    def without_quorum(self) -> bool:
        return self.status is not None and self.status.wsrep_on and not self.member

    @cached_property
    def starting(self) -> bool:
        """On its way into the cluster: the unit starts, or a transfer goes on before SQL answers."""
        joins = getattr(self.node.transfer, "role", "") == "joiner"
        return (
            not self.member and not self.stopped and (self.unit("mariadb") == "activating" or joins)
        )

    @property
    def synced(self) -> bool:
        return self.status is not None and self.status.synced

    @property
    def size(self) -> int:
        return self.status.cluster_size if self.status else 0

    @property
    def uuid(self) -> str:
        return self.status.cluster_uuid if self.status else ""

    def raw(self, name: str) -> str:
        return self.status.raw.get(name, "") if self.status else ""

    @property
    def conf_id(self) -> str:
        return self.raw("wsrep_cluster_conf_id")

    @property
    def local_state(self) -> int:
        return self.status.local_state if self.status else 0

    @property
    def comment(self) -> str:
        return self.status.local_state_comment if self.status else ""

    @property
    def reason(self) -> Text:
        """Why this server is no member: a sentence that names it."""
        if isinstance(self.node.ssh, Unknown):
            return self.node.ssh.why
        if self.stopped:
            return self._why_stopped()
        if self.starting:
            return say(
                "The database of %(host)s is starting; it may be receiving all data.",
                host=self.host,
            )
        if self.standalone:
            return say("%(host)s has a database of its own.", host=self.host)
        if self.without_quorum:
            return say("The database of %(host)s has no majority.", host=self.host)
        why = self.node.galera.why if isinstance(self.node.galera, Unknown) else ""
        return say("The database of %(host)s could not be asked. %(why)s", host=self.host, why=why)

    def _why_stopped(self) -> Text:
        if self.crashed:
            return say("The database of %(host)s has crashed or was killed.", host=self.host)
        return say("The database of %(host)s is stopped.", host=self.host)

    @property
    def fix(self) -> Text | None:
        return self.node.ssh.fix if isinstance(self.node.ssh, Unknown) else None


@dataclass(frozen=True)
class View:
    """`now` in seconds since the epoch. `facts.nodes` is never empty."""

    settings: PeerSettings
    facts: ClusterFacts
    now: float

    def node(self, host: str) -> NodeFacts:
        """Facts of a server of the lists; all unknown when it was not among those asked."""
        return self._by_host.get(host) or unreachable(host, self.oldest, NOT_ASKED)

    @cached_property
    def _by_host(self) -> dict[str, NodeFacts]:
        return {node.host: node for node in reversed(self.facts.nodes)}

    @cached_property
    def oldest(self) -> float:
        return min(node.taken_at for node in self.facts.nodes)

    @cached_property
    def nodes(self) -> tuple[NodeFacts, ...]:
        hosts = self.settings.hosts or sorted({node.host for node in self.facts.nodes})
        return tuple(self.node(host) for host in hosts)

    @cached_property
    def galera(self) -> tuple[Member, ...]:
        return tuple(Member(self.node(host)) for host in self.settings.galera_peer_hosts)

    @cached_property
    def storage(self) -> tuple[NodeFacts, ...]:
        """The servers of the GlusterFS list."""
        return tuple(self.node(host) for host in self.settings.cluster_fs_peer_hosts)

    @cached_property
    def reached(self) -> list[NodeFacts]:
        return [node for node in self.nodes if node.ssh is True]

    @cached_property
    def primary(self) -> list[Member]:
        return [node for node in self.galera if node.member]

    @cached_property
    def without_quorum(self) -> list[Member]:
        return [node for node in self.galera if node.without_quorum]

    @cached_property
    def size(self) -> int:
        """As the smallest answer has it: a member that already sees a loss is right."""
        return min((node.size for node in self.primary), default=0)

    @cached_property
    def volumes(self) -> tuple[GlusterVolume, ...] | None:
        """As the newest answer that has any tells them; None when nobody could be asked."""
        told = sorted(self.storage, key=lambda node: -node.group_read_at("gluster"))
        answers = [n.gluster_volumes for n in told if not isinstance(n.gluster_volumes, Unknown)]
        return next((volumes for volumes in answers if volumes), () if answers else None)

    def owner(self, brick: GlusterBrick) -> str:
        """The server of the settings that has the brick; "" when that is not known.

        A volume may name its servers otherwise than the settings do. Then the server is the one
        whose own list of peers lacks the brick's UUID, for nobody is a peer of himself.
        """
        named = brick.name.rpartition(":/")[0]
        if named in {node.host for node in self.storage}:
            return named
        lacking = [
            node.host
            for node in self.storage
            if not isinstance(node.gluster_peers, Unknown)
            and node.gluster_peers
            and brick.host_uuid not in {peer.uuid for peer in node.gluster_peers}
        ]
        return lacking[0] if len(lacking) == 1 else ""

    def samples(self, host: str) -> tuple[Sample, ...]:
        return tuple(self.facts.samples.get(host, ()))

    def primary_groups(self) -> list[list[str]]:
        """Servers that are Primary, by cluster. Two clusters differ in UUID; within one UUID, two
        halves that each count fewer members than there are Primary servers cannot be one."""
        groups: dict[tuple[str, str], list[str]] = {}
        for member in self.primary:
            groups.setdefault((member.uuid, self._half(member)), []).append(member.host)
        return list(groups.values())

    def _half(self, member: Member) -> str:
        same = [other for other in self.primary if other.uuid == member.uuid]
        apart = sum({m.conf_id: m.size for m in same}.values()) == len(same)
        return member.conf_id if apart else ""
