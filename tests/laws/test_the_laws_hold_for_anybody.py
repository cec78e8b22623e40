"""Random acts of several people, workers and nodes: after each of them every law still holds.

`LAWS=2000 python -m pytest -s tests/laws` plays as many histories and prints what was in them.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from nodes.domain.peers import KEYS
from operations import tasks
from operations.domain.machine import ACTIVE
from operations.models import Run
from operations.runtime.reconcile import abandoned
from tests.builders import HOSTS
from tests.laws import people
from tests.laws.double import Fate
from tests.laws.office import Office, WorkerDied, around
from tests.laws.people import DOORS

PROCEDURES = ("install_galera", "backup_database", "apply_settings")
DANGEROUS = st.sampled_from(("install_galera", *PROCEDURES))
ANSWERS = ("backup", "backup", "waiver", "wrong waiver", "nothing")
HISTORIES = int(os.environ.get("LAWS", "0"))
TOTAL: Counter[str] = Counter()

fates: st.SearchStrategy[list[Fate]] = st.just([]) | st.lists(st.sampled_from(Fate), max_size=4)

who = st.integers(0, 2)
door = st.sampled_from(DOORS)
pick = st.integers(0, 3)
MEANWHILE = (
    "worker dies",
    "another worker",
    "second delivery",
    "cancel",
    "cancel",
    "cancel",
    "heartbeat",
    "start",
    "resume",
    "settings",
    "backups expire",
    "backups expire",
    "backup files go",
    "node silent",
    "nodes answer",
)
# An undisturbed step takes four or five commands.
meanwhile: st.SearchStrategy[dict[int, str]] = st.integers(0, 3).flatmap(
    lambda least: st.dictionaries(
        st.integers(1, 14), st.sampled_from(MEANWHILE), min_size=least, max_size=4
    )
)


class Laws(RuleBasedStateMachine):
    """Every rule is something that anybody may do at any time."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._stack.enter_context(transaction.atomic())
        self.office = Office()
        self._stack.enter_context(around(self.office))

    def teardown(self) -> None:
        TOTAL.update(self.office.counts)
        TOTAL["histories"] += 1
        TOTAL.update(f"run {state}" for state in Run.objects.values_list("state", flat=True))
        transaction.set_rollback(True)
        self._stack.close()

    @initialize(backup=st.booleans(), away=st.booleans())
    def begin(self, backup: bool, away: bool) -> None:
        if backup:
            self.office.backup_taken()
        if away:
            for node in self.office.nodes.nodes.values():
                node.env["CLUSTER_PRIMARY_HOST"] = HOSTS[1]
        for procedure in PROCEDURES:
            self.office.preview(procedure)

    @rule(procedure=st.sampled_from(PROCEDURES))
    def look_at_a_plan(self, procedure: str) -> None:
        self.office.preview(procedure)

    @rule(
        procedure=st.sampled_from(PROCEDURES),
        who=who,
        door=door,
        answers=st.sampled_from(ANSWERS),
        which=st.sampled_from(["newest", "newest", "newest", "older", "invented"]),
    )
    def start(self, procedure: str, who: int, door: str, answers: str, which: str) -> None:
        office, person = self.office, self.office.people[who]
        plans = office.shown.get(procedure)
        if not plans or (person.user is None and door == "service"):
            return
        plan = plans[-1] if which == "newest" else plans[0]
        told = "0" * 64 if which == "invented" else plan.hash
        before = self._runs()
        given = office.answers(plan, answers, person)
        status = people.start(person, door, office.cluster, plan, told, given)
        self._stranger_changes_nothing(person, before, status)
        new = set(self._runs()) - set(before)
        assert not (new and which == "invented")
        assert not (new and answers in ("nothing", "wrong waiver") and plan.gates)
        assert not (new and answers == "waiver" and not person.may_waive and plan.gates)
        TOTAL["starts"] += 1
        TOTAL["started"] += len(new)

    @rule(
        procedure=DANGEROUS,
        who=st.integers(0, 1),
        door=door,
        answers=st.sampled_from(["backup", "waiver"]),
        fates=fates,
        meanwhile=meanwhile,
    )
    def start_and_work(
        self,
        procedure: str,
        who: int,
        door: str,
        answers: str,
        fates: list[Fate],
        meanwhile: dict[int, str],
    ) -> None:
        """The ordinary way, in which most of what can go wrong goes wrong."""
        self._quiet_morning(procedure)
        self.office.preview(procedure)
        self.start(procedure, who, door, answers, "newest")
        self.work(0, fates, meanwhile)

    def _quiet_morning(self, procedure: str) -> None:
        """Nothing runs any more, every node answers, and there is something to do."""
        self._all_answer()
        self.office.lease_runs_out()
        for run in Run.objects.filter(state__in=ACTIVE).values_list("pk", flat=True):
            self.office.execute(run, [], {})
        for node in self.office.nodes.nodes.values():
            node.member = node.member and procedure != "install_galera"
            wanted = self.office.cluster.revision.peers.as_env()
            node.env = wanted if procedure != "apply_settings" else {**wanted, KEYS[0]: "old"}
        self.office.backup_taken()

    def _all_answer(self) -> None:
        for node in self.office.nodes.nodes.values():
            node.silent = False

    @rule(who=st.integers(0, 1), door=door, fates=fates, meanwhile=meanwhile, heal=st.booleans())
    def resume_and_work(
        self, who: int, door: str, fates: list[Fate], meanwhile: dict[int, str], heal: bool
    ) -> None:
        if heal:
            self._all_answer()
        self._ask(who, door, 0, "resume")
        self.work(0, fates, meanwhile)

    @rule(which=pick, fates=fates, meanwhile=meanwhile)
    def work(self, which: int, fates: list[Fate], meanwhile: dict[int, str]) -> None:
        """A worker gets a message about some run: any, also one that is over or at work already."""
        if run := self._run(which):
            acts = {place: self._act(name, run) for place, name in meanwhile.items()}
            self.office.execute(run, fates, acts)

    @rule(fates=fates, meanwhile=meanwhile)
    def reconcile(self, fates: list[Fate], meanwhile: dict[int, str]) -> None:
        for run in abandoned():
            acts = {place: self._act(name, run) for place, name in meanwhile.items()}
            self.office.execute(run, fates, acts)

    @rule()
    def leases_run_out(self) -> None:
        self.office.lease_runs_out()

    @rule(who=who, door=door, which=pick, verb=st.sampled_from(["cancel", "resume", "resume"]))
    def cancel_or_resume(self, who: int, door: str, which: int, verb: str) -> None:
        self._ask(who, door, which, verb)

    @rule(who=who, door=door, which=pick, step=pick)
    def check(self, who: int, door: str, which: int, step: int) -> None:
        """And the worker that is told to look."""
        if run := self._run(which):
            keys = list(Run.objects.get(pk=run).steps.values_list("key", flat=True))
            key = keys[step % len(keys)]
            self._ask(who, door, which, "check", key)
            tasks.check(run, key)

    @rule()
    def settings_change(self) -> None:
        self.office.settings_change()

    @rule(act=st.sampled_from(["taken", "expire", "go"]))
    def backups(self, act: str) -> None:
        office = self.office
        {
            "taken": office.backup_taken,
            "expire": office.backups_expire,
            "go": office.backup_files_go,
        }[act]()

    @rule(host=st.sampled_from(HOSTS), silent=st.booleans())
    def network(self, host: str, silent: bool) -> None:
        self.office.nodes.nodes[host].silent = silent

    @rule(host=st.sampled_from(HOSTS))
    def a_job_ends_unseen(self, host: str) -> None:
        node = self.office.nodes.nodes[host]
        for job in node.jobs.values():
            if job.alive:
                self.office.nodes.let_work(node, job)

    @rule(host=st.sampled_from(HOSTS))
    def a_member_leaves(self, host: str) -> None:
        self.office.nodes.nodes[host].member = False

    @invariant()
    def laws(self) -> None:
        self.office.check_laws()

    def _runs(self) -> dict[str, tuple[Any, ...]]:
        rows = Run.objects.order_by("created_at")
        return {row[0]: row for row in rows.values_list("pk", "state", "cancelling", "next_line")}

    def _run(self, which: int) -> str | None:
        """The newest run most of the time, an older one sometimes."""
        runs = list(reversed(self._runs()))
        return runs[which % len(runs)] if runs and which else next(iter(runs), None)

    def _ask(self, who: int, door: str, which: int, verb: str, step: str = "") -> None:
        person = self.office.people[who]
        run = self._run(which)
        if run is None or (person.user is None and door == "service"):
            return
        before = self._runs()
        status = people.act(person, door, Run.objects.get(pk=run), verb, step)
        self._stranger_changes_nothing(person, before, status)
        TOTAL[verb] += status in (200, 202, 302)

    def _stranger_changes_nothing(
        self, person: people.Person, before: dict[str, tuple[Any, ...]], status: int
    ) -> None:
        assert status < 500
        if person.user is None:
            assert status in (302, 401, 403)
            assert self._runs() == before

    def _act(self, name: str, run: str) -> Callable[[], None]:
        office = self.office

        def die() -> None:
            raise WorkerDied

        def silence(silent: bool) -> None:
            office.nodes.nodes[HOSTS[1]].silent = silent

        def other_worker() -> None:
            office.lease_runs_out()
            office.execute(run, [], {})

        def cancel() -> None:
            people.act(office.people[1], "service", Run.objects.get(pk=run), "cancel")
            office.heartbeat()

        def start() -> None:
            self.start("backup_database", 0, "token", "backup", "newest")

        acts: dict[str, Callable[[], None]] = {
            "worker dies": die,
            "another worker": other_worker,
            "second delivery": lambda: office.execute(run, [], {}),
            "cancel": cancel,
            "heartbeat": office.heartbeat,
            "start": start,
            "resume": lambda: self._ask(0, "page", 0, "resume"),
            "settings": office.settings_change,
            "backups expire": office.backups_expire,
            "backup files go": office.backup_files_go,
            "node silent": lambda: silence(True),
            "nodes answer": lambda: silence(False),
        }

        def act() -> None:
            note(f"meanwhile: {name}")
            TOTAL[f"meanwhile: {name}"] += 1
            acts[name]()

        return act


@pytest.mark.django_db
@pytest.mark.timeout(7200)
def test_the_laws_hold_after_every_act(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    TOTAL.clear()
    share = settings(
        max_examples=HISTORIES or 30,
        stateful_step_count=30,
        derandomize=not HISTORIES,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Laws, settings=share)
    for name, count in sorted(TOTAL.items()):
        print(f"{name:32} {count:8}")
    for name in ("run succeeded", "run failed", "run interrupted", "run cancelled", "resume"):
        assert TOTAL[name], f"no history had this in it: {name}"
