"""The answer "no", as a first-class value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nodes.domain.text import Text


@dataclass(frozen=True)
class Refusal:
    """Why something will not be done, and what to do instead.

    `code` is stable and belongs to the API; `why` and `fix` are sentences for a person;
    `evidence` is what was seen, by name; `field` is the form field at fault, if there is one.
    """

    code: str
    why: Text
    fix: Text
    evidence: Mapping[str, Any] = field(default_factory=dict)
    field: str = ""


class Refused(Exception):
    """Carries refusals through the services; pages and the API show them, nobody logs a traceback."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__("; ".join(f"{r.code}: {r.why}" for r in refusals))
        self.refusals = refusals

    @property
    def first(self) -> Refusal:
        return self.refusals[0]
