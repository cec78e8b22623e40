"""A look at what a step left behind, for a person who wants to know before going on.

Only the step's proof is read and its job looked at: nothing is started, nothing is stopped, and the
run stays over. (The proof of a mount writes a small file there and takes it away, as always.)
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from nodes.domain.text import Text, say
from nodes.transport.base import TransportError
from operations.domain.machine import ACTIVE
from operations.domain.plan import Step
from operations.domain.proofs.base import Holds
from operations.models import Run
from operations.runtime import jobs, journal, proving
from operations.runtime.jobs import Job
from operations.runtime.lease import LeaseLost
from operations.runtime.ports import Ports

THERE, MISSING, UNKNOWN, ASKED = "there", "missing", "unknown", "asked"
CHECK = "check"


def check(run_id: str, key: str, ports_for: Callable[[Run], Ports]) -> None:
    """Write the finding into the journal; nothing, when the run is gone on with meanwhile."""
    run = Run.objects.select_related("cluster", "started_by").get(pk=run_id)
    if run.state in ACTIVE:
        return
    step, ports = run.plan.step(key), ports_for(run)
    try:
        state, found = _finding(ports, run, step)
    except TransportError as error:
        state, found = UNKNOWN, say("%(why)s %(fix)s", why=error.why, fix=error.fix)
    text = say(
        "%(finding)s %(job)s", finding=_sentence(step, state, found), job=_job(ports, run, step)
    )
    with suppress(LeaseLost):
        write(ports, run, step, state, text)


def write(ports: Ports, run: Run, step: Step, state: str, text: Text) -> None:
    event = {"type": CHECK, "step": step.key, "node": step.node, "state": state}
    newest = journal.append_event(
        run_id=run.pk, fence=run.fence, event={**event, "text": text.to_json()}
    )
    ports.notify(run.pk, newest)


def _finding(ports: Ports, run: Run, step: Step) -> tuple[str, Text]:
    """Asked once: what is there now, not what may still come."""
    kind, proof = ports.proof(step.proof), step.proof_for(run.pk)
    outputs = proving.ask(ports, kind, kind.probes(proof.args, step.node, ports.hosts))
    verdict = kind.judge(proof.args, outputs)
    if isinstance(verdict, Holds):
        return THERE, verdict.sentence
    unheard = any(isinstance(answer, Text) for answer in outputs.values())
    return UNKNOWN if unheard else MISSING, verdict.sentence


def _sentence(step: Step, state: str, found: Text) -> Text:
    plain = {"title": step.title, "node": step.node, "found": found}
    match state:
        case "there":
            return say("Checked: the effect of “%(title)s” is there. %(found)s", **plain)
        case "missing":
            return say("Checked: the effect of “%(title)s” is not there now. %(found)s", **plain)
    return say(
        "The effect of “%(title)s” could not be read, so it stays unknown. %(found)s", **plain
    )


def _job(ports: Ports, run: Run, step: Step) -> Text:
    """A step that was lost from sight may still be running."""
    attempt = run.steps.values_list("attempt", flat=True).get(key=step.key)
    job = Job(run.pk, step.key, step.node, attempt, step.argv)
    try:
        seen = jobs.seen(ports.transport(step.node), ports.place, job)
    except TransportError:
        return say("Whether its command still runs on %(node)s is not known.", node=step.node)
    if seen == "alive":
        return say("Its command is still at work on %(node)s.", node=step.node)
    return say("Its command does not run on %(node)s.", node=step.node)
