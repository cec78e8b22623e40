"""After a run that did not succeed: a button for what can be done, words for what cannot."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from clusterpanel.models import AuditEntry
from nodes.domain.text import say
from nodes.models import Cluster, SettingsRevision
from operations.domain.abandonment import Locked, why_not
from operations.domain.plan import Gate, Proof
from operations.models import Backup, Run, RunStep
from operations.runtime import journal
from operations.runtime.node_lock import Held, sentence
from tests.web.made import HOSTS, happened, made_cluster, made_plan, made_run

pytestmark = pytest.mark.django_db
RETRY = "Fix and retry “node2 joins the cluster” on node2"
CHECK = "Check what “node2 joins the cluster” left on node2"
FAILED = ["succeeded", "failed", "pending"]
CANCELLED = ["succeeded", "cancelled", "pending"]
KEY = "galera-2-node2"
KEYS = ("GALERA_PEER_HOSTS", "CLUSTER_FS_PEER_HOSTS", "CLUSTER_PRIMARY_HOST")
CONSISTENT = ("/app/backend", "", *(f"{key}={HOSTS[0]}" for key in KEYS), *HOSTS)


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Any:
    return django_capture_on_commit_callbacks


def page(client: Client, run: Run) -> str:
    return client.get(f"/runs/{run.pk}/").content.decode()


def new_revision(cluster: Cluster) -> None:
    old = cluster.revision
    SettingsRevision.objects.create(
        cluster=cluster,
        number=old.number + 1,
        galera_peer_hosts=list(HOSTS),
        cluster_fs_peer_hosts=list(HOSTS),
        cluster_primary_host=HOSTS[0],
    )


@pytest.mark.parametrize("steps", [FAILED, CANCELLED])
def test_changed_settings_are_said_before_anybody_clicks(
    signed_in: Client, steps: list[str]
) -> None:
    run = made_run("failed" if steps is FAILED else "cancelled", steps)
    new_revision(run.cluster)
    text = page(signed_in, run)
    assert f"/runs/{run.pk}/resume/" not in text
    assert "This run cannot be continued." in text
    assert "planned for settings revision 1, now it is 2" in text
    assert "Plan “Install Galera” again" in text
    assert f'href="/clusters/{run.cluster_id}/plan/install_galera/"' in text


def test_the_new_plan_asks_for_the_same_nodes(signed_in: Client) -> None:
    run = made_run("failed", FAILED)
    Run.objects.filter(pk=run.pk).update(params={"nodes": ["node2", "node3"]})
    new_revision(run.cluster)
    assert "plan/install_galera/?nodes=node2&amp;nodes=node3" in page(signed_in, run)


def test_another_run_of_the_cluster_is_named_and_linked(signed_in: Client) -> None:
    run = made_run("failed", FAILED)
    other = made_run("running", ["running", "pending", "pending"])
    text = page(signed_in, run)
    assert f"/runs/{run.pk}/resume/" not in text
    assert f"(run {other.pk})" in text
    assert f'href="/runs/{other.pk}/"' in text


def with_backup(hours: float) -> Run:
    gate = Gate("backup-database", "backup", "database", say("It is overwritten."))
    run = made_run("failed", FAILED, plan=made_plan((gate,)))
    backup = Backup.objects.create(
        cluster=run.cluster,
        kind="database",
        node=HOSTS[0],
        path="/b.gz",
        bytes=1,
        sha256="a" * 64,
        verified_at=timezone.now() - timedelta(hours=hours),
    )
    Run.objects.filter(pk=run.pk).update(confirmations={"backup-database": {"backup": backup.pk}})
    return run


def test_a_backup_that_became_too_old_is_said_with_what_to_do(signed_in: Client) -> None:
    text = page(signed_in, with_backup(hours=25))
    assert "It was verified 25 hours ago; at most 24 are accepted." in text
    assert "Take a new backup and plan the procedure again" in text
    assert "/resume/" not in text


def test_no_page_waits_for_the_node_of_a_backup(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*args: Any) -> None:
        raise AssertionError("the page asked a node")

    monkeypatch.setattr("operations.gates.transport_for", asked)
    assert RETRY in page(signed_in, with_backup(hours=1))


def test_a_run_that_succeeded_offers_nothing_to_continue(signed_in: Client) -> None:
    text = page(signed_in, made_run("succeeded", ["succeeded"] * 3))
    assert "/resume/" not in text
    assert "cannot be continued" not in text


def test_a_failed_run_offers_its_ways_on_in_this_order(signed_in: Client) -> None:
    text = page(signed_in, made_run("failed", FAILED))
    places = [text.index(words) for words in (RETRY, "Run the checks again", "by hand")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("state", "steps"),
    [("cancelled", CANCELLED), ("interrupted", ["succeeded", "unknown", "pending"])],
)
def test_a_doubtful_step_can_be_checked_without_going_on(
    signed_in: Client, committed: Any, state: str, steps: list[str]
) -> None:
    run = made_run(state, steps)
    assert CHECK in page(signed_in, run)
    with committed(execute=True):
        signed_in.post(f"/runs/{run.pk}/check/", {"step": KEY})
    text = page(signed_in, run)
    assert "the broker is away. Try again in a moment." in text  # no worker in this test
    assert Run.objects.get(pk=run.pk).state == state
    events = [line.event for line in journal.read(run.pk) if line.event["type"] == "check"]
    assert events[0]["state"] == "asked"
    entry = AuditEntry.objects.get(action="run.check")
    assert (entry.who, entry.subject) == ("olga", f"run {run.pk} step {KEY}")


def test_the_finding_stands_beside_the_step_until_the_run_goes_on(signed_in: Client) -> None:
    run = made_run("cancelled", CANCELLED)
    found = say("Checked: the effect of “%(title)s” is not there now.", title="x")
    happened(run, type="check", step=KEY, node="node2", state="missing", text=found.to_json())
    text = page(signed_in, run)
    assert text.count("the effect of “x” is not there now.") >= 2  # beside the step and in the log
    happened(run, type="step", step=KEY, node="node2", state="cancelled", attempt=2)
    assert 'class="alert is-attention" role="status"' not in page(signed_in, run)


def test_a_page_that_waits_for_a_finding_asks_and_then_loads_the_journal_with_it(
    signed_in: Client,
) -> None:
    run = made_run("cancelled", CANCELLED)
    asked = say("%(who)s asked.", who="olga").to_json()
    happened(run, type="check", step=KEY, node="node2", state="asked", text=asked)
    text = page(signed_in, run)
    assert "every 2s" in text
    seen = text.split("?seen=")[1].split('"')[0]
    assert signed_in.get(f"/runs/{run.pk}/head/?seen={seen}").status_code == 204
    happened(run, type="check", step=KEY, node="node2", state="there", text=asked)
    answer = signed_in.get(f"/runs/{run.pk}/head/?seen={seen}")
    assert answer["HX-Refresh"] == "true"
    assert "every 2s" not in page(signed_in, run)


def test_the_end_of_a_run_does_not_reload_the_page(signed_in: Client) -> None:
    run = made_run("succeeded", ["succeeded"] * 3)
    assert "HX-Refresh" not in signed_in.get(f"/runs/{run.pk}/head/?seen=running-010-su").headers
    assert "HX-Refresh" not in signed_in.get(f"/runs/{run.pk}/head/").headers


def test_nothing_is_checked_beside_an_active_run(signed_in: Client) -> None:
    run = made_run("cancelled", CANCELLED, cluster=made_cluster())
    made_run("running", ["running", "pending", "pending"])
    assert CHECK not in page(signed_in, run)
    answer = signed_in.post(f"/runs/{run.pk}/check/", {"step": KEY}, follow=True)
    assert "One run at a time changes a cluster." in answer.content.decode()


@pytest.mark.parametrize("step", ["galera-1-node1", "galera-3-node3", "nonsense", ""])
def test_a_step_that_is_not_in_doubt_is_not_checked(signed_in: Client, step: str) -> None:
    run = made_run("cancelled", CANCELLED)
    answer = signed_in.post(f"/runs/{run.pk}/check/", {"step": step}, follow=True)
    assert "is not in doubt" in answer.content.decode()
    assert not AuditEntry.objects.filter(action="run.check").exists()


def test_a_node_that_another_panel_holds_is_named_with_its_run_and_what_to_do(
    signed_in: Client,
) -> None:
    """By the page and by the API, in the same words, and without advice about output."""
    run = made_run("failed", ["failed", "pending", "pending"])
    held = Held("panel two", "bcdfgh2345", "2026-11-22T10:00:00Z", "maria", ("node1",))
    reason = why_not({"node1": Locked(200, 900, "x")})
    words = sentence("node1", held, reason).to_json()
    RunStep.objects.filter(run=run, position=0).update(sentence=words, exit_code=None)
    text = page(signed_in, run)
    told = signed_in.get(f"/api/v1/runs/{run.pk}").json()["failure"]
    assert told["fix"] is None
    for word in ("panel two", "bcdfgh2345", "maria", "2026-11-22T10:00:00Z", "after 900 s"):
        assert word in text
        assert word in told["sentence"]
    assert "Read the last lines" not in text


def test_settings_that_differ_are_applied_by_a_person(signed_in: Client) -> None:
    plan, offer = made_plan(), "Show the difference and apply the settings"
    assert offer not in page(signed_in, made_run("failed", FAILED, plan=plan))
    first, join = plan.stages
    agree = replace(join.steps[0], proof=Proof("primary_consistent", CONSISTENT))
    join = replace(join, steps=(agree, *join.steps[1:]))
    run = made_run("failed", FAILED, plan=replace(plan, stages=(first, join)))
    text = page(signed_in, run)
    assert offer in text
    assert f'href="/clusters/{run.cluster_id}/settings/"' in text
