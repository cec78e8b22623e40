"""A journal line as the pages and the stream send it: numbers, names, and a sentence to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from clusterpanel.templatetags.panel import say
from nodes.domain.text import Text
from operations.domain import line_level
from operations.models import Run
from operations.plain_text import without_escapes
from operations.runtime.journal import EVENT, Line

LONGEST = 4000  # characters of a line that a page gets; the whole one is in log.txt

_TONES = {
    "succeeded": "ok",
    "failed": "failed",
    "unknown": "unknown",
    "cancelled": "unknown",
    "interrupted": "attention",
}


@dataclass(frozen=True)
class Names:
    """What the lines of one run refer to: step key -> node, and step key -> title."""

    nodes: Mapping[str, str]
    titles: Mapping[str, Text]

    @classmethod
    def of(cls, run: Run) -> Names:
        steps = run.plan.steps
        return cls({s.key: s.node for s in steps}, {s.key: s.title for s in steps})


def line_json(line: Line, names: Names) -> dict[str, Any]:
    """One line; `cut` is the full length of one that is too long to be sent whole.

    `level` is there when the line reads like an error or a warning.
    """
    if line.kind == EVENT:
        return _shared(line, names) | _event(line, names)
    text = line.text
    found = _shared(line, names) | {"text": text[:LONGEST]}
    if len(text) > LONGEST:
        found["cut"] = len(text)
    if level := line_level.level(without_escapes(found["text"])):
        found["level"] = level
    return found


def _shared(line: Line, names: Names) -> dict[str, Any]:
    return {
        "n": line.number,
        "kind": line.kind,
        "step": line.step,
        "node": names.nodes.get(line.step, ""),
        "at": line.at.isoformat(),
    }


def _event(line: Line, names: Names) -> dict[str, Any]:
    """`tone` is the state's; `attached` marks the moment a new worker took over a running job."""
    try:
        event = line.event
    except json.JSONDecodeError:
        return {"text": line.text[:LONGEST]}
    found: dict[str, Any] = {"text": sentence(event, names)}
    if node := event.get("node"):
        found["node"] = node
    if tone := _TONES.get(str(event.get("state"))):
        found["tone"] = tone
    if event.get("type") == "attached":
        found["attached"] = True
    return found


def sentence(event: Mapping[str, Any], names: Names) -> str:
    """What happened, in the reader's language; total: an event nobody knows is still shown."""
    said = say(event.get("text"))
    match event.get("type"):
        case "step":
            return _step(event, names, said)
        case "run":
            return " ".join(filter(None, (_run(event), said)))
    return said or str(event.get("type", ""))


def _step(event: Mapping[str, Any], names: Names, said: str) -> str:
    key = str(event.get("step", ""))
    title = names.titles.get(key)
    about = {
        "step": say(title) if title else key,
        "attempt": event.get("attempt", ""),
        "code": event.get("exit_code"),
    }
    first = _step_template(event) % about
    return f"{first} {said}" if said else first


def _step_template(event: Mapping[str, Any]) -> str:
    match event.get("state"):
        case "running" if event.get("attempt", 1) > 1:
            return gettext("Started again (attempt %(attempt)s): %(step)s.")
        case "running":
            return gettext("Started: %(step)s.")
        case "verifying" if event.get("exit_code") is not None:
            return gettext("Command ended with exit code %(code)s; reading its effect: %(step)s.")
        case "verifying":
            return gettext("Reading the effect: %(step)s.")
        case "succeeded":
            return gettext("Proven: %(step)s.")
        case "failed" if event.get("exit_code"):
            return gettext("Failed step, exit code %(code)s: %(step)s.")
        case "failed":
            return gettext("Failed step: %(step)s.")
        case "cancelled":
            return gettext("Stopped; nothing of it is left running: %(step)s.")
        case "unknown":
            return gettext("Effect unknown until checked: %(step)s.")
        case "skipped":
            return gettext("Already done: %(step)s.")
    return gettext("Waiting: %(step)s.")


def _run(event: Mapping[str, Any]) -> str:
    match event.get("state"):
        case "waiting":
            return gettext("The run waits for a worker.")
        case "running" if event.get("cancelling"):
            return gettext("Cancelling.")
        case "running":
            return gettext("A worker has taken the run.")
        case "succeeded":
            return gettext("The run is over: every step is proven.")
        case "failed":
            return gettext("The run ended at a failed step.")
        case "cancelled":
            return gettext("The run was cancelled.")
        case "interrupted":
            return gettext("The run was interrupted.")
    return str(event.get("state", ""))
