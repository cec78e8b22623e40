"""Which nodes are a Galera cluster now, and which of them still have to join."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nodes.domain.observation import GaleraFacts, NodeFacts
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from operations.domain.planners.common import asked_hosts, unknown
from operations.domain.situation import Situation


@dataclass(frozen=True)
class Standing:
    """The members: Synced in the Primary component of `uuid`; empty when there is no cluster yet."""

    members: tuple[str, ...]
    uuid: str = ""


def standing(situation: Situation, nodes: Sequence[NodeFacts]) -> Standing | Refusal:
    """What lives now. Refuses whatever is neither "nothing yet" nor "a cluster with the primary"."""
    galera: dict[str, GaleraFacts] = {}
    for node in nodes:
        known = _galera(node)
        if isinstance(known, Refusal):
            return known
        if known is not None and known.wsrep_on:
            galera[node.host] = known
    alive = {host: facts for host, facts in galera.items() if facts.cluster_status == "Primary"}
    return (
        _two_clusters(alive)
        or _primary_outside(situation, galera, alive)
        or _busy(alive)
        or Standing(tuple(alive), next((facts.cluster_uuid for facts in alive.values()), ""))
    )


def _galera(node: NodeFacts) -> GaleraFacts | Refusal | None:
    """None for a server that is certainly stopped; a refusal when nobody knows."""
    if isinstance(node.galera, GaleraFacts):
        return node.galera
    if node.mysqld_running is False:
        return None
    refusal = unknown(node, "galera")
    assert refusal is not None
    return refusal


def _two_clusters(alive: dict[str, GaleraFacts]) -> Refusal | None:
    """Two UUIDs, or two views of one UUID, are two clusters; nothing may touch them."""
    views = {
        host: f"{facts.cluster_uuid} {facts.raw.get('wsrep_cluster_conf_id', '')}".strip()
        for host, facts in alive.items()
    }
    if len(set(views.values())) < 2:
        return None
    named = "; ".join(f"{host}: {view}" for host, view in views.items())
    why = say("The nodes are in different Galera clusters: %(views)s.", views=named)
    fix = say("Decide which cluster has the right data before anything is installed.")
    return Refusal("two_clusters", why, fix, {"views": views})


def _primary_outside(
    situation: Situation, galera: dict[str, GaleraFacts], alive: dict[str, GaleraFacts]
) -> Refusal | None:
    """The primary must be in the living cluster, or nothing may live at all."""
    primary = situation.primary
    if primary in alive:
        return None
    if alive:
        why = say(
            "A Galera cluster lives on %(hosts)s, but the primary %(primary)s is not in it. Running"
            " the script there would start a second cluster.",
            hosts=", ".join(alive),
            primary=primary,
        )
        fix = say(
            "Choose one of %(hosts)s as the primary, or start the database of %(primary)s so that"
            " it joins.",
            hosts=", ".join(alive),
            primary=primary,
        )
        return Refusal("galera_alive_elsewhere", why, fix, {"alive": list(alive)})
    if galera:
        why = say("Galera runs on %(hosts)s without a Primary component.", hosts=", ".join(galera))
        fix = say("Recover that cluster; installing again would replace it by a new one.")
        return Refusal("galera_non_primary", why, fix, {"nodes": list(galera)})
    return None


def _busy(alive: dict[str, GaleraFacts]) -> Refusal | None:
    for host, facts in alive.items():
        if not facts.synced:
            why = say(
                "%(host)s is “%(state)s”: a transfer is under way.",
                host=host,
                state=facts.local_state_comment or facts.local_state,
            )
            fix = say("Wait until every node of the cluster is Synced, then plan again.")
            return Refusal("galera_busy", why, fix, {"node": host})
    return None


def to_install(
    situation: Situation, state: Standing, nodes: Sequence[NodeFacts]
) -> list[NodeFacts] | Refusal:
    """The nodes that run the script, in order; what they lose must be known."""
    rest = [node for node in nodes if node.host not in state.members]
    asked = asked_hosts(situation, [node.host for node in nodes])
    if isinstance(asked, Refusal):
        return asked
    if asked is not None:
        if refusal := _order(situation, state, asked):
            return refusal
        rest = [node for node in rest if node.host in asked]
    if not rest:
        return _already_clustered(state, asked)
    for node in rest:
        if refusal := unknown(node, "databases"):
            return refusal
    return rest


def _order(situation: Situation, state: Standing, asked: Sequence[str]) -> Refusal | None:
    primary = situation.primary
    if primary in state.members or asked[0] == primary:
        return None
    why = say(
        "%(host)s cannot be first: “the script must be run first on the master node”, and"
        " %(primary)s is not Synced in a Primary component.",
        host=asked[0],
        primary=primary,
    )
    fix = say("Install Galera on %(primary)s first.", primary=primary)
    return Refusal("order_primary_first", why, fix, {"asked": list(asked), "primary": primary})


def _already_clustered(state: Standing, asked: Sequence[str] | None) -> Refusal:
    named = ", ".join(asked or state.members)
    why = say(
        "%(hosts)s: Synced in one Galera cluster already (%(uuid)s).", hosts=named, uuid=state.uuid
    )
    fix = say("Nothing has to be installed.")
    return Refusal("already_clustered", why, fix, {"members": list(state.members)})
