"""Random histories of crashes, partitions and half-done changes: the primary is only ever one.

`LAWS=2000 python -m pytest -s tests/laws/test_only_one_primary.py` plays as many histories.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from nodes.domain.refusal import Refused
from operations import services
from operations.domain.machine import RESUMABLE
from operations.models import Run
from operations.runtime.reconcile import abandoned
from tests.builders import HOSTS
from tests.laws.double import Fate
from tests.laws.office import WorkerDied
from tests.laws.primary_office import CHANGE, PrimaryOffice, around_primary

HISTORIES = int(os.environ.get("LAWS", "0"))
TOTAL: Counter[str] = Counter()

host = st.sampled_from(HOSTS)
fates: st.SearchStrategy[list[Fate]] = st.just([]) | st.lists(st.sampled_from(Fate), max_size=4)
MEANWHILE = (
    *("worker dies", "another worker", "second delivery", "cancel", "fence beat", "fence beat"),
    *(f"{act} {place}" for act in ("off", "off", "boot", "reach", "cut") for place in range(3)),
)
meanwhile: st.SearchStrategy[dict[int, str]] = st.dictionaries(
    st.integers(1, 24), st.sampled_from(MEANWHILE), max_size=4
)


class OnlyOne(RuleBasedStateMachine):
    """Every rule is something that may happen at any time."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._stack.enter_context(transaction.atomic())
        self.office = PrimaryOffice()
        self._stack.enter_context(around_primary(self.office))

    def teardown(self) -> None:
        try:
            self.office.end_it()
            self.office.check_laws()
        finally:
            TOTAL.update(self.office.counts)
            TOTAL["histories"] += 1
            transaction.set_rollback(True)
            self._stack.close()

    @rule(to=host, fates=fates, meanwhile=meanwhile)
    def change(self, to: str, fates: list[Fate], meanwhile: dict[int, str]) -> None:
        reached = self.office.reached()
        if to not in reached and len(reached) > 1:
            to = next(host for host in reached if host != self.office.wanted)
        if self.office.start_run(CHANGE, {"primary": to}):
            self.work(fates, meanwhile)

    @rule(off=host, fates=fates, meanwhile=meanwhile, cut=st.booleans())
    def the_primary_dies_and_is_replaced(
        self, off: str, fates: list[Fate], meanwhile: dict[int, str], cut: bool
    ) -> None:
        """The ordinary bad night; `off` may also be another server."""
        (self.office.cut if cut else self.office.power_off)(off)
        to = next(host for host in HOSTS if host not in (off, self.office.wanted))
        self.change(to, fates, meanwhile)

    @rule(fates=fates, meanwhile=meanwhile)
    def work(self, fates: list[Fate], meanwhile: dict[int, str]) -> None:
        acts = {place: self._act(name) for place, name in meanwhile.items()}
        self.office.work(fates, acts)

    @rule(fates=fates, meanwhile=meanwhile)
    def resume(self, fates: list[Fate], meanwhile: dict[int, str]) -> None:
        run = Run.objects.filter(state__in=RESUMABLE).first()
        if run is None:
            return
        try:
            services.run_resume(run=run, by=self.office.people[0].user)
        except Refused as refused:
            self.office.counts[f"resume refused {refused.first.code}"] += 1
            return
        self.office.counts["resumed"] += 1
        self.work(fates, meanwhile)

    @rule()
    def reconcile(self) -> None:
        self.office.lease_runs_out()
        for run in abandoned():
            self.office.execute(run, [], {})

    @rule(place=host)
    def power_off(self, place: str) -> None:
        self.office.power_off(place)

    @rule(place=host)
    def boot(self, place: str) -> None:
        self.office.boot(place)

    @rule(place=host)
    def reach(self, place: str) -> None:
        self.office.reach(place)

    @rule()
    def lost_jobs_end(self) -> None:
        self.office.lost_jobs_end()

    @rule(place=host)
    def cut(self, place: str) -> None:
        self.office.cut(place)

    @rule(dies_after=st.none() | st.integers(1, 6) | st.integers(1, 6))
    def fence_beat(self, dies_after: int | None) -> None:
        self.office.fence_beat(dies_after)

    @rule(dies_after=st.none() | st.integers(1, 6) | st.integers(1, 6), boots=st.booleans())
    def a_fenced_server_is_back(self, dies_after: int | None, boots: bool) -> None:
        for place in sorted(self.office.fenced())[:1]:
            (self.office.boot if boots else self.office.reach)(place)
            self.office.fence_beat(dies_after)

    @rule()
    def something_else_is_wanted(self) -> None:
        if self.office.start_run("backup_database", {}):
            self.office.work([], {})

    @invariant()
    def laws(self) -> None:
        self.office.check_laws()

    def _act(self, name: str) -> Callable[[], None]:
        office = self.office
        word, _, place = name.partition(" ")

        def die() -> None:
            raise WorkerDied

        def another() -> None:
            office.lease_runs_out()
            office.work([], {})

        def cancel() -> None:
            active = Run.objects.filter(state="running").first()
            if active:
                services.run_cancel(run=active, by=office.people[1].user)
                office.heartbeat()

        acts: dict[str, Callable[[], None]] = {
            "worker dies": die,
            "another worker": another,
            "second delivery": lambda: _deliver_again(office),
            "cancel": cancel,
            "fence beat": office.fence_beat,
            "off": lambda: office.power_off(HOSTS[int(place)]),
            "reach": lambda: office.reach(HOSTS[int(place)]),
            "boot": lambda: office.boot(HOSTS[int(place)]),
            "cut": lambda: office.cut(HOSTS[int(place)]),
        }
        chosen = acts[name] if name in acts else acts[word]

        def act() -> None:
            note(f"meanwhile: {name}")
            office.counts[f"meanwhile: {name if name in acts else word}"] += 1
            chosen()

        return act


def _deliver_again(office: PrimaryOffice) -> None:
    for run in Run.objects.filter(state="running").values_list("pk", flat=True):
        office.execute(run, [], {})


@pytest.mark.django_db
@pytest.mark.timeout(7200)
def test_the_primary_is_only_ever_one(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    TOTAL.clear()
    share = settings(
        max_examples=HISTORIES or 80,
        stateful_step_count=20,
        derandomize=not HISTORIES,
        deadline=None,
        print_blob=True,
        phases=(Phase.reuse, Phase.generate),  # a dozen acts are read as they stand
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(OnlyOne, settings=share)
    for name, count in sorted(TOTAL.items()):
        print(f"{name:40} {count:8}")
    for name in (
        "success",
        "success with a silent server",
        "a new primary began",
        "fence.closed",
        "fence.written",
        "one action ended it",
        "refused fence_open",
        "worker died at a fence",
    ):
        assert TOTAL[name], f"no history had this in it: {name}"
