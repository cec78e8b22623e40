"""What the nodes look like after some steps of a plan: the planners' own model of the world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from nodes.domain.observation import ClusterFacts, EnvFacts, GaleraFacts, NodeFacts, Unknown
from operations.domain.plan import Step
from operations.domain.situation import Situation
from tests.builders import UUID, friends, gluster_units, mounted, synced, volume


def after(situation: Situation, steps: Sequence[Step]) -> Situation:
    """The situation once the effects of `steps` can be observed."""
    facts = situation.facts
    for step in steps:
        facts = _effect(situation, facts, step)
    return replace(situation, facts=facts)


def _effect(situation: Situation, facts: ClusterFacts, step: Step) -> ClusterFacts:
    match step.proof.name:
        case "env_equals":
            env = EnvFacts(True, "1" * 64, situation.settings.as_env())
            return _change(facts, step.node, env=env)
        case "galera_member":
            return _joined(facts, step.node)
        case "glusterd_active":
            return _change(facts, step.node, units=gluster_units(), **_readable(facts, step.node))
        case "peers_connected":
            return _everywhere(
                facts, lambda n: replace(n, gluster_peers=friends(n.host, _hosts(facts)))
            )
        case "volume_well":
            made = (volume(_hosts(facts)),)
            return _everywhere(facts, lambda n: replace(n, gluster_volumes=made))
        case "storage_shared":
            return _change(facts, step.node, mount=mounted())
    return facts


def _readable(facts: ClusterFacts, host: str) -> dict[str, Any]:
    """A daemon that runs now says what nobody could read before: that there is nothing yet."""
    node = facts.node(host)
    unread = ("gluster_peers", "gluster_volumes")
    return {name: () for name in unread if isinstance(getattr(node, name), Unknown)}


def _joined(facts: ClusterFacts, host: str) -> ClusterFacts:
    """The node is a member; every member sees one more."""
    members = {n.host for n in facts.nodes if isinstance(n.galera, GaleraFacts) and n.galera.synced}
    uuid = next(
        (
            n.galera.cluster_uuid
            for n in facts.nodes
            if isinstance(n.galera, GaleraFacts) and n.galera.synced
        ),
        UUID,
    )
    members.add(host)
    galera = synced(len(members), uuid)
    return _everywhere(facts, lambda n: replace(n, galera=galera) if n.host in members else n)


def _hosts(facts: ClusterFacts) -> tuple[str, ...]:
    return tuple(n.host for n in facts.nodes)


def _change(facts: ClusterFacts, host: str, **changes: Any) -> ClusterFacts:
    return _everywhere(facts, lambda n: replace(n, **changes) if n.host == host else n)


def _everywhere(facts: ClusterFacts, change: Callable[[NodeFacts], NodeFacts]) -> ClusterFacts:
    return ClusterFacts(tuple(change(n) for n in facts.nodes))
