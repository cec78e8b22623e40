"""A node that was away gets the settings as soon as it answers: in whose name, once, and on record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from clusterpanel.models import AuditEntry
from nodes import history
from nodes.domain.facts_json import to_json
from nodes.domain.observation import EnvFacts, NodeFacts, Unknown
from nodes.domain.parse_node import unreachable
from nodes.domain.refusal import Refused
from nodes.domain.text import say
from nodes.models import Observation
from nodes.services import settings_save
from operations import pending, tasks
from operations.models import PendingSettings, Run
from tests.builders import HOSTS, NOW, node, peers
from tests.operations.office import Office

ONE, TWO, THREE = HOSTS
OTHER = EnvFacts(True, "", {**peers().as_env(), "GALERA_PEER_HOSTS": "elsewhere"})
AWAY = unreachable(THREE, NOW, Unknown(say("It did not answer."), code="ssh_unreachable"))
YES = {"later": {"accept": True}}


def seen(office: Office, *nodes: NodeFacts) -> None:
    """Planning and the steady beat see the same."""
    office.see(*nodes)
    for facts in office.facts.nodes:
        Observation.objects.update_or_create(
            cluster=office.cluster,
            host=facts.host,
            defaults={"taken_at": timezone.now(), "facts": to_json(facts)},
        )


@pytest.fixture
def left_out(office: Office) -> Run:
    """The settings were written to node 2 while node 3 was away."""
    seen(office, node(TWO, env=OTHER), AWAY)
    run = office.start("apply_settings", confirmations=YES)
    Run.objects.filter(pk=run.pk).update(state="succeeded")
    return run


def waits() -> list[tuple[str, int]]:
    return list(PendingSettings.objects.filter(ended_at=None).values_list("host", "revision"))


def test_without_the_confirmation_nothing_starts(office: Office) -> None:
    seen(office, node(TWO, env=OTHER), AWAY)
    with pytest.raises(Refused) as refused:
        office.start("apply_settings")
    assert refused.value.first.code == "gate_unanswered"
    assert not PendingSettings.objects.exists()


def test_it_waits_while_the_node_is_away_and_the_pages_can_say_so(
    office: Office, left_out: Run
) -> None:
    pending.deliver(office.cluster)
    assert waits() == [(THREE, 1)]
    (told,) = history.of().waiting_settings(office.cluster)
    assert (told.host, told.revision, told.by, told.said) == (THREE, 1, "ivanov", None)
    assert Run.objects.count() == 1


def test_it_is_written_when_the_node_answers_in_the_name_of_who_asked(
    office: Office, left_out: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.deliver_settings_to, "apply_async", _at_once)
    seen(office, node(THREE, env=OTHER))
    tasks.deliver_settings()
    run = Run.objects.exclude(pk=left_out.pk).get()
    assert run.params == {"nodes": [THREE]}
    assert [step.node for step in run.plan.steps] == [THREE]
    assert (
        run.plan.steps[0].argv[-3:] == left_out.plan.steps[0].argv[-3:]
    )  # the lines that were shown
    assert run.started_by == office.admin
    entry = AuditEntry.objects.get(action="settings.delivered")
    assert entry.who == "ivanov"
    assert entry.detail == {"node": THREE, "revision": 1, "asked_in": left_out.pk, "run": run.pk}
    tasks.deliver_settings()  # the run is active, and it was tried a moment ago
    assert Run.objects.count() == 2


def _at_once(args: tuple[int], **_: Any) -> None:
    tasks.deliver_settings_to(*args)


def test_it_ends_when_the_file_is_right_or_other_settings_were_saved(
    office: Office, left_out: Run
) -> None:
    seen(office)
    pending.deliver(office.cluster)
    assert not waits()
    seen(office, node(TWO, env=OTHER), AWAY)
    again = office.start("apply_settings", confirmations=YES)
    Run.objects.filter(pk=again.pk).update(state="succeeded")
    turned = [ONE, THREE, TWO]
    settings_save(
        cluster=office.cluster,
        by=office.admin,
        based_on=1,
        galera_peer_hosts=turned,
        cluster_fs_peer_hosts=list(HOSTS),
        cluster_primary_host=ONE,
    )
    seen(office, node(THREE, env=OTHER))
    pending.deliver(office.cluster)
    assert not waits()
    assert Run.objects.count() == 2


def test_it_does_not_run_for_somebody_who_left(office: Office, left_out: Run) -> None:
    office.admin.is_active = False
    office.admin.save()
    seen(office, node(THREE, env=OTHER))
    pending.deliver(office.cluster)
    assert not waits()
    assert Run.objects.count() == 1


def test_a_refusal_is_kept_to_be_shown(office: Office, left_out: Run) -> None:
    seen(office, node(THREE, env=OTHER, is_root=False))
    pending.deliver(office.cluster)
    (told,) = history.of().waiting_settings(office.cluster)
    assert told.said
    assert f"not root on {THREE}" in str(told.said)


def test_it_can_be_taken_back(office: Office, left_out: Run) -> None:
    pending.forget(cluster=office.cluster, host=THREE, by=office.operator)
    assert not waits()
    assert AuditEntry.objects.get(action="settings.forgotten").who == "petrov"
    with pytest.raises(Refused, match="No settings wait"):
        pending.forget(cluster=office.cluster, host=THREE, by=office.operator)


def test_a_second_run_takes_over_what_waits(office: Office, left_out: Run) -> None:
    seen(office, node(TWO, env=replace(OTHER, sha256="9" * 64)), AWAY)
    second = office.start("apply_settings", confirmations=YES, by=office.operator)
    (row,) = PendingSettings.objects.filter(ended_at=None)
    assert (row.run, row.by) == (second, office.operator)
