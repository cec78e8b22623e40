"""What a person answered on the plan page, in the shape that `services.run_start` takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clusterpanel.typed import number_in
from operations.domain.plan import Gate, Plan

WAIVE = "waive"


@dataclass
class GateAnswer:
    """The answer to one gate as it came from the form; also what the form shows again.

    `choice` is a backup's id or "waive". What was typed to confirm is never shown again: a person
    types it anew for every attempt.
    """

    gate: Gate
    choice: str = ""
    reason: str = ""
    typed: str = ""
    password: str = field(default="", repr=False)
    accepted: bool = False
    problems: list[Any] = field(default_factory=list)

    @classmethod
    def read(cls, gate: Gate, data: Mapping[str, Any]) -> GateAnswer:
        def value(name: str) -> str:
            return str(data.get(f"gate-{gate.id}-{name}", ""))

        choice, reason, typed = value("choice"), value("reason"), value("typed")
        return cls(gate, choice, reason, typed, value("password"), value("accept") == "on")

    def confirmation(self) -> dict[str, Any] | None:
        """None: not answered; the service then says so near the gate."""
        match self.gate.kind:
            case "accept":
                return {"accept": True} if self.accepted else None
            case "typed":
                return {"typed": self.typed} if self.typed else None
            case "override":
                given = self.typed or self.reason.strip()
                return {"waiver": self._waiver()} if given else None
        if self.choice == WAIVE:
            return {"waiver": self._waiver()}
        backup = number_in(self.choice)
        return None if backup is None else {"backup": backup}

    def _waiver(self) -> dict[str, str]:
        said = {"typed": self.typed, "reason": self.reason.strip()}
        return {**said, "password": self.password} if self.password else said


def gate_answers(plan: Plan, data: Mapping[str, Any]) -> list[GateAnswer]:
    return [GateAnswer.read(gate, data) for gate in plan.gates]


def confirmations(answers: list[GateAnswer]) -> dict[str, Any]:
    answered = {answer.gate.id: answer.confirmation() for answer in answers}
    return {gate: answer for gate, answer in answered.items() if answer is not None}
