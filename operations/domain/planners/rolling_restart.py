"""Restart every server, one after the other, the primary last; it stops at the first doubt.

Each server's turn begins only while both layers are whole (`next_in_turn` is asked in that moment)
and ends when they are whole again. A run that stopped is resumed while its finished servers are
well; or a new plan goes on with those that are left, which is what a plan without `nodes` does.
"""

from __future__ import annotations

from dataclasses import replace

from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from operations.domain import safety
from operations.domain.invariants import check_plan
from operations.domain.plan import Gate, Guard, Plan, Stage
from operations.domain.planners import power_steps
from operations.domain.planners.common import asked_hosts, unexpected_params
from operations.domain.power import DATABASE, HOST, NAMES, STORAGE, Target, service_of, view_of
from operations.domain.situation import Situation
from operations.domain.wholeness import not_whole

_WHY = say("The next one begins only when every member is Synced and nothing waits for healing.")


def plan(situation: Situation) -> Plan | Refusal:
    """params: {"service": mariadb, glusterd or host, "nodes": [...] (all that are left)}."""
    if refusal := unexpected_params(situation, "service", "nodes"):
        return refusal
    service = service_of(situation)
    if isinstance(service, Refusal):
        return service
    hosts = _hosts(situation, service)
    if isinstance(hosts, Refusal):
        return hosts
    view = view_of(situation)
    for host in hosts:
        if refusal := power_steps.ready(situation, host):
            return refusal
    if refusal := not_whole(view):
        return refusal
    for host in hosts:
        if refusal := safety.may_stop(view, Target(host, service)):
            return refusal
    return check_plan(_plan(situation, service, hosts), situation.hosts)


def _hosts(situation: Situation, service: str) -> tuple[str, ...] | Refusal:
    """In list order, the primary last; what an unfinished rolling restart has done is left out."""
    settings = situation.settings
    lists = {
        DATABASE: settings.galera_peer_hosts,
        STORAGE: settings.cluster_fs_peer_hosts,
        HOST: settings.hosts,
    }
    asked = asked_hosts(situation, lists[service])
    if isinstance(asked, Refusal):
        return asked
    done = situation.memory.restarted.get(service, ()) if asked is None else ()
    wanted = asked or tuple(host for host in lists[service] if host not in done)
    return primary_last(situation, wanted or lists[service])


def primary_last(situation: Situation, hosts: tuple[str, ...]) -> tuple[str, ...]:
    """The order in which servers are stopped; the settings' order otherwise."""
    others = tuple(host for host in situation.settings.hosts if host in hosts)
    rest = tuple(host for host in others if host != situation.primary)
    return (*rest, situation.primary) if situation.primary in hosts else rest


def _plan(situation: Situation, service: str, hosts: tuple[str, ...]) -> Plan:
    stages = tuple(_stage(situation, Target(host, service)) for host in hosts)
    return Plan(
        "rolling_restart",
        _title(service),
        situation.revision,
        stages,
        _gates(situation, service, hosts),
        _left_out(situation, service, hosts),
    )


def _stage(situation: Situation, one: Target) -> Stage:
    guard = Guard("next_in_turn", (one.host, one.service))
    number = situation.hosts.index(one.host) + 1
    # The guard of the turn that failed asks for all of it anew, and for more.
    steps = tuple(replace(step, moment=True) for step in power_steps.restart(situation, one, guard))
    return Stage(f"turn-{number}", say("The turn of %(host)s", host=one.host), _WHY, steps)


def _title(service: str) -> Text:
    if service == HOST:
        return say("Restart the servers one after the other")
    return say("Restart %(service)s on the servers one after the other", service=NAMES[service])


def _gates(situation: Situation, service: str, hosts: tuple[str, ...]) -> tuple[Gate, ...]:
    why = say(
        "These servers are restarted one after the other, in this order: %(hosts)s.",
        hosts=", ".join(hosts),
    )
    last = Target(hosts[-1], service)
    accept = Gate("servers", "accept", ", ".join(hosts), why)
    return (accept, *power_steps.pause_of_primary(situation, last))


def _left_out(situation: Situation, service: str, hosts: tuple[str, ...]) -> tuple[Text, ...]:
    done = [h for h in situation.memory.restarted.get(service, ()) if h not in hosts]
    if not done:
        return ()
    return (
        say(
            "%(hosts)s were restarted by the run before, which did not come to its end; they are"
            " left out.",
            hosts=", ".join(done),
        ),
    )
