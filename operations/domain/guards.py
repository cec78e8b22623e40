"""What must be true in the moment a step begins, by a new look at the servers.

A plan was safe when it was accepted; between two of its steps hours may go by, and a run may be
resumed days later. So the same pure rules are asked again before every try to start (laws 8 to 10).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from nodes.domain.observation import Unknown
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from nodes.domain.view import Member
from operations.domain import recovery_guards, safety
from operations.domain.known import unknown
from operations.domain.plan import Guard
from operations.domain.power import Target, view_of
from operations.domain.situation import Situation
from operations.domain.wholeness import not_whole


def refused(guard: Guard, situation: Situation) -> Refusal | None:
    """Why the step must not begin now; None when it may, or when it has no guard."""
    return GUARDS[guard.name](situation, *guard.args) if guard.name else None


def _may_stop(situation: Situation, host: str, service: str) -> Refusal | None:
    return safety.may_stop(view_of(situation), Target(host, service))


def _next_in_turn(situation: Situation, host: str, service: str) -> Refusal | None:
    """A rolling restart goes on only while everything but the one whose turn it is is whole."""
    view = view_of(situation)
    return not_whole(view, host) or safety.may_stop(view, Target(host, service))


def _stops_in_order(situation: Situation, host: str, *before: str) -> Refusal | None:
    """Those before are stopped for certain, those after are still in step."""
    view = view_of(situation)
    for member in view.galera:
        if member.host in before and not member.stopped:
            return _not_stopped(member)
        if member.host in (host, *before):
            continue
        if not member.synced:
            return _not_synced(member)
    here = next(member for member in view.galera if member.host == host)
    return None if here.synced or here.stopped else _not_synced(here)


def _not_stopped(member: Member) -> Refusal:
    if refusal := unknown(member.node, "ssh", "units", "mysqld_running"):
        return refusal
    why = say("The database of %(host)s is not stopped any more.", host=member.host)
    fix = say("Somebody started it: find out who, then plan again.")
    return Refusal("order_broken", why, fix, {"node": member.host})


def _not_synced(member: Member) -> Refusal:
    if refusal := unknown(member.node, "ssh", "galera"):
        return refusal
    fix = say("Wait until it is, or bring it back first.")
    why = say("The database of %(host)s is not Synced.", host=member.host)
    return Refusal("galera_busy", why, fix, {"node": member.host})


def _may_join(situation: Situation, host: str) -> Refusal | None:
    """A start that is run again finds the server starting or in: that is no reason against it."""
    view = view_of(situation)
    here = next(member for member in view.galera if member.host == host)
    if not here.stopped and (here.starting or here.member):
        return None
    return safety.may_start_database(view, host)


def _may_bootstrap(situation: Situation, host: str, uuid: str, seqno: str) -> Refusal | None:
    """Law 10: nobody runs anywhere, and the chosen one is where it was when it was chosen."""
    return nobody_runs(situation) or _moved(situation, host, uuid, seqno)


def nobody_runs(situation: Situation) -> Refusal | None:
    """Every Galera server answers and its database is certainly stopped, without a marker."""
    for member in view_of(situation).galera:
        if refusal := unknown(
            member.node, "ssh", "units", "mysqld_running", "bootstrap_marker", "grastate"
        ) or safety.marked(member.node):
            return refusal
        if not member.stopped:
            why = say(
                "The database of %(host)s runs or starts; a second cluster would begin beside it.",
                host=member.host,
            )
            fix = say("Start only those that are stopped, or stop it first.")
            return Refusal("somebody_runs", why, fix, {"node": member.host})
    return None


def _moved(situation: Situation, host: str, uuid: str, seqno: str) -> Refusal | None:
    state = situation.facts.node(host).grastate
    assert not isinstance(state, Unknown)
    if (state.uuid, str(state.seqno)) == (uuid, seqno) and state.safe_to_bootstrap is True:
        return None
    why = say("%(host)s is no longer where it was when it was chosen.", host=host)
    fix = say("Plan again; the positions are read anew.")
    return Refusal("position_moved", why, fix, {"node": host})


GUARDS: Mapping[str, Callable[..., Refusal | None]] = MappingProxyType(
    {
        "may_stop": _may_stop,
        "next_in_turn": _next_in_turn,
        "stops_in_order": _stops_in_order,
        "may_join": _may_join,
        "may_bootstrap": _may_bootstrap,
        "nothing_started": recovery_guards.nothing_started,
        "one_primary": recovery_guards.one_primary,
        "not_primary": recovery_guards.not_primary,
    }
)
# They look at databases alone, and at what lies on the disks of stopped ones.
TRACED = frozenset({"nothing_started", "one_primary", "not_primary"})
