"""Who is who in a change of the primary: the candidate, the old one, who answers and who does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nodes.domain.find_primary import named_by, takes_itself
from nodes.domain.observation import GaleraFacts, NodeFacts, Unknown
from nodes.domain.peers import PeerSettings
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from operations.domain.planners.common import (
    node_facts,
    not_root,
    params_invalid,
    unexpected_params,
    unknown,
)
from operations.domain.situation import Situation

# It answers, so it is neither off nor cut off; it only does not let the panel in.
_SHUT = frozenset({"ssh_auth", "host_key_unknown", "host_key_changed"})


@dataclass(frozen=True)
class Roles:
    """`old`: servers that answer and may do the background work now. `away`: those that do not
    answer. `doubts`: why the candidate should not become the primary."""

    candidate: NodeFacts
    reached: tuple[NodeFacts, ...]
    away: tuple[str, ...]
    old: tuple[str, ...]
    doubts: tuple[Text, ...]

    @property
    def host(self) -> str:
        return self.candidate.host

    def to_write(self) -> tuple[str, ...]:
        """Servers that answer and name anybody else."""
        return tuple(node.host for node in self.reached if named_by(node) != self.host)


def roles(situation: Situation) -> Roles | Refusal:
    """Refuses what no confirmation can make safe."""
    if refusal := _params(situation):
        return refusal
    reached: list[NodeFacts] = []
    away: list[str] = []
    for host in situation.settings.hosts:
        found = _state(situation, host)
        if isinstance(found, Refusal):
            return found
        if isinstance(found, NodeFacts):
            reached.append(found)
        else:
            away.append(host)
    host = situation.params["primary"]
    if refusal := _candidate_unfit(situation, host, away):
        return refusal
    if refusal := _counted_by_others(situation, reached, away):
        return refusal
    candidate = next(node for node in reached if node.host == host)
    old = tuple(_old(situation, reached, host))
    return Roles(candidate, tuple(reached), tuple(away), old, tuple(doubts(candidate)))


def candidates(settings: PeerSettings) -> list[str]:
    """The primary of both layers must be in both lists."""
    return [h for h in settings.galera_peer_hosts if h in settings.cluster_fs_peer_hosts]


def _params(situation: Situation) -> Refusal | None:
    if refusal := unexpected_params(situation, "primary"):
        return refusal
    both = candidates(situation.settings)
    if situation.params.get("primary") in both:
        return None
    why = say("primary must be one of the hosts in both lists: %(hosts)s.", hosts=", ".join(both))
    return params_invalid("primary", why)


def _state(situation: Situation, host: str) -> NodeFacts | Refusal | None:
    """The facts of a server that answers and can be written; None: it does not answer."""
    node = next((node for node in situation.facts.nodes if node.host == host), None)
    if node is None or node.ssh is True:
        found = node_facts(situation, host)
        return found if isinstance(found, Refusal) else _writable(situation, found)
    assert isinstance(node.ssh, Unknown)
    if node.ssh.code not in _SHUT:
        return None
    fix = node.ssh.fix or say("Give the panel root's SSH access to %(host)s.", host=host)
    why = say(
        "%(host)s is on, but does not let the panel in: %(reason)s So it would go on as it is.",
        host=host,
        reason=node.ssh.why,
    )
    evidence = {"node": host, "reason": str(node.ssh.why), "cause": node.ssh.code}
    return Refusal("node_shut", why, fix, evidence)


def _writable(situation: Situation, node: NodeFacts) -> NodeFacts | Refusal:
    if refusal := not_root(node) or unknown(node, "env"):
        return refusal
    if named_by(node) is not None:
        return node
    path = situation.env_path
    why = say("%(path)s is missing on %(host)s.", path=path, host=node.host)
    fix = say(
        "Install dpiui2 on %(host)s, correct the application directory, or switch %(host)s off.",
        host=node.host,
    )
    return Refusal("env_missing", why, fix, {"node": node.host, "path": path})


def _candidate_unfit(situation: Situation, host: str, away: list[str]) -> Refusal | None:
    if host in away:
        why = say("%(host)s does not answer, so it cannot become the primary.", host=host)
        return Refusal("candidate_away", why, say("Choose a server that answers."), {"node": host})
    if host in situation.fences:
        why = say(
            "%(host)s has a pending fence: it is not proven yet that it was told of the last change.",
            host=host,
        )
        fix = say("The panel closes the fence at its next beat; then plan again.")
        return Refusal("fence_open", why, fix, {"node": host})
    return None


def _counted_by_others(
    situation: Situation, reached: list[NodeFacts], away: list[str]
) -> Refusal | None:
    """Galera forgets a server that is off within 15 s (evs.inactive_timeout). One that the others
    still count is on, and goes on with the background work whatever a person believes."""
    listed = [n for n in reached if n.host in situation.settings.galera_peer_hosts]
    told = [n.galera for n in listed if isinstance(n.galera, GaleraFacts)]
    size = min((g.cluster_size for g in told if g.cluster_status == "Primary"), default=0)
    may_count = [n for n in listed if not isinstance(n.galera, GaleraFacts)]
    members = [g for g in told if g.cluster_status == "Primary"]
    suspects = [host for host in situation.suspects if host in away]
    if not suspects or size <= len(members) + len(may_count):
        return None
    why = say(
        "%(host)s does not answer the panel, but the other servers count it as a member of the"
        " database cluster (%(size)s members): it is on, and works as the primary.",
        host=", ".join(suspects),
        size=size,
    )
    fix = say(
        "Switch %(host)s off and wait half a minute, or repair the panel's way to it.",
        host=", ".join(suspects),
    )
    return Refusal("primary_counted", why, fix, {"nodes": suspects, "members": size})


def _old(situation: Situation, reached: list[NodeFacts], candidate: str) -> Iterator[str]:
    """Whoever finds himself in his `.env`, and whose workers may not know yet what stands there."""
    for node in reached:
        if node.host != candidate and (takes_itself(node) or node.host in situation.suspects):
            yield node.host


def doubts(node: NodeFacts) -> Iterator[Text]:
    """Empty: it is Primary, Synced, and its storage is mounted."""
    host = node.host
    if isinstance(node.galera, Unknown):
        yield say("its database could not be asked (%(why)s)", why=node.galera.why)
    elif not node.galera.synced:
        state = node.galera.local_state_comment or node.galera.cluster_status
        yield say("its database is not Primary and Synced (%(state)s)", state=state or "—")
    if isinstance(node.mount, Unknown):
        yield say("whether its storage is mounted is not known (%(why)s)", why=node.mount.why)
    elif not node.mount.mounted:
        yield say("the storage of %(host)s is not mounted", host=host)
    elif not node.mount.answers:
        yield say("the storage of %(host)s is mounted but does not answer", host=host)
