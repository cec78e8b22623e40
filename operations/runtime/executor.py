"""The only loop: ask the machine what to do, do it, store what happened, ask again.

It decides nothing. What the machine wants done at once is done at once, in threads; everything that
came of it is told when the last of them is back, one event after the other. Any number of workers may
execute the same run at the same time: one gets the lease, the others return at once; a worker that
lost its lease stops without a word.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from django.db import Error as DatabaseError
from django.db import connection

from nodes.domain.text import Text, say
from operations.domain.machine import (
    ACTIVE,
    Begin,
    CancelAsked,
    Claimed,
    Effect,
    End,
    Event,
    Life,
    NodeLost,
    Prove,
    Proven,
    RunState,
    StepState,
    Stop,
    advance,
)
from operations.models import Run
from operations.runtime import lease as leases
from operations.runtime import store
from operations.runtime.lease import Lease, LeaseLost
from operations.runtime.outcome import Outcome
from operations.runtime.perform import Performer
from operations.runtime.ports import Ports
from operations.runtime.run_lock import signs_of_life
from operations.runtime.store import NOTHING, Note

log = logging.getLogger(__name__)
_FAILED = frozenset({StepState.FAILED, StepState.CANCELLED, StepState.UNKNOWN})


def execute(run_id: str, ports_for: Callable[[Run], Ports]) -> None:
    """Drive the run to its end if nobody else does. Returns when it is over or is no longer ours."""
    lease = leases.claim(run_id)
    if lease is None:
        return
    with leases.kept(lease):
        try:
            run = Run.objects.select_related("cluster", "started_by").get(pk=run_id)
            ports = ports_for(run)
            with signs_of_life(ports, run, lease.lost):
                Executor(lease, run, ports).drive()
        except LeaseLost:
            log.info("run %s is driven by another worker now", run_id)
        except DatabaseError:
            # Nothing can be stored now; the lease runs out and the reconciler takes the run again.
            log.exception("run %s: the panel's database failed", run_id)


class Executor:
    """Drives one claimed run."""

    def __init__(self, lease: Lease, run: Run, ports: Ports) -> None:
        self._lease, self._run, self._ports = lease, run, ports
        self._performer = Performer(lease, run, ports)
        self._life = store.load(run.pk, _groups(run))
        self._lost: list[str] = []
        self._why = NOTHING  # of the step that ends the run; others of its group may come after it

    def drive(self) -> None:
        outcomes = [Outcome((Claimed(),))]
        while wanted := self._wanted(outcomes):
            outcomes = self._at_once(wanted)

    def _wanted(self, outcomes: list[Outcome]) -> dict[Effect, Life]:
        """What is to be done next, each with the life before it."""
        wanted: dict[Effect, Life] = {}
        for event, note in _in_order(outcomes):
            if self._life.state not in ACTIVE:
                break
            before, effects = self._life, self._advance(event, note)
            known = {} if isinstance(event, Claimed) else wanted
            wanted = {**known, **{effect: wanted.get(effect, before) for effect in effects}}
        if wanted or self._life.state not in ACTIVE:
            return wanted
        before = self._life
        return dict.fromkeys(self._advance(Claimed(), NOTHING), before)

    def _at_once(self, wanted: Mapping[Effect, Life]) -> list[Outcome]:
        if len(wanted) == 1:
            return [self._perform(effect, before) for effect, before in wanted.items()]
        with ThreadPoolExecutor(len(wanted), f"run {self._run.pk}") as threads:
            found = [threads.submit(self._in_thread, *each) for each in wanted.items()]
        return [each.result() for each in found]

    def _in_thread(self, effect: Effect, before: Life) -> Outcome:
        try:
            return self._perform(effect, before)
        finally:
            connection.close()

    def _advance(self, event: Event, note: Note) -> tuple[Effect, ...]:
        """Store what the event changes, then say so."""
        before = self._life
        after, effects = advance(before, event)
        ends = next((effect.state for effect in effects if isinstance(effect, End)), None)
        if isinstance(event, NodeLost):
            self._lost.append(event.step)
        if _failed(after, event):
            self._why = note
        if ends is not None:
            self._performer.leave(lost=self._lost)
        sentence = _sentence(ends, note if self._why is NOTHING else self._why) if ends else None
        newest = store.save(
            self._lease,
            before,
            after,
            note,
            sentence=sentence,
            also=partial(self._write, event, note, ends, sentence),
        )
        self._life = after
        if newest:
            self._ports.notify(self._run.pk, newest)
        return effects

    def _write(
        self, event: Event, note: Note, ends: RunState | None, sentence: Text | None
    ) -> None:
        """Into the panel's books: what a proven step left, and how the run ended."""
        step = self._run.plan.step(event.step) if isinstance(event, Proven) else None
        if step is not None and step.records:
            self._ports.record(self._run, step, note.data)
        if ends is not None:
            self._ports.ended(self._run, ends, sentence)

    def _perform(self, effect: Effect, before: Life) -> Outcome:
        match effect:
            case End():
                return Outcome(())
            case Begin(key, attempt):
                known = next(step for step in before.steps if step.key == key)
                fresh = known.attempt != attempt
                act = partial(self._performer.begin, effect, fresh=fresh)
            case Prove(key):
                act = partial(self._performer.prove, key)
            case Stop(key, attempt):
                act = partial(self._performer.stop, key, attempt)
        return self._guarded(act, effect.step)

    def _guarded(self, act: Callable[[], Outcome], step: str) -> Outcome:
        """A defect of ours must not leave a run that never ends, nor one that lies."""
        try:
            return act()
        except (LeaseLost, DatabaseError):
            raise
        except Exception as error:
            log.exception("run %s, step %s: a defect", self._run.pk, step)
            text = say(
                "The panel itself failed here (%(error)s); its log has the details. What the step"
                " did on the node is not known: resume looks at it again.",
                error=type(error).__name__,
            )
            return Outcome((NodeLost(step),), Note(text))


def _groups(run: Run) -> dict[str, str]:
    together = [stage for stage in run.plan.stages if stage.together]
    return {step.key: stage.key for stage in together for step in stage.steps}


def _in_order(outcomes: Iterable[Outcome]) -> list[tuple[Event, Note]]:
    """What became of the steps first; what several of them saw, a wish to cancel, once and last."""
    told = [(event, each.note) for each in outcomes for event in each.events]
    asks = {event: note for event, note in told if isinstance(event, CancelAsked | Claimed)}
    steps = [(event, note) for event, note in told if event not in asks]
    return [*steps, *asks.items()]


def _failed(life: Life, event: Event) -> bool:
    key = getattr(event, "step", "")
    return any(step.key == key and step.state in _FAILED for step in life.steps)


def _sentence(ends: RunState, note: Note) -> Text | None:
    if ends is RunState.SUCCEEDED:
        return say("Every step has succeeded, and its effect was read from the nodes.")
    return note.text
