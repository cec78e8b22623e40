"""The detached process of one step on its node: start or attach, follow, stop (laws 5 and 6).

Everything about a job lies in its directory on the node; the panel keeps nothing that it could lose.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from nodes.domain.text import say
from nodes.transport.base import Command, CommandTimeout, Stream, Transport, script
from operations.runtime import scripts
from operations.runtime.frames import Answer, Frames, first_answer, new_nonce

ROOT = "/var/lib/clusterpanel"
SPARE = "/run/clusterpanel"  # memory: takes an exit code that the disk cannot
STOP_GRACE_S = 5
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME = 200  # a file name holds 255 bytes, and so does the name of a unit


@dataclass(frozen=True)
class Place:
    """Where jobs live on a node. `manager` "setsid" does without systemd even if it runs."""

    root: str = ROOT
    spare: str = SPARE
    manager: str = "auto"


@dataclass(frozen=True)
class Job:
    """One attempt of one step of one run."""

    run: str
    step: str
    node: str
    attempt: int
    argv: tuple[str, ...]
    stdin: bytes | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Names the directory and the unit; file-name safe, and equal for equal jobs only."""
        return self._name(self.attempt)

    @property
    def earlier(self) -> str:
        return self._name(self.attempt - 1) if self.attempt > 1 else ""

    def _name(self, attempt: int) -> str:
        plain = f"{self.run}-{self.step}-{self.node.replace('.', '_')}"
        name = _UNSAFE.sub("_", plain)
        if name != plain or len(name) > _LONGEST_NAME:
            digest = hashlib.sha256(f"{self.step} {self.node}".encode()).hexdigest()[:8]
            name = f"{name[:_LONGEST_NAME]}-{digest}"
        return name if attempt == 1 else f"{name}.{attempt}"

    @property
    def command(self) -> str:
        return f"exec {Command(self.argv).line}"


class Begun(StrEnum):
    """What the node said to a start."""

    STARTED = "started"
    ATTACHED = "attached"
    ABSENT = "absent"  # asked to attach only, and there is nothing
    NO_LOCK = "nolock"
    BUSY = "busy"
    NO_SPACE = "nospace"
    NOT_STARTED = "nostart"
    STUCK = "stuck"  # claimed by somebody who died; forbidden now
    SHORT = "short"  # the input did not arrive whole


RUNS = frozenset({Begun.STARTED, Begun.ATTACHED})


@dataclass(frozen=True)
class Head:
    begun: Begun
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tail:
    """How the job stands after the last byte. `free_kb` None: unknown."""

    state: str  # ended, running, vanished, rebooted
    exit_code: int | None
    size: int
    free_kb: int | None


@dataclass(frozen=True)
class Stopped:
    """`state`: stopped, left, ended, absent; `left` are the process ids that would not go."""

    state: str
    exit_code: int | None = None
    left: tuple[str, ...] = ()


Part = bytes | Head | Tail


class Following:
    """One attachment to a job: parts of its log, with the node's own words around them."""

    def __init__(self, stream: Stream, nonce: str) -> None:
        self._stream, self._frames = stream, Frames(nonce)
        self.over = False  # no more will come, and not everything needs to have come
        self._begun = False

    def read(self, timeout_s: float) -> list[Part]:
        """What came next, [] if nothing did in time. Raises TransportError."""
        data = self._stream.read(timeout_s)
        self.over = data == b""
        return [part for raw in self._frames.feed(data or b"") if (part := self._part(raw))]

    def _part(self, raw: bytes | Answer) -> Part | None:
        if isinstance(raw, bytes):
            return raw if self._begun else None  # what a login script printed
        if raw.kind == "HEAD":
            self._begun = True
            return Head(Begun(raw.word(0)), raw.words[1:])
        return _tail(raw)


def _tail(answer: Answer) -> Tail:
    state, code, size, free = (*answer.words, "-", "-", "-", "-")[:4]
    return Tail(state, _number(code), _number(size) or 0, _number(free))


def _number(word: str) -> int | None:
    return int(word) if word.isdigit() else None


@contextmanager
def following(
    transport: Transport, place: Place, panel: str, job: Job, *, offset: int, may_start: bool
) -> Generator[Following]:
    """Start the job or attach to it, and follow its log from byte `offset` on, in one call."""
    nonce, hidden = new_nonce(), new_nonce()
    size = "-" if job.stdin is None else str(len(job.stdin))
    command = script(
        scripts.START,
        *(nonce, place.root, place.spare, panel, job.run, job.name, str(offset)),
        *("start" if may_start else "attach", place.manager, size),
        *(job.earlier, scripts.RUNNER, job.command),
        stdin=f"{hidden}\n".encode() + (job.stdin or b""),
    )
    with transport.stream(command) as stream:
        yield Following(stream, nonce + hidden)


def stop(transport: Transport, place: Place, job: Job) -> Stopped:
    """Stop the job with everything it started; it is said what is left. Raises TransportError."""
    nonce = new_nonce()
    arguments = (nonce, place.root, place.spare, job.name, str(STOP_GRACE_S))
    output = transport.run(script(scripts.STOP, *arguments, timeout_s=STOP_GRACE_S + 40))
    answer = first_answer(nonce, output.stdout)
    if answer is None:
        raise silent(job.node, output.stderr)
    state = answer.word(0)
    if state == "ended":
        return Stopped(state, _number(answer.word(1)))
    return Stopped(state, left=answer.words[1:])


def seen(transport: Transport, place: Place, job: Job) -> str:
    """alive, over or absent, as the node says now. Raises TransportError."""
    nonce = new_nonce()
    output = transport.run(script(scripts.SEEN, nonce, place.root, job.name))
    answer = first_answer(nonce, output.stdout)
    if answer is None:
        raise silent(job.node, output.stderr)
    return answer.word(0)


def silent(node: str, stderr: bytes) -> CommandTimeout:
    """Our script ended without an answer: the node cannot run it now."""
    return CommandTimeout(
        say(
            "%(node)s gave no answer to our script: %(error)s",
            node=node,
            error=stderr.decode(errors="replace").strip()[-300:] or "-",
        ),
        say("Look whether the node has memory and disk space left and runs commands at all."),
    )
