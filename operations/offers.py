"""What could be done now, each with its verdict: allowed, or "not now" with the fact.

The verdict is the planner's own answer to what is stored: pure, so that a page may ask for all of them
at once. The plan page looks at the servers anew and asks the same planner again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nodes.domain.observation import NOT_ASKED, ClusterFacts, Unknown
from nodes.domain.parse_node import unreachable
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from nodes.history import Offer, PastRun
from nodes.models import Cluster
from operations.domain.planners import PLANNERS
from operations.domain.planners.node_state import database_stopped, storage_stopped
from operations.domain.power import DATABASE, HOST, SERVICES, STORAGE
from operations.domain.situation import Situation
from operations.situations import situation_of

# Refusals that are good news: it is as it should be already.
_DONE = frozenset({"nothing_to_do", "already_running"})

_RESTART = {
    DATABASE: say("Restart MariaDB"),
    STORAGE: say("Restart GlusterFS"),
    HOST: say("Restart the server"),
}
_STOP = {
    DATABASE: say("Stop MariaDB"),
    STORAGE: say("Stop GlusterFS"),
    HOST: say("Stop both services"),
}
_START = {
    DATABASE: say("Start MariaDB"),
    STORAGE: say("Start GlusterFS"),
    HOST: say("Start both services"),
}
_ROLLING = {
    DATABASE: say("Restart MariaDB on all, one after the other"),
    STORAGE: say("Restart GlusterFS on all, one after the other"),
    HOST: say("Restart all servers, one after the other"),
}


def node_offers(where: Situation, host: str, running: PastRun | None) -> Sequence[Offer]:
    """Of one server. `running`: the run that holds the cluster now."""
    busy = _busy(running)
    return [_offer(where, busy, *asked) for asked in _of_node(where, host)]


def cluster_offers(where: Situation, running: PastRun | None) -> Mapping[str, Sequence[Offer]]:
    """Of the whole cluster, by what they are about."""
    busy = _busy(running)
    rolling = [
        _offer(where, busy, "rolling_restart", _ROLLING[name], {"service": name})
        for name in (HOST, DATABASE, STORAGE)
    ]
    whole = [
        _offer(where, busy, "stop_cluster", say("Stop the cluster"), {}),
        _offer(where, busy, "start_cluster", say("Start the cluster"), {}),
    ]
    return {"rolling": rolling, "whole": whole}


def situation(cluster: Cluster, facts: ClusterFacts | None) -> Situation:
    """`facts`: what may be taken for the present."""
    hosts = cluster.revision.peers.hosts
    seen = facts if facts and facts.nodes else _nobody(hosts)
    return situation_of(cluster, {}, seen)


def _nobody(hosts: Sequence[str]) -> ClusterFacts:
    return ClusterFacts(tuple(unreachable(host, 0.0, NOT_ASKED) for host in hosts))


def _busy(running: PastRun | None) -> Text | None:
    return say("“%(title)s” is running now.", title=running.title) if running else None


def _of_node(where: Situation, host: str) -> list[tuple[str, Text, dict[str, str]]]:
    """A service that is stopped can be started, one that is not can be restarted or stopped."""
    found = []
    for service in SERVICES:
        asked = {"node": host, "service": service}
        if not _has(where, host, service):
            continue
        if _stopped(where, host, service):
            found.append(("start_node", _START[service], asked))
        else:
            found.append(("restart_node", _RESTART[service], asked))
            found.append(("stop_node", _STOP[service], asked))
    if not _has(where, host, STORAGE):
        return found
    if _bricks_down(where, host):
        again = {"node": host, "service": STORAGE}
        found.insert(0, ("start_node", say("Start the bricks that are down"), again))
    return [*found, ("remount_storage", say("Mount the storage again"), {"node": host})]


def _has(where: Situation, host: str, service: str) -> bool:
    settings = where.settings
    lists = {DATABASE: settings.galera_peer_hosts, STORAGE: settings.cluster_fs_peer_hosts}
    return service == HOST or host in lists[service]


def _stopped(where: Situation, host: str, service: str) -> bool:
    if service == DATABASE:
        return database_stopped(where, host)
    if service == STORAGE:
        return storage_stopped(where, host)
    return database_stopped(where, host) and storage_stopped(where, host)


def _bricks_down(where: Situation, host: str) -> bool:
    node = where.facts.node(host)
    if isinstance(node.gluster_volumes, Unknown) or storage_stopped(where, host):
        return False
    bricks = [b for v in node.gluster_volumes if v.started for b in v.bricks]
    return any(b.online is False and b.name.startswith(f"{host}:") for b in bricks)


def _offer(
    where: Situation, busy: Text | None, procedure: str, label: Text, params: dict[str, str]
) -> Offer:
    if busy is not None:
        return Offer(procedure, params, label, busy, say("Wait until it is over."))
    answer = PLANNERS[procedure](where.asked_for(params))
    if isinstance(answer, Refusal):
        done, unknown = answer.code in _DONE, answer.code == "node_unknown"
        return Offer(procedure, params, label, answer.why, answer.fix, done, unknown)
    return Offer(procedure, params, label)
