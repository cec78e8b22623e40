"""The stages of a change of the primary, in the order of law 11."""

from __future__ import annotations

from collections.abc import Iterable

from nodes.domain.peers import PRIMARY_KEY
from nodes.domain.text import say
from nodes.env_file_script import WRITE
from operations.domain.plan import Proof, Stage, Step
from operations.domain.planners import apply_command
from operations.domain.planners.common import step_key
from operations.domain.planners.primary_roles import Roles
from operations.domain.proofs.primary import FENCED
from operations.domain.situation import Situation

_LOOK = r"""
findmnt -n --mountpoint "$(realpath -m -- "$1")"
client=$(command -v mariadb || command -v mysql) &&
    "$client" --connect-timeout=5 -NBe "SHOW GLOBAL STATUS LIKE 'wsrep_local_state_comment'"
:
"""
_READ_AGAIN = r"""grep -a "CLUSTER_PRIMARY_HOST" -- "$1"; :"""


def stages(situation: Situation, who: Roles) -> Iterable[Stage]:
    """In their order; one that has nothing to do is empty."""
    yield from _before(situation, who)
    yield from _writing(situation, who)
    yield from _after(situation, who)


def _before(situation: Situation, who: Roles) -> Iterable[Stage]:
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


def _writing(situation: Situation, who: Roles) -> Iterable[Stage]:
    to_write = who.to_write()
    old = [host for host in to_write if host in who.old]
    others = [host for host in to_write if host not in who.old and host != who.host]
    new = [host for host in to_write if host == who.host]
    yield Stage(
        "old",
        say("Write the old primary first"),
        say("From here on nobody does the background work, until the new primary is written."),
        tuple(_write(situation, who, host) for host in old),
    )
    yield _apply("old-apply", situation, who, old)
    yield Stage(
        "others",
        say("Write the other servers"),
        say("Each reads its own .env."),
        tuple(_write(situation, who, host) for host in others),
    )
    yield Stage(
        "new",
        say("Write the new primary last"),
        say("It begins the background work when nobody else does it any more."),
        tuple(_write(situation, who, host) for host in new),
    )
    yield _apply("new-apply", situation, who, [host for host in to_write if host not in old])


def _apply(key: str, situation: Situation, who: Roles, hosts: list[str]) -> Stage:
    """On the old primary before the new one is written: it may go by what it read earlier."""
    line = f"{PRIMARY_KEY}={who.host}"
    steps = [apply_command.step(situation, host, (line,)) for host in hosts]
    return Stage(
        key,
        say("Make dpiui2 read it"),
        say("dpiui2 keeps what it once read from .env."),
        tuple(steps) if situation.apply_command else (),
    )


def _after(situation: Situation, who: Roles) -> Iterable[Stage]:
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
