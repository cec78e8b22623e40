"""The facts as the rules of health need them: one small value for each server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from nodes.domain.observation import NOT_ASKED, ClusterFacts, GaleraFacts, NodeFacts, Unknown
from nodes.domain.parse_node import unreachable
from nodes.domain.peers import PRIMARY_KEY, PeerSettings
from nodes.domain.text import Text, say

NOT_RUNNING = ("inactive", "failed", "not-found")


def listed(hosts: Iterable[str]) -> str:
    return ", ".join(hosts)


@dataclass(frozen=True)
class Member:
    """One server of the Galera list. At most one of `member`, `stopped`, `standalone` is true."""

    node: NodeFacts

    @property
    def host(self) -> str:
        return self.node.host

    @property
    def _status(self) -> GaleraFacts | None:
        return self.node.galera if isinstance(self.node.galera, GaleraFacts) else None

    @property
    def known(self) -> bool:
        return self._status is not None or self.stopped

    @property
    def stopped(self) -> bool:
        """Certain: the unit is down and no process is left. A unit that starts is not stopped."""
        units = self.node.units
        down = not isinstance(units, Unknown) and units.get("mariadb", "not-found") in NOT_RUNNING
        return self.node.ssh is True and down and self.node.mysqld_running is False

    @property
    def never_installed(self) -> bool:
        """Stopped, and no trace of a cluster on the disk."""
        grastate = self.node.grastate
        return self.stopped and not isinstance(grastate, Unknown) and not grastate.present

    @property
    def standalone(self) -> bool:
        return (self._status is not None and not self._status.wsrep_on) or self.never_installed

    @property
    def member(self) -> bool:
        """Part of a component that has the majority."""
        return self._status is not None and self._status.cluster_status == "Primary"

    @property
    def without_quorum(self) -> bool:
        return self._status is not None and self._status.wsrep_on and not self.member

    @property
    def synced(self) -> bool:
        return self._status is not None and self._status.synced

    @property
    def size(self) -> int:
        return self._status.cluster_size if self._status else 0

    @property
    def uuid(self) -> str:
        return self._status.cluster_uuid if self._status else ""

    @property
    def conf_id(self) -> str:
        return self._status.raw.get("wsrep_cluster_conf_id", "") if self._status else ""

    @property
    def local_state(self) -> int:
        return self._status.local_state if self._status else 0

    @property
    def comment(self) -> str:
        return self._status.local_state_comment if self._status else ""

    @property
    def starting(self) -> bool:
        units = self.node.units
        return not isinstance(units, Unknown) and units.get("mariadb") == "activating"

    @property
    def reason(self) -> Text:
        """Why this server is no member: a sentence that names it."""
        if isinstance(self.node.ssh, Unknown):
            return self.node.ssh.why
        if self.stopped:
            return say("The database of %(host)s is stopped.", host=self.host)
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

    @property
    def fix(self) -> Text | None:
        return self.node.ssh.fix if isinstance(self.node.ssh, Unknown) else None


@dataclass(frozen=True)
class View:
    settings: PeerSettings
    facts: ClusterFacts

    def node(self, host: str) -> NodeFacts:
        """Facts of a server of the lists; all unknown when it was not among those asked."""
        found = (node for node in self.facts.nodes if node.host == host)
        return next(found, None) or unreachable(host, self.facts.nodes[0].taken_at, NOT_ASKED)

    @cached_property
    def nodes(self) -> tuple[NodeFacts, ...]:
        return tuple(self.node(host) for host in self.settings.hosts) or self.facts.nodes

    @cached_property
    def galera(self) -> tuple[Member, ...]:
        return tuple(Member(self.node(host)) for host in self.settings.galera_peer_hosts)

    @property
    def reached(self) -> list[NodeFacts]:
        return [node for node in self.nodes if node.ssh is True]

    @property
    def primary(self) -> list[Member]:
        return [node for node in self.galera if node.member]

    @property
    def without_quorum(self) -> list[Member]:
        return [node for node in self.galera if node.without_quorum]

    @property
    def size(self) -> int:
        """As the smallest answer has it: a member that already sees a loss is right."""
        return min((node.size for node in self.primary), default=0)

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

    def primaries_differ(self) -> Text | None:
        """The sentence when servers name different primaries: each of them would do its work."""
        named = {
            node.host: node.env.keys.get(PRIMARY_KEY)
            for node in self.nodes
            if not isinstance(node.env, Unknown) and node.env.present
        }
        wanted = self.settings.cluster_primary_host
        other = {host: name for host, name in named.items() if name != wanted}
        if not other:
            return None
        host, name = next(iter(other.items()))
        return say(
            "%(host)s has %(key)s=%(found)s, the panel wants %(wanted)s.",
            host=host,
            key=PRIMARY_KEY,
            found=name or "",
            wanted=wanted,
        )
