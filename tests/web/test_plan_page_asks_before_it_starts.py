"""The plan page: everything is shown, every gate is asked, and a refusal stands where it belongs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from nodes.domain.observation import ClusterFacts
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from nodes.models import Cluster
from operations import gates, planning
from operations.domain.plan import Gate, Plan
from operations.domain.planners import PLANNERS
from operations.models import Backup, Run
from tests.web.made import made_cluster, made_plan, made_run

pytestmark = pytest.mark.django_db

ACCEPT = Gate("lost", "accept", "database", say("The databases of node2 are lost."))
TYPED = Gate("sure", "typed", "site", say("This starts a new cluster."))
BACKUP = Gate("backup-database", "backup", "database", say("Back up the database first."))
Answer = Plan | Refusal


@pytest.fixture
def cluster(db: None, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Its nodes are never asked: what they would say is the planner's answer."""
    monkeypatch.setattr(planning, "observe", lambda **_: ClusterFacts(()))
    return made_cluster()


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], None]:
    def answer(given: Answer) -> None:
        planners = {**PLANNERS, "install_galera": lambda situation: given}
        monkeypatch.setattr(planning, "PLANNERS", planners)

    return answer


def url(cluster: Cluster) -> str:
    return f"/clusters/{cluster.pk}/plan/install_galera/"


def shown(client: Client, cluster: Cluster) -> str:
    answer = client.get(url(cluster))
    assert answer.status_code == 200
    return answer.content.decode()


def start(client: Client, cluster: Cluster, **answers: str) -> Any:
    found = re.search(r'name="plan_hash" value="(\w+)"', shown(client, cluster))
    assert found
    fields = {f"gate-{name.replace('__', '-')}": value for name, value in answers.items()}
    return client.post(url(cluster), {"plan_hash": found.group(1), **fields})


def test_every_step_is_shown_with_its_command_and_its_proof(
    signed_in: Client, cluster: Cluster, planned: Callable[[Answer], None]
) -> None:
    planned(made_plan(warnings=(say("Only two hosts."),)))
    text = shown(signed_in, cluster)
    assert "3 steps" in text
    assert "on 3 nodes" in text
    assert "3 replace data" in text
    assert text.count("sh /app/galera_setup.sh -a init_cluster") >= 3
    assert "node3 is Synced in a Primary component" in text
    assert "Only two hosts." in text
    assert "Install Galera on 3 nodes" in text


def test_the_start_leads_to_the_run(
    signed_in: Client, cluster: Cluster, planned: Callable[[Answer], None]
) -> None:
    planned(made_plan((ACCEPT, TYPED)))
    answer = start(signed_in, cluster, lost__accept="on", sure__typed="site")
    run = Run.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/runs/{run.pk}/"
    assert run.confirmations == {"lost": {"accept": True}, "sure": {"typed": "site"}}


def test_an_unanswered_gate_is_named_beside_itself(
    signed_in: Client, cluster: Cluster, planned: Callable[[Answer], None]
) -> None:
    planned(made_plan((ACCEPT, TYPED)))
    answer = start(signed_in, cluster, lost__accept="on", sure__typed="Site")
    text = answer.content.decode()
    assert answer.status_code == 409
    assert not Run.objects.exists()
    gate = text[text.index('id="gate-sure"') :]
    assert "What was typed is not “site”." in gate
    assert "What was typed" not in text[: text.index('id="gate-sure"')]
    assert re.search(r'name="gate-lost-accept"\s+checked', text)


def test_a_changed_plan_is_shown_again_with_the_difference(
    signed_in: Client, cluster: Cluster, planned: Callable[[Answer], None]
) -> None:
    planned(made_plan())
    old = re.search(r'name="plan_hash" value="(\w+)"', shown(signed_in, cluster))
    assert old
    planned(made_plan(warnings=(say("Now something else."),)))
    answer = signed_in.post(url(cluster), {"plan_hash": old.group(1)})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "The plan changed since you looked at it, so nothing was started." in text
    assert old.group(1) not in re.findall(r'name="plan_hash" value="(\w+)"', text)
    assert not Run.objects.exists()


def test_while_another_run_is_active_the_page_leads_to_it(
    signed_in: Client, cluster: Cluster, planned: Callable[[Answer], None]
) -> None:
    planned(made_plan())
    run = made_run("running", ["running", "pending", "pending"], cluster=cluster)
    text = shown(signed_in, cluster)
    assert "One run at a time" in text
    assert f'href="/runs/{run.pk}/"' in text
    assert re.search(r"data-confirms\s+disabled data-blocked", text)
    answer = start(signed_in, cluster)
    assert answer.status_code == 409
    assert "is active since" in answer.content.decode()


def test_usable_backups_are_offered_and_others_explained(
    signed_in: Client,
    cluster: Cluster,
    planned: Callable[[Answer], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planned(made_plan((BACKUP,)))
    good, old = (backup(cluster, f"/var/backups/{name}.gz") for name in ("good", "old"))
    why = {good.pk: None, old.pk: say("It was verified 90 hours ago.")}
    monkeypatch.setattr(gates, "why_unusable", lambda **_: why)
    text = shown(signed_in, cluster)
    assert f'name="gate-backup-database-choice" value="{good.pk}" checked' in text
    assert f'value="{old.pk}"' not in text
    assert "It was verified 90 hours ago." in text
    assert "11.4\xa0MB" in text
    assert "c" * 64 in text


def backup(cluster: Cluster, path: str) -> Backup:
    return Backup.objects.create(
        cluster=cluster,
        kind="database",
        node="node1",
        path=path,
        bytes=12_000_000,
        sha256="c" * 64,
        verified_at=timezone.now(),
    )


def test_without_a_backup_the_page_offers_to_take_one(
    signed_in: Client, cluster: Cluster, planned: Callable[[Answer], None]
) -> None:
    planned(made_plan((BACKUP,)))
    text = shown(signed_in, cluster)
    assert "There is no usable backup yet." in text
    assert f'href="/clusters/{cluster.pk}/plan/backup_database/"' in text


def test_only_who_may_waive_sees_that_it_is_possible(
    signed_in: Client, chief: Client, cluster: Cluster, planned: Callable[[Answer], None]
) -> None:
    planned(made_plan((BACKUP,)))
    assert "Go on without a backup" not in shown(signed_in, cluster)
    assert "Go on without a backup" in shown(chief, cluster)


def test_a_waiver_needs_the_name_and_a_reason(
    chief: Client, cluster: Cluster, planned: Callable[[Answer], None]
) -> None:
    planned(made_plan((BACKUP,)))
    waiver = {"backup__database__choice": "waive", "backup__database__typed": "site"}
    answer = start(chief, cluster, **waiver, backup__database__reason="no")
    assert "too short" in answer.content.decode()
    reason = "A fresh server, the database is empty."
    answer = start(chief, cluster, **waiver, backup__database__reason=reason)
    assert answer.status_code == 302
    stored = Run.objects.get().confirmations["backup-database"]
    assert stored == {"waiver": {"typed": "site", "reason": reason}}


def test_what_was_typed_is_never_shown_again(
    chief: Client, cluster: Cluster, planned: Callable[[Answer], None]
) -> None:
    planned(made_plan((TYPED,)))
    answer = start(chief, cluster, sure__typed="sitee")
    assert "sitee" not in answer.content.decode()


def test_a_refusal_is_a_page_with_why_fix_evidence_and_the_way_on(
    signed_in: Client, cluster: Cluster, planned: Callable[[Answer], None]
) -> None:
    planned(
        Refusal(
            "settings_not_applied",
            say("The settings differ on %(hosts)s.", hosts="node2"),
            say("Apply the settings first."),
            {"nodes": {"node2": {"CLUSTER_PRIMARY_HOST": "<b>node9</b>"}}},
        )
    )
    text = shown(signed_in, cluster)
    assert "Install Galera: not now" in text
    assert "The settings differ on node2." in text
    assert "Apply the settings first." in text
    assert "node2: CLUSTER_PRIMARY_HOST: &lt;b&gt;node9&lt;/b&gt;" in text
    assert f'href="/clusters/{cluster.pk}/install/settings/"' in text


def test_a_procedure_that_does_not_exist_is_refused_in_words(
    signed_in: Client, cluster: Cluster
) -> None:
    answer = signed_in.get(f"/clusters/{cluster.pk}/plan/make_coffee/")
    assert "There is no procedure “make_coffee”." in answer.content.decode()


def test_the_page_carries_no_inline_script_or_style(
    chief: Client, cluster: Cluster, planned: Callable[[Answer], None]
) -> None:
    planned(made_plan((BACKUP, ACCEPT, TYPED)))
    text = shown(chief, cluster)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<[^>]+\s(style|on\w+)=", text)
