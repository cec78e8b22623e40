"""What will be done: the exact ordered steps of a procedure, as plain data.

A plan is made by a pure planner, shown to a person, and only that plan runs: its `hash` covers
every command, proof and gate (law 2).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nodes.domain.text import Text

RUN_TOKEN = "{run}"

GateKind = Literal["backup", "typed", "accept", "override"]


@dataclass(frozen=True)
class Proof:
    """Which check proves a step's effect: a name of `operations.domain.proofs` and its arguments."""

    name: str
    args: tuple[str, ...] = ()


@dataclass(frozen=True)
class Guard:
    """What must be true in the moment a step begins: a name of `operations.domain.guards`."""

    name: str = ""
    args: tuple[str, ...] = ()


NO_GUARD = Guard()


@dataclass(frozen=True)
class Step:
    """One command on one node, with the proof of its effect.

    `key` is unique in the plan and safe in a file name: it names the job's directory on the node.
    `argv` is run as it stands after `{run}` became the run's id. `stdin` names what the runtime
    feeds to the command (a file too large or too secret to be an argument), "" for a closed input.
    A step that takes longer than `timeout_s` is reported and goes on: nothing is killed by a clock.
    `records` names what a success leaves in the panel's own books, for example "backup:database".
    `guard` is judged by a new look at the servers right before every try to start it.
    `moment`: its proof told of a moment ("nothing waits for healing"), which nobody asks to be true
    for ever; a resumed run does not prove it again, the guards of the steps that are left do.
    """

    key: str
    node: str
    title: Text
    argv: tuple[str, ...]
    proof: Proof
    timeout_s: int = 1800
    proof_timeout_s: int = 60
    overwrites: bool = False
    stdin: str = ""
    records: str = ""
    guard: Guard = NO_GUARD
    moment: bool = False

    def argv_for(self, run_id: str) -> tuple[str, ...]:
        return tuple(arg.replace(RUN_TOKEN, run_id) for arg in self.argv)

    def proof_for(self, run_id: str) -> Proof:
        """The proof with `{run}` replaced in its arguments, as in `argv_for`."""
        return Proof(self.proof.name, tuple(a.replace(RUN_TOKEN, run_id) for a in self.proof.args))


@dataclass(frozen=True)
class Stage:
    """Steps that belong together; they run on one node at a time, in this order (law 3).

    `together`: they are independent, one to a node, and begin at the same time; what comes after
    begins when each of them is proven.
    """

    key: str
    title: Text
    why: Text
    steps: tuple[Step, ...]
    together: bool = False


@dataclass(frozen=True)
class Gate:
    """What a person must confirm before the run may start.

    backup: a verified backup of `subject` ("database" or "storage"), or a waiver with a typed name
    and a reason; typed: `subject` must be typed; accept: a tick under the sentence `why`; override: a
    refusal that is overridden, `why` says what is lost; needs the role, a typed name and a reason.
    """

    id: str
    kind: GateKind
    subject: str
    why: Text


@dataclass(frozen=True)
class PendingFence:
    """A server that cannot be told now and will be when it answers (law 11): opened with the run.

    `names` is whom its `.env` names as far as the panel knows, "" when it does not.
    """

    host: str
    names: str
    why: Text


@dataclass(frozen=True)
class Plan:
    """The ordered stages, the gates before them, and what the person should know.

    `primary`: the start of the run makes it the primary of the panel's settings, as revision
    `settings_revision`, together with `fences`; "" leaves the settings as they are.
    """

    procedure: str
    title: Text
    settings_revision: int
    stages: tuple[Stage, ...]
    gates: tuple[Gate, ...] = ()
    warnings: tuple[Text, ...] = ()
    primary: str = ""
    fences: tuple[PendingFence, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for stage in self.stages for step in stage.steps)

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(step.node for step in self.steps))

    @property
    def hash(self) -> str:
        """SHA-256 (hex) over the canonical JSON of everything in the plan."""
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def step(self, key: str) -> Step:
        return next(step for step in self.steps if step.key == key)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        return cls(
            procedure=data["procedure"],
            title=_text(data["title"]),
            settings_revision=data["settings_revision"],
            stages=tuple(_stage(stage) for stage in data["stages"]),
            gates=tuple(Gate(**{**gate, "why": _text(gate["why"])}) for gate in data["gates"]),
            warnings=tuple(_text(warning) for warning in data["warnings"]),
            # Plans that were stored before these two existed have neither.
            primary=data.get("primary", ""),
            fences=tuple(
                PendingFence(**{**fence, "why": _text(fence["why"])})
                for fence in data.get("fences", ())
            ),
        )


def _stage(data: Mapping[str, Any]) -> Stage:
    return Stage(
        data["key"],
        _text(data["title"]),
        _text(data["why"]),
        tuple(_step(step) for step in data["steps"]),
        data.get("together", False),
    )


def _step(data: Mapping[str, Any]) -> Step:
    proof = Proof(data["proof"]["name"], tuple(data["proof"]["args"]))
    told = data.get("guard", {"name": "", "args": ()})  # older plans have none
    plain = {**data, "title": _text(data["title"]), "argv": tuple(data["argv"]), "proof": proof}
    return Step(**{**plain, "guard": Guard(told["name"], tuple(told["args"]))})


def _text(data: Mapping[str, Any]) -> Text:
    return Text.from_json(data)
