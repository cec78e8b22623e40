"""Runs on pretended nodes: real shells, real processes, no network."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from nodes.models import Cluster
from nodes.transport.base import Transport
from operations.domain.machine import Resumed, advance
from operations.domain.plan import Plan, Proof, Stage, Step
from operations.domain.proofs.base import Holds, NotYet, Outputs, Probe, ProofKind, Verdict
from operations.models import Run, RunStep
from operations.runtime import journal, store
from operations.runtime.executor import execute
from operations.runtime.ports import Ports
from tests.fakes.local import PLACE, LocalCluster

HOSTS = ("node1", "node2", "node3")


def step(key: str, node: str, script: str, *args: str, **more: Any) -> Step:
    """A step that runs a shell script and is proven by `sh -c` of its proof argument."""
    proof = more.pop("proof", Proof("holds", ("true",)))
    defaults: dict[str, Any] = {"proof_timeout_s": 1}
    argv = ("sh", "-c", script, key, *args)
    return Step(key, node, say(key), argv, proof, **{**defaults, **more})


def make_plan(*steps: Step, together: bool = False) -> Plan:
    stage = Stage("all", say("All"), say("Because"), steps, together)
    return Plan("test", say("A test"), 1, (stage,))


def make_run(*steps: Step, name: str = "site", together: bool = False) -> Run:
    """An accepted run that nobody took yet."""
    plan = make_plan(*steps, together=together)
    cluster, _ = Cluster.objects.get_or_create(name=name)
    run = Run.objects.create(
        cluster=cluster, procedure="test", plan_json=plan.to_json(), plan_hash=plan.hash
    )
    for place, one in enumerate(steps):
        RunStep.objects.create(run=run, key=one.key, position=place, stage="all", node=one.node)
    return run


def _judge(args: tuple[str, ...], outputs: Outputs) -> Verdict:
    answer = next(iter(outputs.values()))
    if isinstance(answer, Text):
        return NotYet(answer)
    if answer.exit_code == 0:
        return Holds({"seen": answer.stdout.decode().strip()}, say("It is there."))
    return NotYet(say("It is not there."))


HOLDS = ProofKind(
    sentence=lambda args: say("%(script)s succeeds", script=args[0]),
    probes=lambda args, node, hosts: (Probe(node, args[0], args[1:]),),
    judge=_judge,
)


@dataclass
class World:
    """Everything around an executor: nodes, and what was asked of the ports."""

    cluster: LocalCluster
    panel: str = "panel one"
    patience_s: float = 20
    notified: list[tuple[str, int]] = field(default_factory=list)
    recorded: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    refusal: Refusal | None = None
    stdin: bytes = b""

    def ports(self, run: Run) -> Ports:
        return Ports(
            panel=self.panel,
            hosts=HOSTS,
            transport=self.cluster.transport,
            proof=lambda proof: HOLDS,
            gate=lambda run, step: self.refusal,
            record=lambda run, step, evidence: self.recorded.append((step.records, evidence)),
            stdin=self._stdin,
            notify=lambda run_id, line: self.notified.append((run_id, line)),
            place=PLACE,
            patience_s=self.patience_s,
            longest_pause_s=0.2,
        )

    def _stdin(self, run: Run, step: Step, transport: Transport) -> bytes:
        return self.stdin

    def execute(self, run: Run) -> Run:
        execute(run.pk, self.ports)
        run.refresh_from_db()
        return run

    def log(self, run: Run, key: str, attempt: int = 1) -> bytes:
        return b"".join(journal.log_bytes(run.pk, key, attempt))

    def node_log(self, run: Run, key: str, node: str, attempt: int = 1) -> bytes:
        return (self.job_folder(run, key, node, attempt) / "log").read_bytes()

    def job_folder(self, run: Run, key: str, node: str, attempt: int = 1) -> Path:
        suffix = "" if attempt == 1 else f".{attempt}"
        return self.cluster[node].root / "jobs" / f"{run.pk}-{key}-{node}{suffix}"

    def kill_job(self, run: Run, key: str, node: str) -> None:
        """As the kernel does when memory is short: the runner first, then what it ran."""
        pid = int((self.job_folder(run, key, node) / "pid").read_text().split()[0])
        for each in (pid, *processes_of(run)):
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(LocalCluster(tmp_path, *HOSTS))


def states(run: Run) -> list[str]:
    return [row.state for row in run.steps.order_by("position")]


def events(run: Run, type: str) -> list[dict[str, Any]]:
    lines = journal.read(run.pk, limit=100_000)
    return [line.event for line in lines if line.kind == "event" and line.event["type"] == type]


def resume(run: Run) -> None:
    """What the service does, without its gates."""
    life, _ = advance(store.load(run.pk), Resumed())
    Run.objects.filter(pk=run.pk).update(state=life.state, cancelling=False, ended_at=None)
    for one in life.steps:
        RunStep.objects.filter(run=run, key=one.key).update(
            state=one.state, attempt=one.attempt, when_unproven=one.when_unproven
        )


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@contextmanager
def executing(world: World, run: Run) -> Iterator[threading.Thread]:
    """Execute in a thread; left only when the executor has returned."""

    def work() -> None:
        try:
            execute(run.pk, world.ports)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(60)
        assert not thread.is_alive()
        run.refresh_from_db()


def processes_of(run: Run) -> list[int]:
    """Living processes that carry the run's mark."""
    mark = f"CLUSTERPANEL_RUN={run.pk}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit() and mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found
