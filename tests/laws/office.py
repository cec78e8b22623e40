"""The real services, pages, API, tasks and executor around three nodes in memory, and the laws.

What threads and other processes would do is done in a chosen order: an `Interruption` happens in the
middle of an execution, right after a command was answered.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from unittest.mock import patch

from django.contrib.auth.models import User
from django.utils import timezone

from clusterpanel.people.roles import Role
from clusterpanel.people.standing import role_of
from nodes.domain.refusal import Refused
from nodes.models import Cluster, SettingsRevision
from nodes.transport.base import Command
from operations import inputs, services, tasks
from operations.domain.backup_scripts import SIZES
from operations.domain.machine import ACTIVE
from operations.domain.plan import Plan, Step
from operations.domain.proofs import PROOFS
from operations.models import Backup, Run
from operations.runtime import lease as leases
from operations.runtime import scripts
from operations.runtime.jobs import Job
from operations.runtime.lease import Lease
from tests.builders import HOSTS, peers
from tests.laws.books import Books
from tests.laws.double import SIZE, FakeTime, Fate, Nodes, Started, WorkerDied
from tests.laws.people import REASON, Answers, Person, chief, operator, stranger

MAX_AGE = timedelta(hours=24)
__all__ = ["OWN_SCRIPTS", "Office", "WorkerDied", "around"]
OWN_SCRIPTS = frozenset(
    {scripts.START, scripts.STOP, scripts.LOCK, scripts.UNLOCK, scripts.BEAT, scripts.SIGNS,
     scripts.SEEN, SIZES, inputs._READ}
)  # fmt: skip


class Office:
    """One cluster, three people, and every law after every act."""

    own_scripts = OWN_SCRIPTS

    def __init__(self) -> None:
        self.nodes = Nodes.fresh(HOSTS)
        self.nodes.on_start, self.nodes.after = self._starts, self._after
        self.cluster = self._cluster()
        self.people = (chief(), operator(), stranger())
        self.shown: dict[str, list[Plan]] = {}
        self.accepted: dict[str, Plan] = {}
        self._books: dict[str, Books] = {}
        self._lease: Lease | None = None
        self._commands = self._depth = 0
        self._interruptions: dict[int, Callable[[], None]] = {}
        self._broken: list[Exception] = []
        self.counts: Counter[str] = Counter()

    def _cluster(self) -> Cluster:
        made = Cluster.objects.create(name="Office", ssh_password="secret")
        for number, hosts in ((1, HOSTS),):
            self._revision(made, number, hosts)
        for node in self.nodes.nodes.values():
            node.env = dict(peers().as_env())
        return made

    def _revision(self, cluster: Cluster, number: int, hosts: tuple[str, ...]) -> None:
        SettingsRevision.objects.create(
            cluster=cluster,
            number=number,
            galera_peer_hosts=list(hosts),
            cluster_fs_peer_hosts=list(hosts),
            cluster_primary_host=HOSTS[0],
        )

    # What people and the world do

    def preview(self, procedure: str) -> None:
        """Through the service; pages and API show the same plan."""
        try:
            plan = services.plan_preview(cluster=self.cluster, procedure=procedure, params={})
        except Refused:
            return
        self.shown.setdefault(procedure, []).append(plan)

    def answers(self, plan: Plan, kind: str, person: Person) -> Answers:
        backup = Backup.objects.filter(kind="database").order_by("-pk").first()
        given: dict[str, Answers] = {
            "backup": {"backup": backup.pk if backup else 1},
            "waiver": {"waiver": {"typed": "Office", "reason": REASON}},
            "wrong waiver": {"waiver": {"typed": "office", "reason": REASON}},
        }
        return {
            gate.id: {"accept": True} if gate.kind == "accept" else given[kind]
            for gate in plan.gates
            if kind != "nothing"
        }

    def settings_change(self) -> None:
        """The joiners change places: another order, another plan."""
        newest = self.cluster.revision
        one, two, three = newest.galera_peer_hosts
        self._revision(self.cluster, newest.number + 1, (one, three, two))

    def backup_taken(self) -> Backup:
        path = f"/backups/{Backup.objects.count()}.sql.gz"
        self.nodes.nodes[HOSTS[0]].files[path] = SIZE
        return Backup.objects.create(
            cluster=self.cluster,
            kind="database",
            node=HOSTS[0],
            path=path,
            bytes=SIZE,
            sha256="a" * 64,
            verified_at=timezone.now(),
        )

    def backups_expire(self) -> None:
        Backup.objects.update(verified_at=timezone.now() - MAX_AGE - timedelta(minutes=1))

    def backup_files_go(self) -> None:
        self.nodes.nodes[HOSTS[0]].files.clear()

    def lease_runs_out(self) -> None:
        past = timezone.now() - timedelta(seconds=1)
        Run.objects.exclude(lease_until=None).update(lease_until=past)

    def heartbeat(self) -> None:
        if self._lease is not None:
            leases._beat(self._lease, renew_now=True)

    # A worker

    def execute(
        self, run_id: str, fates: list[Fate], interruptions: dict[int, Callable[[], None]]
    ) -> None:
        """The Celery task itself, called by hand. Nested: by a second worker at the same time."""
        if self._depth > 2:
            return
        kept = self._lease, self._commands, self._interruptions
        self.nodes.fates[:0] = fates
        self._commands, self._interruptions = 0, interruptions
        self._depth += 1
        try:
            tasks.execute(run_id)
        except WorkerDied:
            self.counts["worker died"] += 1
        finally:
            self._depth -= 1
            self._lease, self._commands, self._interruptions = kept
            if self._depth == 0:
                self.nodes.fates.clear()

    def _after(self, command: Command) -> None:
        """A gate's question and the start behind it are one moment: nothing comes between."""
        if threading.current_thread() is not threading.main_thread() or not self._depth:
            return
        if command.argv[2] == SIZES:
            return
        self._commands += 1
        if interrupt := self._interruptions.pop(self._commands, None):
            self.counts["interruptions"] += 1
            with self._remembered():
                interrupt()

    @contextmanager
    def kept(self, lease: Lease) -> Iterator[Lease]:
        """In the place of the thread that renews: `heartbeat` does it when it is its turn."""
        self._lease = lease
        yield lease

    # The laws

    def _starts(self, started: Started) -> None:
        """At the very moment in which a job appears on a node. The executor would take a failed
        assertion for a defect of its own and go on: it is kept, and told by `check_laws`."""
        with self._remembered():
            self._may_start(started)

    @contextmanager
    def _remembered(self) -> Iterator[None]:
        try:
            yield
        except Exception as broken:
            self._broken.append(broken)
            raise

    def _may_start(self, started: Started) -> None:
        run = Run.objects.get(pk=started.run)
        plan = self._accepted(run)
        step = next(s for s in plan.steps if started.job == self._job(run, s).name)
        line = f"exec {Command(step.argv_for(run.pk)).line}"
        assert started.line == line, f"{run.pk} {step.key}: another command than was accepted"
        assert started.host == step.node
        assert started not in self.nodes.started, "started twice"
        assert (started.host, started.job) not in {(s.host, s.job) for s in self.nodes.started}
        for host, job in self.nodes.alive():
            assert host != started.host, f"{job.name} is at work on {host}"
            assert job.run != started.run, f"{job.name} of the same run is at work on {host}"
        if step.overwrites:
            self._gated(run, plan)
        self.counts["jobs"] += 1

    def _accepted(self, run: Run) -> Plan:
        """The plan as it was when the run appeared; it never changes, and somebody saw it."""
        plan = self.accepted.setdefault(run.pk, run.plan)
        assert plan == run.plan
        assert plan.hash == run.plan_hash
        assert plan in self.shown[run.procedure], "nobody was shown this plan"
        return plan

    def _job(self, run: Run, step: Step) -> Job:
        attempt = run.steps.values_list("attempt", flat=True).get(key=step.key)
        return Job(run.pk, step.key, step.node, attempt, step.argv)

    def _gated(self, run: Run, plan: Plan) -> None:
        """Law 4, judged anew and without the product's own code."""
        gates = [gate for gate in plan.gates if gate.kind == "backup"]
        assert gates, "an overwriting step without a gate"
        for gate in gates:
            answer = run.confirmations[gate.id]
            if "waiver" in answer:
                assert run.started_by is not None
                who = User.objects.get(pk=run.started_by.pk)
                assert role_of(who) is Role.ADMINISTRATOR, "waived without the role"
                assert answer["waiver"]["typed"] == "Office"
                self.counts["waived"] += 1
                continue
            backup = Backup.objects.get(pk=answer["backup"])
            assert backup.kind == gate.subject
            assert timezone.now() - backup.verified_at <= MAX_AGE, "the backup is too old"
            files = self.nodes.nodes[backup.node].files
            assert files.get(backup.path) == backup.bytes, "the backup is not there"
            self.counts["behind a backup"] += 1

    def check_laws(self) -> None:
        for broken in self._broken:
            raise broken
        for run in Run.objects.all():
            self._accepted(run)
            self._books.setdefault(run.pk, Books(run)).read_on()
            self._ended_with_the_truth(run)
        assert Run.objects.filter(cluster=self.cluster, state__in=ACTIVE).count() <= 1
        self._only_planned_commands()

    def _ended_with_the_truth(self, run: Run) -> None:
        steps = list(run.steps.all())
        assert "The panel itself failed" not in str((run.sentence, [s.sentence for s in steps]))
        if run.state == "succeeded":
            assert steps, "a success with zero steps"
            assert {step.state for step in steps} == {"succeeded"}
        for step in steps:
            job = self.nodes.nodes[step.node].jobs.get(self._job(run, run.plan.step(step.key)).name)
            if step.state in ("cancelled", "failed", "succeeded", "pending"):
                assert job is None or not job.alive, f"{step.key} is {step.state} and at work"
            if step.state == "cancelled" and job is not None:
                stopped = (step.node, job.name) in self.nodes.stopped
                assert stopped, f"{step.key} is called cancelled and was not stopped"
            if step.state == "succeeded":
                assert self._was_true(run, run.plan.step(step.key)), f"{step.key} had no effect"

    def _was_true(self, run: Run, step: Step) -> bool:
        """Whether the effect was ever on the node; the proof must have seen it."""
        args = step.proof_for(run.pk).args
        effect = {
            "galera_member": "member",
            "dump_readable": args[-1],
            "env_equals": " ".join(args[2:]),
        }[step.proof.name]
        return (step.node, effect) in self.nodes.ever_true

    def _only_planned_commands(self) -> None:
        """Jobs are compared when they start; everything else is the protocol or a proof."""
        proofs = {
            (probe.host, probe.script, probe.args)
            for run in Run.objects.all()
            for step in self.accepted[run.pk].steps
            for proof in [step.proof_for(run.pk)]
            for probe in PROOFS[proof.name].probes(proof.args, step.node, HOSTS)
        }
        for host, command in self.nodes.commands:
            text, args = command.argv[2], command.argv[4:]
            known = text in self.own_scripts or (host, text, args) in proofs
            assert known, f"{host}: a command of no plan: {command.line[:200]}"
        self.nodes.commands.clear()


@contextmanager
def around(office: Office) -> Iterator[None]:
    """The doors to the nodes, to the clock and to the broker; everything between them is real."""
    clock = FakeTime()
    with ExitStack() as stack:
        for name, value in {
            "operations.planning.observe": office.nodes.observe,
            "operations.gates.transport_for": office.nodes.transport,
            "operations.driving.transport_for": office.nodes.transport,
            "operations.runtime.executor.leases.kept": office.kept,
            "operations.runtime.silence.time": clock,
            "operations.runtime.proving.time": clock,
            "operations.runtime.following.time": clock,
            "operations.runtime.hub.notify": lambda run_id, line: None,
            "operations.services._send": lambda task, *args: True,
            "operations.views.plan.selectors.backups": lambda *args, **more: [],
        }.items():
            stack.enter_context(patch(name, value))
        yield
