"""The lock on the nodes: one run of one panel at a time, whoever else knows the root password (law 1)."""

from __future__ import annotations

from dataclasses import dataclass

from nodes.domain.text import Text, say
from nodes.transport.base import Transport, script
from operations.domain.abandonment import AtWork, Locked, NoLock, Sign
from operations.runtime import scripts
from operations.runtime.frames import Answer, first_answer, new_nonce
from operations.runtime.jobs import Place, silent

ANY_BEAT = "any"


@dataclass(frozen=True)
class Claim:
    """Who wants the node. `since` is ISO 8601; every word is one line in the lock's directory.

    `nodes` are all nodes that the run takes; after `limit_s` seconds without a sign of life on any
    of them another panel may call the run abandoned.
    """

    panel: str
    run: str
    since: str
    user: str
    nodes: tuple[str, ...] = ()
    limit_s: int = 900


@dataclass(frozen=True)
class Held:
    """Somebody else has the node. `nodes` is empty when the lock does not say them."""

    panel: str
    run: str
    since: str
    user: str
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Left:
    """A lock to be put aside, if its last sign of life is still `beat`."""

    panel: str
    run: str
    beat: str = ANY_BEAT


@dataclass(frozen=True)
class Busy:
    """A job of another run is still at work there."""

    job: str


@dataclass(frozen=True)
class NoSpace:
    free_kb: str
    error: str


Taken = None | Held | Busy | NoSpace


def take(
    transport: Transport, place: Place, claim: Claim, *, replaces: Left | None = None
) -> Taken:
    """None: the node is ours. `replaces` was left by a run that is over. Raises TransportError."""
    nonce = new_nonce()
    left = replaces or Left("", "", "-")
    words = (claim.panel, claim.run, claim.since, claim.user, str(claim.limit_s))
    lines = (" ".join(word.split()) for word in (*words, ",".join(claim.nodes) or "-"))
    old = (left.panel, left.run, left.beat)
    command = script(scripts.LOCK, nonce, place.root, place.spare, *lines, *old, timeout_s=20)
    output = transport.run(command)
    answer = first_answer(nonce, output.stdout)
    if answer is None:
        raise silent(transport.target.host, output.stderr)
    return _taken(answer)


def _taken(answer: Answer) -> Taken:
    match answer.word(0):
        case "taken":
            return None
        case "busy":
            return Busy(answer.word(1))
        case "nospace":
            return NoSpace(answer.word(1), answer.rest(2))
    user, _, panel = answer.rest(4).partition("|")
    nodes = tuple(host for host in answer.word(3).split(",") if host not in ("", "-"))
    return Held(panel, answer.word(1), answer.word(2), user, nodes)


def beat(transport: Transport, place: Place, claim: Claim) -> bool:
    """Leave a sign of life; False if the lock is not ours. Raises TransportError."""
    nonce = new_nonce()
    panel = " ".join(claim.panel.split())
    output = transport.run(script(scripts.BEAT, nonce, place.root, panel, claim.run))
    answer = first_answer(nonce, output.stdout)
    return answer is not None and answer.word(0) == "kept"


def signs(transport: Transport, place: Place, held: Held) -> Sign:
    """What there is of the holder's run on this node. Raises TransportError."""
    nonce = new_nonce()
    command = script(scripts.SIGNS, nonce, place.root, place.spare, held.panel, held.run)
    output = transport.run(command)
    answer = first_answer(nonce, output.stdout)
    if answer is None:
        raise silent(transport.target.host, output.stderr)
    match answer.word(0):
        case "busy":
            return AtWork(answer.word(1))
        case "none":
            return NoLock()
    return Locked(_number(answer.word(1)), _number(answer.word(2)), answer.rest(3))


def _number(word: str) -> int | None:
    return int(word) if word.isdigit() else None


def release(transport: Transport, place: Place, claim: Claim) -> bool:
    """True if the node is free of this run now. Raises TransportError."""
    nonce = new_nonce()
    panel = " ".join(claim.panel.split())
    output = transport.run(script(scripts.UNLOCK, nonce, place.root, panel, claim.run))
    answer = first_answer(nonce, output.stdout)
    return answer is not None and answer.word(0) == "free"


def sentence(node: str, found: Held | Busy | NoSpace, reason: Text | None = None) -> Text:
    """Why nothing was started on the node, and what to do; `reason` tells why it is not taken over."""
    match found:
        case Held():
            return say(
                "%(node)s is in use: panel “%(panel)s” has been running %(run)s there for %(user)s"
                " since %(since)s. Wait until that run is over. %(reason)s",
                node=node,
                panel=found.panel or "?",
                run=found.run,
                user=found.user,
                since=found.since,
                reason=reason or "",
            )
        case Busy():
            return say(
                "On %(node)s the job %(job)s of another run is still at work. Wait until it ends,"
                " or resume and cancel that run.",
                node=node,
                job=found.job,
            )
    return no_space(node, found.free_kb, found.error)


def no_space(node: str, free_kb: str, error: str) -> Text:
    return say(
        "%(node)s cannot write to /var/lib/clusterpanel (%(free)s KiB free: %(error)s)."
        " Nothing was started; free some space and resume.",
        node=node,
        free=free_kb,
        error=error.strip()[-200:],
    )
