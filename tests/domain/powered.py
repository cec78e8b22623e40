"""Situations for stopping and starting, in the words of `tests/fakes/situations.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nodes.domain.observation import ClusterFacts, Grastate, NodeFacts, Unknown
from nodes.domain.refusal import Refusal
from operations.domain.plan import Plan
from operations.domain.planners import PLANNERS
from operations.domain.situation import Memory, Situation
from tests.fakes import situations
from tests.fakes.facts import NOW, SETTINGS, UUID

RUN = "x7k2"


def situation(
    case: Mapping[str, Any] | None = None, memory: Memory | None = None, **params: Any
) -> Situation:
    """A cluster that is well but for what the case says."""
    return Situation(
        cluster_name="Office",
        app_dir="/var/www/html/dpiui2",
        settings=SETTINGS,
        revision=3,
        facts=_one_pool(situations.facts(case or {}), case or {}),
        params=params,
        now=NOW,
        memory=memory or Memory(),
    )


def _one_pool(seen: ClusterFacts, case: Mapping[str, Any]) -> ClusterFacts:
    """Every glusterd that answers tells the same volume, also that of a server without a database."""
    if "volume" not in case:
        return seen
    told = situations.facts({"volume": case["volume"]}).nodes[0].gluster_volumes
    bent = (
        n if isinstance(n.gluster_volumes, Unknown) else replace(n, gluster_volumes=told)
        for n in seen.nodes
    )
    return replace(seen, nodes=tuple(bent))


def answer(procedure: str, case: Mapping[str, Any] | None = None, **params: Any) -> Plan | Refusal:
    return PLANNERS[procedure](situation(case, **params))


def planned(procedure: str, case: Mapping[str, Any] | None = None, **params: Any) -> Plan:
    found = answer(procedure, case, **params)
    assert isinstance(found, Plan), found
    return found


def refused(procedure: str, case: Mapping[str, Any] | None = None, **params: Any) -> Refusal:
    found = answer(procedure, case, **params)
    assert isinstance(found, Refusal), [str(step.title) for step in found.steps]
    return found


STOPPED = {
    "all": "stopped",
    "volume": {},
}


def stopped(order: str = "n2 n3 n1", **changes: Any) -> Situation:
    """All databases were stopped in this order; the last one wrote the highest position.

    changes: `notes` False: no server remembers; `book`: what the panel remembers; `n2={…}` bends
    that server's facts.
    """
    hosts = order.split()
    nodes = []
    for node in situations.facts(STOPPED).nodes:
        place = hosts.index(node.host) + 1
        seqno = 20 + place
        flag = place == len(hosts)
        found = replace(node, grastate=Grastate(True, UUID, seqno, flag))
        if changes.get("notes", True):
            found = noted(found, place, len(hosts), seqno)
        nodes.append(replace(found, **changes.get(node.host, {})))
    base = situation({}, Memory(tuple(changes.get("book", "").split())))
    return replace(base, facts=ClusterFacts(tuple(nodes)))


def noted(node: NodeFacts, place: int, of: int, seqno: int, run: str = RUN) -> NodeFacts:
    line = (
        f"run={run} place={place} of={of} boots=yes units= state=stopped uuid={UUID} seqno={seqno}"
    )
    return replace(node, extra={**node.extra, "stop_note": line})
