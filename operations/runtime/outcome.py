"""What performing an effect led to: events for the machine, and what a person should know."""

from __future__ import annotations

from dataclasses import dataclass

from operations.domain.machine import CancelAsked, Claimed, Event
from operations.runtime.store import NOTHING, Note


@dataclass(frozen=True)
class Outcome:
    events: tuple[Event, ...]
    note: Note = NOTHING


# A person asked to cancel while an effect was under way: note it, then ask what to do now.
CANCEL_SEEN = Outcome((CancelAsked(), Claimed()))
