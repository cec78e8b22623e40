"""Stop the database on every server, one after the other, the primary last.

“If you need to stop all 3 servers, you need to do it sequentially. It is advisable to stop the
master node last.” The order is noted on every server and stands in the panel's books, so that the
start begins with the one that was last. GlusterFS keeps running: its servers may be switched off in
any order afterwards.
"""

from __future__ import annotations

from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from nodes.domain.view import View
from operations.domain import power_scripts, safety
from operations.domain.invariants import check_plan
from operations.domain.known import unknown
from operations.domain.plan import RUN_TOKEN, Gate, Guard, Plan, Proof, Stage, Step
from operations.domain.planners import power_steps
from operations.domain.planners.common import step_key, unexpected_params
from operations.domain.planners.rolling_restart import primary_last
from operations.domain.power import view_of
from operations.domain.situation import Situation

_WHY = say("Who leaves in order is not counted any more; the last one knows that it was the last.")


def plan(situation: Situation) -> Plan | Refusal:
    """Every member must be Synced: one that lags would be stopped without its position."""
    if refusal := unexpected_params(situation):
        return refusal
    view = view_of(situation)
    hosts = primary_last(situation, situation.settings.galera_peer_hosts)
    for host in hosts:
        if refusal := power_steps.ready(situation, host):
            return refusal
    if refusal := safety.database_quiet(view) or _missing(view):
        return refusal
    return check_plan(_plan(situation, hosts), situation.hosts)


def _missing(view: View) -> Refusal | None:
    for member in view.galera:
        if refusal := unknown(member.node, "grastate", "bootstrap_marker"):
            return refusal
        if refusal := safety.marked(member.node):
            return refusal
        if not member.synced:
            why, fix = member.reason, say("Bring %(host)s back first.", host=member.host)
            return Refusal("member_missing", why, fix, {"node": member.host})
    return None


def _plan(situation: Situation, hosts: tuple[str, ...]) -> Plan:
    stages = tuple(_stage(situation, hosts, place) for place in range(len(hosts)))
    why = say(
        "The database stops for all users of %(name)s, on every server: %(hosts)s.",
        name=situation.cluster_name,
        hosts=", ".join(hosts),
    )
    gate = Gate("full-stop", "typed", situation.cluster_name, why)
    boots = say(
        "MariaDB no longer starts when a server boots, until the cluster is started by the panel:"
        " servers that boot without the one that was last would lose the order."
    )
    title = say("Stop the cluster")
    return Plan("stop_cluster", title, situation.revision, stages, (gate,), (boots,))


def _stage(situation: Situation, hosts: tuple[str, ...], place: int) -> Stage:
    host = hosts[place]
    number = situation.hosts.index(host) + 1
    title = say("Stop %(host)s", host=host)
    return Stage(f"stop-{number}", title, _WHY, (_step(situation, hosts, place),))


def _step(situation: Situation, hosts: tuple[str, ...], place: int) -> Step:
    host = hosts[place]
    number, count = str(place + 1), str(len(hosts))
    argv = (RUN_TOKEN, number, count, power_steps.datadir(situation, host))
    return Step(
        key=step_key(situation, "stop", host),
        node=host,
        title=say("Stop the database of %(host)s, as number %(place)s", host=host, place=number),
        argv=(*power_steps.SHELL, power_scripts.STOP_IN_ORDER, "clusterpanel", *argv),
        proof=Proof("stopped_in_order", (host, RUN_TOKEN, number)),
        proof_timeout_s=900,
        guard=Guard("stops_in_order", (host, *hosts[:place])),
    )
