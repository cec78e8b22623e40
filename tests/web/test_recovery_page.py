"""The recovery page: evidence, the crowned server and its rule, the refusal and how it is overridden."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from nodes.domain.actions import procedure
from nodes.domain.observation import ClusterFacts
from nodes.domain.text import say
from nodes.models import Cluster
from nodes.views import parts
from operations import planning, situations
from operations import recovery_now as now
from operations.domain.planners import recover_galera
from operations.domain.recovery_evidence import Evidence
from tests.fakes.evidence import evidence
from tests.web.made import made_cluster

pytestmark = pytest.mark.django_db
Given = Callable[..., None]


@pytest.fixture
def cluster(db: None, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setattr(situations, "observe", lambda **_: ClusterFacts(()))
    monkeypatch.setattr(situations, "traces_now", lambda **_: {})
    return made_cluster()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    def words(**case: str) -> None:
        found: Evidence = evidence(case)
        monkeypatch.setattr(now, "evidence_of", lambda situation: found)

    return words


def page(client: Client, cluster: Cluster, query: str = "") -> str:
    answer = client.get(f"/clusters/{cluster.pk}/recovery/{query}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_chosen_server_is_crowned_with_the_rule_that_chose_it(
    chief: Client, cluster: Cluster, given: Given
) -> None:
    given(n1="at 20", n2="at 25; flag", n3="nothing; seen 24")
    text = page(chief, cluster)
    assert "Begin from n2, then the others join it" in text
    assert "n2 has the highest position, 25, within UUID aaaaaaaa" in text
    assert "5 transactions behind: it receives them and loses nothing." in text
    assert "receives a full copy" in text
    assert f"/clusters/{cluster.pk}/plan/recover_galera/?copy=yes" in text
    assert "galera_new_cluster" in text
    assert "No backup of the database is on record." in text
    assert text.index("is-crowned") < text.index("n2</")


def test_positions_that_are_not_known_lead_to_the_survey(
    chief: Client, cluster: Cluster, given: Given
) -> None:
    given(n1="", n2="starting", n3="at 5")
    text = page(chief, cluster)
    assert "How far n1, n2 got is not known yet." in text
    assert f'href="/clusters/{cluster.pk}/plan/survey_galera/"' in text
    assert "galera_recovery" in text
    assert "Override" not in text


def test_a_refusal_is_overridden_one_named_loss_after_the_other(
    chief: Client, cluster: Cluster, given: Given
) -> None:
    given(n1="at 20", n2="silent; seen 30", n3="at 21")
    text = page(chief, cluster)
    assert "n2 could not be asked" in text
    assert "what only it has is given up" in text
    assert "?accept=silent%3An2" in text
    text = page(chief, cluster, "?accept=silent:n2")
    assert "9 transactions are missing" in text
    token = "seen%3An2%3Aaaaaaaaa-0000-11f1-8000-000000000001%3A30"
    assert f"?accept=silent%3An2&amp;accept={token}" in text
    text = page(chief, cluster, f"?accept=silent:n2&accept={token}")
    assert "Begin from n3" in text
    assert "Accepted, and confirmed with the plan:" in text
    assert f"plan/recover_galera/?accept=silent%3An2&amp;accept={token}" in text


def test_who_has_not_the_role_is_told_whom_to_ask(
    signed_in: Client, cluster: Cluster, given: Given
) -> None:
    given(n1="at 20", n2="silent", n3="at 21")
    text = page(signed_in, cluster)
    assert "You may not override a refusal. Ask an administrator." in text
    assert "accept=" not in text


def test_two_primaries_cannot_be_overridden(chief: Client, cluster: Cluster, given: Given) -> None:
    given(n1="primary 1; at 5", n2="primary 2; at 5", n3="at 5")
    text = page(chief, cluster)
    assert "Two Primary components run at the same time: n1 | n2." in text
    assert "Override" not in text
    assert "two_primaries" not in text  # a refusal has words


def test_the_dashboard_leads_to_the_evidence_and_not_to_a_plan(cluster: Cluster) -> None:
    action = procedure("recover_galera", say("Recover Galera."))
    assert parts._next(cluster, action).url == f"/clusters/{cluster.pk}/recovery/"


def test_a_refused_plan_leads_back_to_the_evidence(
    chief: Client, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "observe", lambda **_: ClusterFacts(()))
    given = evidence({"n1": "", "n2": "at 5", "n3": "at 5"})
    monkeypatch.setattr(recover_galera, "evidence_of", lambda situation: given)
    answer = chief.get(f"/clusters/{cluster.pk}/plan/recover_galera/")
    text = answer.content.decode()
    assert "How far n1 got is not known yet." in text
    assert f'href="/clusters/{cluster.pk}/recovery/"' in text
