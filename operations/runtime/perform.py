"""Performing the machine's effects on the nodes: begin, prove, stop, leave."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from threading import Lock

from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import Text, say
from nodes.transport.base import TransportError
from operations.domain.machine import (
    Begin,
    Event,
    JobEnded,
    JobStopped,
    JobVanished,
    NodeLost,
    NotStarted,
    Unproven,
    WhenUnproven,
)
from operations.domain.plan import Step
from operations.models import Run, RunStep
from operations.runtime import jobs, node_lock, proving, store
from operations.runtime.following import Cancelled, Follower
from operations.runtime.jobs import Begun, Head, Job, Stopped, Tail
from operations.runtime.lease import Lease
from operations.runtime.outcome import CANCEL_SEEN, Outcome
from operations.runtime.ports import Ports
from operations.runtime.run_lock import RunLock
from operations.runtime.silence import Silence, pause, through_cuts
from operations.runtime.store import Note

STOP_PATIENCE_S = 60


class Performer:
    """Does what it is told and reports what came of it, as events."""

    def __init__(self, lease: Lease, run: Run, ports: Ports) -> None:
        self._lease, self._run, self._ports = lease, run, ports
        self._plan = run.plan
        self._lock = RunLock(ports, run, self._tell_node)
        self._locked = False
        self._taking = Lock()  # steps that begin together take the nodes once

    def begin(self, effect: Begin, *, fresh: bool) -> Outcome:
        """Start the job or attach to it. `fresh`: nobody can have started this attempt before."""
        step = self._plan.step(effect.step)
        job = Job(self._run.pk, step.key, step.node, effect.attempt, step.argv_for(self._run.pk))
        try:
            if not fresh and (over := self._attach(step, job)) is not None:
                return over
            if effect.only_attach:
                return Outcome((JobVanished(step.key),))
            return self._start(step, job, fresh=fresh)
        except Cancelled:
            return CANCEL_SEEN
        except TransportError as error:
            return _lost(step, error)

    def _attach(self, step: Step, job: Job) -> Outcome | None:
        """None: there is nothing on the node, so the worker before us died before it could start."""
        found = self._follower(step, job).to_the_end(may_start=False)
        if isinstance(found, Tail):
            return _over(step, found)
        return None if found.begun is Begun.ABSENT else _not_started(step, _why_not(step, found))

    def _start(self, step: Step, job: Job, *, fresh: bool) -> Outcome:
        if fresh and (sentence := self._take_nodes()) is not None:
            return _not_started(step, sentence)
        try:
            job = self._with_input(step, job)
        except Refused as refused:
            return _not_started(step, _refused(refused.first))
        except TransportError as error:
            return _not_started(step, say("Nothing was started: %(why)s", why=error.why))
        gate = _Gate(self._ports, self._run, step)
        follower = self._follower(step, job, gate)
        while True:
            found = follower.to_the_end(may_start=True)
            if isinstance(found, Tail):
                return _over(step, found)
            if gate.refusal is not None:
                return _not_started(step, _refused(gate.refusal))
            if found.begun is not Begun.NO_LOCK:
                return _not_started(step, _why_not(step, found))
            # Released when the run was interrupted, and resumed since; or taken by somebody else.
            if (sentence := self._lock.take_one(step.node)) is not None:
                return _not_started(step, sentence)

    def _take_nodes(self) -> Text | None:
        with self._taking:
            if self._locked:
                return None
            sentence = self._lock.take_all()
            self._locked = sentence is None
            return sentence

    def _with_input(self, step: Step, job: Job) -> Job:
        if not step.stdin:
            return job

        def provide() -> bytes:
            return self._ports.stdin(self._run, step, self._ports.transport(step.node))

        return replace(job, stdin=through_cuts(provide))

    def _follower(self, step: Step, job: Job, gate: _Gate | None = None) -> Follower:
        offset, allowed = self._offset(step), gate.is_open if gate else lambda: True
        return Follower(
            self._lease, self._ports, job, offset, expected_s=step.timeout_s, allowed=allowed
        )

    def _offset(self, step: Step) -> int:
        rows = RunStep.objects.filter(run_id=self._run.pk, key=step.key)
        return int(rows.values_list("log_bytes", flat=True).get())

    def prove(self, key: str) -> Outcome:
        step = self._plan.step(key)
        try:
            outcome = proving.prove(self._lease, self._ports, step)
        except TransportError as error:
            return _lost(step, error)
        return self._with_reason(step, outcome)

    def _with_reason(self, step: Step, outcome: Outcome) -> Outcome:
        """An effect that is not there is explained by what is known of the job, a reboot for example."""
        row = RunStep.objects.get(run_id=self._run.pk, key=step.key)
        unproven = any(isinstance(event, Unproven) for event in outcome.events)
        if not (unproven and row.sentence) or row.when_unproven == WhenUnproven.AGAIN:
            return outcome
        text = say("%(job)s %(proof)s", job=Text.from_json(row.sentence), proof=outcome.note.text)
        return replace(outcome, note=replace(outcome.note, text=text))

    def stop(self, key: str, attempt: int) -> Outcome:
        step = self._plan.step(key)
        job = Job(self._run.pk, step.key, step.node, attempt, step.argv)
        silence = Silence(step.node, STOP_PATIENCE_S, self._ports.longest_pause_s, self._tell)
        while True:
            try:
                stopped = jobs.stop(self._ports.transport(step.node), self._ports.place, job)
            except TransportError as error:
                try:
                    pause(self._lease, silence.broken(error), until_cancelled=False)
                except TransportError:
                    return _lost(step, error)
                continue
            if not stopped.left:
                self._copy_rest(job)
            return _stopped(step, stopped)

    def _copy_rest(self, job: Job) -> None:
        """What the job printed before it died, if the node still tells us."""
        step = self._plan.step(job.step)
        quiet = Lease(self._lease.run_id, self._lease.owner, self._lease.fence, self._lease.lost)
        with suppress(TransportError):
            follower = Follower(quiet, self._ports, job, self._offset(step))
            follower.to_the_end(may_start=False)

    def leave(self, *, lost: Iterable[str] = ()) -> None:
        """Free the nodes, except those of `lost` steps, whose jobs may still be at work there."""
        keep = [self._plan.step(key).node for key in lost]
        for node in self._lock.release(keep=keep):
            self._tell_node(node, "locked", _still_locked(node))

    def _tell(self, state: str, text: Text) -> None:
        self._tell_node("", state, text)

    def _tell_node(self, node: str, state: str, text: Text) -> None:
        event = {"type": "node", "node": node, "state": state, "text": text.to_json()}
        self._ports.notify(self._run.pk, store.say_event(self._lease, event))


class _Gate:
    """Law 4 and the step's guard, asked before every try to start; while it is closed a job is only
    attached to."""

    def __init__(self, ports: Ports, run: Run, step: Step) -> None:
        self._ports, self._run, self._step = ports, run, step
        self.refusal: Refusal | None = None

    def is_open(self) -> bool:
        if self._step.overwrites or self._step.guard.name:
            self.refusal = self._ports.gate(self._run, self._step)
        return self.refusal is None


def _over(step: Step, tail: Tail) -> Outcome:
    """The job is over; what it did is another question."""
    if tail.exit_code is not None:
        note = Note(_exit_sentence(step, tail), tail.exit_code)
        return Outcome((JobEnded(step.key, tail.exit_code),), note)
    return Outcome((JobVanished(step.key),), Note(_vanished_sentence(step, tail)))


def _exit_sentence(step: Step, tail: Tail) -> Text | None:
    plain = {"title": step.title, "node": step.node, "code": tail.exit_code}
    if tail.exit_code == 0 and tail.free_kb != 0:
        return None
    if tail.free_kb == 0:
        return say(
            "“%(title)s” on %(node)s ended with exit code %(code)s, and the disk of %(node)s is"
            " full: the end of its output may be missing.",
            **plain,
        )
    return say("“%(title)s” on %(node)s ended with exit code %(code)s.", **plain)


def _vanished_sentence(step: Step, tail: Tail) -> Text:
    plain = {"title": step.title, "node": step.node}
    if tail.state == "rebooted":
        return say("%(node)s was restarted while “%(title)s” was running there.", **plain)
    if tail.free_kb == 0:
        return say(
            "“%(title)s” on %(node)s is over, but the full disk there took its exit code.", **plain
        )
    return say("“%(title)s” on %(node)s is gone without an exit code: somebody killed it.", **plain)


def _stopped(step: Step, stopped: Stopped) -> Outcome:
    plain = {"title": step.title, "node": step.node}
    event: Event
    match stopped.state:
        case "stopped":
            event = JobStopped(step.key)
            text = say(
                "“%(title)s” on %(node)s was stopped; no process of it is left there.", **plain
            )
        case "ended":
            event = JobEnded(step.key, stopped.exit_code or 0)
            text = say("“%(title)s” on %(node)s had already ended.", **plain)
        case "absent":
            event = NotStarted(step.key)
            text = say("“%(title)s” was never started on %(node)s, and will not be.", **plain)
        case _:
            event = NodeLost(step.key)
            left = ", ".join(stopped.left)
            text = say(
                "“%(title)s” on %(node)s could not be stopped: processes %(left)s are still there.",
                **plain,
                left=left,
            )
    return Outcome((event,), Note(text, stopped.exit_code))


def _lost(step: Step, error: TransportError) -> Outcome:
    return Outcome(
        (NodeLost(step.key),), Note(say("%(why)s %(fix)s", why=error.why, fix=error.fix))
    )


def _not_started(step: Step, sentence: Text) -> Outcome:
    return Outcome((NotStarted(step.key),), Note(sentence))


def _refused(refusal: Refusal) -> Text:
    return say("%(why)s %(fix)s", why=refusal.why, fix=refusal.fix)


def _why_not(step: Step, head: Head) -> Text:
    plain = {"title": step.title, "node": step.node}
    match head.begun:
        case Begun.NO_SPACE:
            return node_lock.no_space(step.node, head.words[0], " ".join(head.words[1:]))
        case Begun.BUSY:
            return say(
                "“%(title)s” was not started on %(node)s: the attempt before is still at work"
                " there (%(job)s).",
                **plain,
                job=head.words[0],
            )
        case Begun.STUCK:
            return say(
                "“%(title)s” was claimed on %(node)s but never began: the node or its systemd"
                " stopped in that moment. It is certain that nothing ran.",
                **plain,
            )
    return say(
        "“%(title)s” was not started on %(node)s: %(error)s",
        **plain,
        error=" ".join(head.words) or head.begun,
    )


def _still_locked(node: str) -> Text:
    return say(
        "%(node)s could not be asked to forget its lock; the next run of this panel takes it over.",
        node=node,
    )
