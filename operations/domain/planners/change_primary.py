"""Make another server the primary: the old one is written and proven first, the new one last.

Law 11. `CLUSTER_PRIMARY_HOST` is a plain line in every server's `.env` (manual, chapter "Master
server"); nothing but the order of writing keeps two servers from doing the background work at once.
A server that does not answer gets a pending fence. The same plan ends a change that was left half
written: it contains what is left to do.
"""

from __future__ import annotations

from collections.abc import Iterable

from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from operations.domain.invariants import check_plan
from operations.domain.plan import Gate, PendingFence, Plan
from operations.domain.planners import apply_command
from operations.domain.planners.common import step_key
from operations.domain.planners.primary_roles import Roles, roles
from operations.domain.planners.primary_stages import stages
from operations.domain.situation import Situation


def plan(situation: Situation) -> Plan | Refusal:
    """`params`: {"primary": host}."""
    who = roles(situation)
    if isinstance(who, Refusal):
        return who
    fences = tuple(_fences(situation, who))
    changes = who.host != situation.primary
    if not (changes or fences or who.to_write()):
        return _nothing_to_do(who)
    made = Plan(
        procedure="change_primary",
        title=say("Make %(host)s the primary", host=who.host),
        settings_revision=situation.revision + changes,
        stages=tuple(stage for stage in stages(situation, who) if stage.steps),
        gates=tuple(_gates(situation, who)),
        warnings=(*(fence.why for fence in fences), *_cached(situation, who)),
        primary=who.host if changes else "",
        fences=fences,
    )
    return check_plan(made, situation.settings.hosts)


def _cached(situation: Situation, who: Roles) -> Iterable[Text]:
    written = [node for node in who.reached if node.host in who.to_write()]
    return apply_command.warnings(situation, written)


def _nothing_to_do(who: Roles) -> Refusal:
    why = say("%(host)s is the primary, and every server says so.", host=who.host)
    return Refusal("nothing_to_do", why, say("Nothing has to be done."))


def _fences(situation: Situation, who: Roles) -> Iterable[PendingFence]:
    for host in who.away:
        if host not in situation.fences:
            why = say(
                "%(host)s does not answer and keeps its old .env. A pending fence is opened: it is"
                " the first thing the panel does when %(host)s answers, and it is shown on every"
                " page until it is proven that %(host)s names %(primary)s.",
                host=host,
                primary=who.host,
            )
            names = host if host in situation.suspects else situation.suspects[0]
            yield PendingFence(host, names, why)


def _gates(situation: Situation, who: Roles) -> Iterable[Gate]:
    for host in who.away:
        if host in situation.suspects:
            yield Gate(step_key(situation, "off", host), "typed", host, _off(host))
    others = [host for host in who.away if host not in situation.suspects]
    if others:
        why = say(
            "%(hosts)s: no answer. Whom its .env names is not known, and it stays so until the"
            " server answers.",
            hosts=", ".join(others),
        )
        yield Gate("away", "accept", "", why)
    if who.doubts:
        yield Gate("override", "typed", situation.cluster_name, _override(who))
    yield Gate("primary", "typed", who.host, _effect(who))


def _off(host: str) -> Text:
    return say(
        "%(host)s does not answer, so it cannot be told. Confirm that it is switched off, or cut off"
        " from the equipment and from the other servers: else two servers do the background work.",
        host=host,
    )


def _override(who: Roles) -> Text:
    doubts = who.doubts[0]
    for doubt in who.doubts[1:]:
        doubts = say("%(first)s, and %(next)s", first=doubts, next=doubt)
    return say(
        "%(host)s is not fit to be the primary: %(doubts)s. The background work may fail there."
        " Type the name of the cluster to go on all the same.",
        host=who.host,
        doubts=doubts,
    )


def _effect(who: Roles) -> Text:
    plain = {"host": who.host, "old": ", ".join(who.old)}
    if who.old:
        return say(
            "%(old)s stops the background work first, then %(host)s begins it: equipment,"
            " subscribers, services, tariffs.",
            **plain,
        )
    return say(
        "%(host)s does the background work from now on: equipment, subscribers, services, tariffs.",
        **plain,
    )
