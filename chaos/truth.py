"""What a run says of itself, held against what its nodes say: pure, so that tests can lie to it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

NOTHING_SHA256 = hashlib.sha256(b"").hexdigest()
BY_SIGNAL = 128  # greater exit codes: the command was killed


@dataclass(frozen=True)
class OnNode:
    """One step as its node knows it. `started`: how often the job wrote its name into the node's file.

    `folders` counts the job's directories, later attempts included. `rc` is None without an exit
    code; `log` is a SHA-256, None without a job. `processes` are those of the whole run, there.
    """

    started: int
    folders: int
    rc: int | None
    log: str | None
    effect: bool
    processes: int


@dataclass(frozen=True)
class InBooks:
    """One step as the panel tells it; `log` is the SHA-256 of its journal.

    `records`: its success is to leave one backup on record; `recorded`: how many there are.
    """

    key: str
    state: str
    attempt: int
    exit_code: int | None
    log: str
    records: bool
    recorded: int


class Complaint(NamedTuple):
    """`kind`: truth, once, log or left."""

    kind: str
    text: str


def complaints(state: str, steps: Sequence[InBooks], nodes: Sequence[OnNode]) -> list[Complaint]:
    """Everything that is not as it must be; `steps` and `nodes` are in plan order."""
    found: list[Complaint] = []
    wanted = _expected(nodes) if state != "cancelled" else None
    if wanted is not None and state != wanted[0]:
        found.append(Complaint("truth", f"the run says {state}, its nodes say {wanted[0]}"))
    for place, (step, node) in enumerate(zip(steps, nodes, strict=True)):
        if wanted is not None:
            found += _like_its_node(step, node, wanted[1][place])
        else:
            found += _after_cancel(step, node)
        found += _once(step, node) + _log(step, node) + _books(step)
    return found


def _expected(nodes: Sequence[OnNode]) -> tuple[str, list[str]]:
    """The state of the run and of its steps, from the nodes alone."""
    states: list[str] = []
    for node in nodes:
        if states and states[-1] != "succeeded":
            states.append("pending")
        elif node.rc is None:
            states.append("unfinished")
        else:
            states.append("succeeded" if node.rc == 0 and node.effect else "failed")
    bad = next((state for state in states if state not in ("succeeded", "pending")), "succeeded")
    return bad, states


def _like_its_node(step: InBooks, node: OnNode, wanted: str) -> list[Complaint]:
    found = []
    if step.state != wanted:
        text = f"{step.key} says {step.state}, its node says {wanted}: {node}"
        found.append(Complaint("truth", text))
    if node.rc is not None and step.exit_code != node.rc:
        text = f"{step.key} says exit code {step.exit_code}, its node {node.rc}"
        found.append(Complaint("truth", text))
    return found


def _after_cancel(step: InBooks, node: OnNode) -> list[Complaint]:
    """A cancelled step was stopped or never began; one that was being proven has an unknown effect."""
    stopped = node.rc is None or node.rc > BY_SIGNAL
    holds = {
        "succeeded": node.rc == 0 and node.effect,
        "cancelled": stopped,
        "unknown": node.rc == 0,
        "pending": node.started == 0,
    }.get(step.state, False)
    found = []
    if not holds:
        found.append(Complaint("truth", f"cancelled: {step.key} says {step.state}: {node}"))
    if node.processes:
        text = f"cancelled: {node.processes} processes are left on the node of {step.key}"
        found.append(Complaint("left", text))
    return found


def _once(step: InBooks, node: OnNode) -> list[Complaint]:
    allowed = {"pending": (0,), "cancelled": (0, 1)}.get(step.state, (1,))
    found = []
    if node.started not in allowed:
        found.append(Complaint("once", f"{step.key} was started {node.started} times"))
    if node.folders > 1 or step.attempt > 1:
        text = f"{step.key}: {node.folders} job directories, attempt {step.attempt}"
        found.append(Complaint("once", text))
    return found


def _log(step: InBooks, node: OnNode) -> list[Complaint]:
    wanted = node.log or NOTHING_SHA256
    if step.log == wanted:
        return []
    return [Complaint("log", f"{step.key}: journal {step.log[:12]}, log on the node {wanted[:12]}")]


def _books(step: InBooks) -> list[Complaint]:
    wanted = int(step.records and step.state == "succeeded")
    if step.recorded == wanted:
        return []
    return [Complaint("truth", f"{step.key} left {step.recorded} backups on record, not {wanted}")]
