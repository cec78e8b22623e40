"""What a proof is: questions to the nodes, and a pure judgement of their answers (law 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from nodes.domain.text import Text, say


class Answer(Protocol):
    """What a probe left on a node; `nodes.transport.base.Output` is one."""

    @property
    def exit_code(self) -> int: ...
    @property
    def stdout(self) -> bytes: ...
    @property
    def stderr(self) -> bytes: ...


class Probe(NamedTuple):
    """One POSIX shell script for one node; the arguments are positional and are data."""

    host: str
    script: str
    args: tuple[str, ...]


@dataclass(frozen=True)
class Holds:
    """The effect was read from the nodes. `evidence` is what was read, ready for JSON."""

    evidence: Mapping[str, Any]
    sentence: Text


@dataclass(frozen=True)
class NotYet:
    """The effect was not seen, or a node could not be asked: ask again until the time is over.

    What moves is waited for however long it takes: the time begins again whenever `received`
    (bytes of a node's data directory) or `written` (bytes that the transfer's processes wrote) is
    another than before, or `left` (files that wait for healing) is fewer than ever. None: nothing
    of the kind goes on. `remedy`: a person can do something about it, so it is not waited for long.
    """

    sentence: Text
    received: int | None = None
    left: int | None = None
    written: int | None = None
    remedy: bool = False


@dataclass(frozen=True)
class Never:
    """Waiting cannot help: the answer is final."""

    sentence: Text


Verdict = Holds | NotYet | Never
Args = tuple[str, ...]
# A node that could not be asked answers with the sentence that says why.
Outputs = Mapping[str, Answer | Text]


@dataclass(frozen=True)
class ProofKind:
    """One way to prove an effect.

    `sentence(args)` says what will be proven; `probes(args, node, hosts)` is asked in that order,
    one probe a host, each at most `probe_timeout_s` seconds; `judge(args, outputs)` decides.
    """

    sentence: Callable[[Args], Text]
    probes: Callable[[Args, str, tuple[str, ...]], tuple[Probe, ...]]
    judge: Callable[[Args, Outputs], Verdict]
    probe_timeout_s: float = 30


def heard(outputs: Outputs, host: str) -> Answer | NotYet:
    """What `host` answered; silence is never an effect, so it means: not yet (law 9)."""
    answer = outputs.get(host)
    if answer is None:
        return NotYet(say("%(host)s was not asked.", host=host))
    return NotYet(answer) if isinstance(answer, Text) else answer


def first_line(answer: Answer) -> str:
    """The first line that explains a failure, to be put into a sentence."""
    text = (answer.stderr or answer.stdout).decode(errors="replace").strip()
    return text.splitlines()[0][:300].rstrip(".") if text else f"exit code {answer.exit_code}"


def pairs(answer: Answer) -> dict[str, str]:
    """`key=value` lines of a probe of ours."""
    lines = answer.stdout.decode(errors="replace").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)
