"""One run, one blow at a random moment of its life, and what was true in the end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random

from chaos import books, consoles
from chaos.books import Glance
from chaos.plan import LINES, PAUSE_S, Chosen
from chaos.sites import Site
from chaos.strike import Blow
from chaos.task import CANCEL
from chaos.truth import Complaint, complaints
from operations.domain.life import StepState

ENDS_WITHIN_S = 90
LOOK_S = 0.005
TALK_S = LINES * PAUSE_S
LIFE_S = 3.0


@dataclass
class Result:
    """How one trial went; crosses to the coordinator as JSON.

    `hit`: what was killed drove the run. `taken_over_s`: from the kill until another worker had the
    lease; `attached_s`: until it said on the page that it is attached to the running job again.
    """

    number: int
    victim: str
    point: str
    run: str = ""
    state: str = ""
    sentence: str = ""
    took_s: float = 0.0
    hit: bool = False
    taken_over_s: float | None = None
    attached_s: float | None = None
    complaints: list[Complaint] = field(default_factory=list)


class Trial:
    """Everything random comes from `rng`, so that a trial can be had again by its seed and number."""

    def __init__(
        self, site: Site, cluster: int, chosen: Chosen, rng: Random, *, deliver_late: bool
    ) -> None:
        self._site, self._cluster, self._chosen = site, cluster, chosen
        self._rng, self._deliver_late = rng, deliver_late
        self.run = ""
        self._owner, self._fence = "", 0
        self._struck_at: float | None = None
        self._hit = False
        self._taken_over_at: float | None = None

    def go(self, result: Result, blow: Blow) -> Result:
        """Start, strike at the point of `result`, wait for the end, and judge."""
        began = time.monotonic()
        first = result.point == "claim" and result.victim != CANCEL and self._rng.random() < 0.5
        if first:  # nobody is there to claim it
            self._strike(blow)
        self.run = result.run = books.start(self._cluster, self._chosen.plan)
        if not first:
            self._wait_for_point(result.point)
            self._strike(blow)
        if self._deliver_late:
            books.deliver_again(self.run)
        end = self._wait_for_end()
        result.took_s = time.monotonic() - began
        self._judge(result, end)
        return result

    def _strike(self, blow: Blow) -> None:
        if self.run:
            self._look()
        self._struck_at = time.time()
        self._hit = blow(self._owner)

    def _look(self) -> Glance:
        seen = books.glance(self.run)
        if self._struck_at is None:
            self._owner, self._fence = seen.owner, seen.fence
        elif seen.fence > self._fence and self._taken_over_at is None:
            self._taken_over_at = time.time()
        return seen

    def _wait_for_point(self, point: str) -> None:
        """Returns at that point of the run's life, or when the run is over before."""
        step = self._rng.randrange(len(self._chosen.plan.steps))
        delay = self._rng.uniform(
            0, {"claim": 0.03, "output": TALK_S, "any": LIFE_S}.get(point, 0.1)
        )
        deadline = time.monotonic() + ENDS_WITHIN_S
        while not _reached(point, step, seen := self._look()) and not seen.over:
            if time.monotonic() > deadline:
                return
            time.sleep(LOOK_S)
        time.sleep(delay)

    def _wait_for_end(self) -> Glance:
        deadline = time.monotonic() + ENDS_WITHIN_S
        while not (seen := self._look()).over and time.monotonic() < deadline:
            time.sleep(LOOK_S * 4)
        return seen

    def _judge(self, result: Result, end: Glance) -> None:
        result.state, result.hit = end.state, self._hit
        result.sentence = books.sentence(self.run)
        steps = books.told(self.run)
        nodes = consoles.said(self._site, self.run, self._chosen.plan, self._chosen.effects)
        result.complaints = complaints(end.state, steps, nodes)
        if self._struck_at is not None and self._hit:
            if self._taken_over_at:
                result.taken_over_s = self._taken_over_at - self._struck_at
            times = [at.timestamp() - self._struck_at for at in books.attached(self.run).values()]
            result.attached_s = next((after for after in times if after > 0), None)
        if not end.over:
            books.give_up(self.run)
        consoles.clean(self._site, self.run)


_BEGUN = frozenset(StepState) - {StepState.PENDING}
_PROVING = _BEGUN - {StepState.RUNNING}


def _reached(point: str, step: int, seen: Glance) -> bool:
    state, size = seen.steps[step]
    return {
        "claim": True,
        "any": True,
        "start": state in _BEGUN,
        "output": size > 0,
        "proof": state in _PROVING,
        "end": seen.steps[-1][0] in _PROVING,
    }[point]
