"""The real services, executor and fences around three nodes, and what must hold of the primary.

Looked at in the very moment: when a `.env` changes, when a run is stored as succeeded, when a fence
is closed. None of it uses the product's own judgement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from clusterpanel import audit
from nodes.domain.peers import PRIMARY_KEY
from nodes.domain.refusal import Refused
from nodes.env_file_script import WRITE
from operations import fences, services, tasks
from operations.domain.machine import ACTIVE, Life, RunState
from operations.domain.plan import Plan, Step
from operations.domain.proofs.settings import READ
from operations.models import Fence, Run
from operations.runtime import store
from operations.runtime.reconcile import abandoned
from tests.builders import HOSTS
from tests.laws.double import FakeNode, Fate
from tests.laws.office import OWN_SCRIPTS, Office, WorkerDied, around

CHANGE = "change_primary"


class PrimaryOffice(Office):
    """An installed cluster; every person confirms what is asked."""

    own_scripts = OWN_SCRIPTS | {WRITE, READ}

    def __init__(self) -> None:
        super().__init__()
        self.nodes.on_env = self._env_changes
        for node in self.nodes.nodes.values():
            node.member = node.mounted = True

    # The world

    def power_off(self, host: str) -> None:
        node = self.nodes.nodes[host]
        node.silent, node.member = True, False
        for job in node.jobs.values():
            job.alive = False

    def boot(self, host: str) -> None:
        """With the `.env` that it had."""
        node = self.nodes.nodes[host]
        if node.silent:
            self.power_off(host)
        node.silent, node.member = False, True

    def reach(self, host: str) -> None:
        """It was only cut off; what was at work there goes on."""
        node = self.nodes.nodes[host]
        node.silent, node.member = False, True

    def lost_jobs_end(self) -> None:
        for node in self.nodes.nodes.values():
            for job in node.jobs.values():
                if job.alive:
                    self.nodes.let_work(node, job)

    def cut(self, host: str) -> None:
        """From the panel and from the others: it goes on alone, and they do not count it."""
        node = self.nodes.nodes[host]
        node.silent, node.member = True, False

    def named(self, host: str) -> str:
        return self.nodes.nodes[host].env[PRIMARY_KEY]

    @property
    def wanted(self) -> str:
        return self.cluster.revision.cluster_primary_host

    def reached(self) -> list[str]:
        return [host for host, node in self.nodes.nodes.items() if not node.silent]

    def fenced(self) -> set[str]:
        return set(Fence.objects.filter(closed_at=None).values_list("host", flat=True))

    # What people do

    def start_run(self, procedure: str, params: dict[str, Any]) -> Run | None:
        """See the plan and start it, with every gate answered."""
        try:
            plan = services.plan_preview(cluster=self.cluster, procedure=procedure, params=params)
            self.shown.setdefault(procedure, []).append(plan)
            run = services.run_start(
                cluster=self.cluster,
                procedure=procedure,
                params=params,
                plan_hash=plan.hash,
                confirmations={gate.id: _answer(gate.kind, gate.subject) for gate in plan.gates},
                by=self.people[0].user,
            )
        except Refused as refused:
            self.counts[f"refused {refused.first.code}"] += 1
            return None
        self.counts[f"started {procedure}"] += 1
        self._started(run, plan)
        return run

    def _started(self, run: Run, plan: Plan) -> None:
        away = set(HOSTS) - set(self.reached())
        if run.procedure == CHANGE:
            assert away <= self.fenced(), "a server that does not answer has no fence"
            assert self.wanted == run.params["primary"]
        else:
            relied_on = (set(plan.nodes) | set(self.reached())) & self.fenced()
            assert not relied_on, f"{run.procedure} relies on a fenced server"

    def work(self, fates: list[Fate], meanwhile: dict[int, Callable[[], None]]) -> None:
        self.lease_runs_out()
        for run in Run.objects.filter(state__in=ACTIVE).values_list("pk", flat=True):
            self.execute(run, fates, meanwhile)

    def fence_beat(self, dies_after: int | None = None) -> None:
        """All due fences; the worker may die after so many commands of the first one."""
        Fence.objects.update(trying_until=None)
        deadly = {dies_after: self._die} if dies_after else {}
        kept = self._commands, self._interruptions
        self._commands, self._interruptions = 0, deadly
        self._depth += 1
        try:
            for fence in fences.due():
                tasks.retry_fence(fence)
        except WorkerDied:
            self.counts["worker died at a fence"] += 1
        finally:
            self.nodes.dead = False
            self._depth -= 1
            self._commands, self._interruptions = kept

    def _die(self) -> None:
        self.nodes.dead = True
        raise WorkerDied

    def end_it(self) -> None:
        """Every server is back: the beats, then one guarded action, and all is well from any state."""
        for host in HOSTS:
            self.reach(host)
        self.lost_jobs_end()
        for _ in range(3):
            self.work([], {})
            for each in abandoned():
                self.execute(each, [], {})
            self.fence_beat()
        assert not self.fenced(), [f.said for f in Fence.objects.filter(closed_at=None)]
        if {self.named(host) for host in HOSTS} != {self.wanted}:
            self.counts["one action ended it"] += 1
            run = self.start_run(CHANGE, {"primary": self.wanted})
            assert run is not None
            self.work([], {})
            run.refresh_from_db()
            assert run.state == RunState.SUCCEEDED, run.sentence
        assert {self.named(host) for host in HOSTS} == {self.wanted}
        assert audit.verify() is None

    # What must hold, in the moment

    def _env_changes(self, node: FakeNode, env: dict[str, str]) -> None:
        """Law 11: who becomes the primary by a write of ours is the only one, fenced ones aside.

        A job that was lost on a server may end after that server was cut off and fenced, and another
        one was made the primary: then the fence that is open corrects what the job wrote. (No plan
        writes a fenced server as the new primary, so nothing else comes this way.)
        """
        with self._remembered():
            if env[PRIMARY_KEY] != node.host or node.env[PRIMARY_KEY] == node.host:
                return
            if node.host in self.fenced():
                self.counts["a lost job ended on a fenced server"] += 1
                return
            for host, other in self.nodes.nodes.items():
                if host != node.host and other.env[PRIMARY_KEY] == host:
                    assert host in self.fenced(), (
                        f"{host} and {node.host} are primaries; fenced {sorted(self.fenced())},"
                        f" silent {self.nodes.nodes[host].silent}, {node.silent}, wanted {self.wanted}"
                    )
                    self.counts["new one began beside a fenced one"] += 1
            self.counts["a new primary began"] += 1

    def succeeds(self, run: Run) -> None:
        """Never while two servers that answer disagree; whoever does not answer has a fence, or had
        one that was closed since the run was planned: then it was told, and really names this one."""
        for host in HOSTS:
            if self.nodes.last_read.get(host) is None:
                if host not in self.fenced():
                    told = Fence.objects.filter(host=host).exclude(closed_at=None)
                    assert told.exists(), f"success, and {host} is silent without a fence"
                    assert self.named(host) == run.params["primary"], f"{host} was never told"
                    self.counts["success with a silent server that was told"] += 1
                self.counts["success with a silent server"] += 1
            else:
                assert self.named(host) == run.params["primary"], f"success, and {host} disagrees"
        self.counts["success"] += 1

    def audited(self, action: str, detail: dict[str, Any]) -> None:
        if action == "fence.closed":
            assert self.named(detail["host"]) == self.wanted, "closed without its effect"
            assert detail["evidence"]["env_equals"]["keys"] == {PRIMARY_KEY: self.wanted}
        self.counts[action] += 1

    def check_laws(self) -> None:
        super().check_laws()
        opened = Fence.objects.values_list("host", flat=True)
        assert len(opened) == self.counts["fence.opened"]
        for fence in Fence.objects.filter(closed_at=None):
            assert fence.run.procedure == CHANGE
        self._stale_ones_are_fenced()

    def _stale_ones_are_fenced(self) -> None:
        """After a success whoever names another one has a fence, until he was corrected."""
        newest = Run.objects.filter(procedure=CHANGE).first()
        if newest is None or newest.state != RunState.SUCCEEDED:
            return
        stale = {host for host in HOSTS if self.named(host) != newest.params["primary"]}
        assert stale <= self.fenced(), f"{stale} is stale, and nobody waits for it"

    def _was_true(self, run: Run, step: Step) -> bool:
        if step.proof.name in ("env_equals", "dump_readable"):
            return super()._was_true(run, step)
        return True  # these only look


def _answer(kind: str, subject: str) -> dict[str, Any]:
    return {"accept": True} if kind == "accept" else {"typed": subject}


@contextmanager
def around_primary(office: PrimaryOffice) -> Iterator[None]:
    def save(lease: Any, before: Life, after: Life, *args: Any, **more: Any) -> int:
        line = store_save(lease, before, after, *args, **more)
        if after.state is RunState.SUCCEEDED and before.state is not RunState.SUCCEEDED:
            run = Run.objects.get(pk=lease.run_id)
            if run.procedure == CHANGE:
                with office._remembered():
                    office.succeeds(run)
        return line

    def record(*, who: str, action: str, subject: str = "", detail: Any = None) -> Any:
        with office._remembered():
            office.audited(action, detail)
        return audit.record(who=who, action=action, subject=subject, detail=detail)

    store_save = store.save
    with ExitStack() as stack:
        stack.enter_context(around(office))
        connect = lambda target, timeout_s: office.nodes.transport(target)  # noqa: E731
        stack.enter_context(patch("operations.fences.connect", connect))
        stack.enter_context(patch("operations.fences.record", record))
        stack.enter_context(patch("operations.runtime.executor.store.save", save))
        yield
