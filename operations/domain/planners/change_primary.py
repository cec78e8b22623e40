"""Make another server the primary: the old one is written and proven first, the new one last.

Law 11. `CLUSTER_PRIMARY_HOST` is a plain line in every server's `.env` (manual, chapter "Master
server"); nothing but the order of writing keeps two servers from doing the background work at once.
A server that does not answer gets a pending fence. The same plan ends a change that was left half
written: it contains what is left to do.
"""

from __future__ import annotations

from collections.abc import Iterable

from nodes.domain.peers import PRIMARY_KEY
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from nodes.env_file_script import WRITE
from operations.domain.invariants import check_plan
from operations.domain.plan import Gate, PendingFence, Plan, Proof, Stage, Step
from operations.domain.planners.common import step_key
from operations.domain.planners.primary_roles import Roles, roles
from operations.domain.proofs.primary import FENCED
from operations.domain.situation import Situation

_LOOK = r"""
findmnt -n --mountpoint "$(realpath -m -- "$1")"
client=$(command -v mariadb || command -v mysql) &&
    "$client" --connect-timeout=5 -NBe "SHOW GLOBAL STATUS LIKE 'wsrep_local_state_comment'"
:
"""
_READ_AGAIN = r"""grep -a "CLUSTER_PRIMARY_HOST" -- "$1"; :"""


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
        stages=tuple(stage for stage in _stages(situation, who) if stage.steps),
        gates=tuple(_gates(situation, who)),
        warnings=tuple(fence.why for fence in fences),
        primary=who.host if changes else "",
        fences=fences,
    )
    return check_plan(made, situation.settings.hosts)


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
            yield PendingFence(host, situation.primary, why)


def _stages(situation: Situation, who: Roles) -> Iterable[Stage]:
    to_write = who.to_write()
    old = [host for host in to_write if host in who.old]
    others = [host for host in to_write if host not in who.old and host != who.host]
    yield Stage(
        "able",
        say("Look at %(host)s once more", host=who.host),
        say("Nothing is changed before the new primary is proven to be able to do the work."),
        () if who.doubts else (_able(situation, who),),
    )
    yield Stage(
        "stop",
        say("Stop the background workers of the old primary"),
        say("They keep in memory what they read at their start."),
        tuple(_stop(situation, host) for host in who.old) if situation.workers.stop else (),
    )
    yield Stage(
        "old",
        say("Write the old primary first"),
        say("From here on nobody does the background work, until the new primary is written."),
        tuple(_write(situation, who, host) for host in old),
    )
    yield Stage(
        "others",
        say("Write the other servers"),
        say("Each reads its own .env."),
        tuple(_write(situation, who, host) for host in others),
    )
    yield from _last_stages(situation, who)


def _last_stages(situation: Situation, who: Roles) -> Iterable[Stage]:
    yield Stage(
        "new",
        say("Write the new primary last"),
        say("It begins the background work when nobody else does it any more."),
        tuple(_write(situation, who, host) for host in who.to_write() if host == who.host),
    )
    yield Stage(
        "start",
        say("Start the background workers of the new primary"),
        say("They read the new setting at their start."),
        (_start(situation, who),) if situation.workers.start else (),
    )
    yield Stage(
        "agree",
        say("Read it again on every server"),
        say(
            "The order of the two lists stays as it is: it is important for the initial deployment"
            " only, “the main node at the current moment” is %(key)s.",
            key=PRIMARY_KEY,
        ),
        (_agree(situation, who),),
    )


def _able(situation: Situation, who: Roles) -> Step:
    path = situation.storage
    return Step(
        key=step_key(situation, "able", who.host),
        node=who.host,
        title=say("Look at the database and the storage of %(host)s", host=who.host),
        argv=("sh", "-c", _LOOK, "clusterpanel", path),
        proof=Proof("primary_able", (who.host, path)),
        timeout_s=60,
        proof_timeout_s=30,
    )


def _stop(situation: Situation, host: str) -> Step:
    workers = situation.workers
    return Step(
        key=step_key(situation, "stop", host),
        node=host,
        title=say("Stop the background workers on %(host)s", host=host),
        argv=("sh", "-c", workers.stop),
        proof=Proof("workers_stopped", (host, workers.check)),
        timeout_s=120,
    )


def _start(situation: Situation, who: Roles) -> Step:
    workers = situation.workers
    return Step(
        key=step_key(situation, "start", who.host),
        node=who.host,
        title=say("Start the background workers on %(host)s", host=who.host),
        argv=("sh", "-c", workers.start),
        proof=Proof("workers_running", (who.host, workers.check)),
        timeout_s=120,
    )


def _write(situation: Situation, who: Roles, host: str) -> Step:
    path, line = situation.env_path, f"{PRIMARY_KEY}={who.host}"
    return Step(
        key=step_key(situation, "primary", host),
        node=host,
        title=say("Write %(line)s into .env on %(host)s", line=line, host=host),
        argv=("sh", "-c", WRITE, "clusterpanel", path, line),
        proof=Proof("env_equals", (host, path, line)),
        timeout_s=60,
        proof_timeout_s=30,
        stdin="env_file",
    )


def _agree(situation: Situation, who: Roles) -> Step:
    path = situation.env_path
    hosts = tuple(h + FENCED if h in who.away else h for h in situation.settings.hosts)
    return Step(
        key=step_key(situation, "agree", who.host),
        node=who.host,
        title=say("Read whom every server names the primary"),
        argv=("sh", "-c", _READ_AGAIN, "clusterpanel", path),
        proof=Proof("primary_agreed", (path, who.host, *hosts)),
        timeout_s=60,
        proof_timeout_s=60,
    )


def _gates(situation: Situation, who: Roles) -> Iterable[Gate]:
    if situation.primary in who.away:
        yield Gate("off", "typed", situation.primary, _off(situation))
    others = [h for h in who.away if h != situation.primary]
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


def _off(situation: Situation) -> Text:
    return say(
        "%(host)s does not answer, so it cannot be told. Confirm that it is switched off, or cut off"
        " from the equipment and from the other servers: else two servers do the background work.",
        host=situation.primary,
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
