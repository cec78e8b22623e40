"""Each state of a run has its own page, and each page says what a person can do now."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from nodes.domain.text import say
from operations.models import Run
from tests.web.made import HOSTILE, happened, made_cluster, made_run, printed

pytestmark = pytest.mark.django_db


def page(client: Client, run: Run) -> str:
    answer = client.get(f"/runs/{run.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_running_run_shows_every_step_and_can_be_cancelled(signed_in: Client, olga: User) -> None:
    text = page(signed_in, made_run("running", ["succeeded", "running", "pending"], by=olga))
    assert "Install Galera" in text
    assert "by olga" in text
    assert "1 of 3 proven" in text
    states = re.findall(r'data-step="(\S+)" data-state="(\w+)"', text)
    assert states == [
        ("galera-1-node1", "succeeded"),
        ("galera-2-node2", "running"),
        ("galera-3-node3", "pending"),
    ]
    assert 'id="run-cancel"' in text
    assert "data-elapsed-since" in text


def test_a_run_without_output_says_what_it_waits_for(signed_in: Client) -> None:
    text = page(signed_in, made_run("running", ["running", "pending", "pending"]))
    assert "Waiting for the first output from node1 (connected, job started)" in text
    assert "Waiting for a worker to begin the first step" in page(
        signed_in, made_run("waiting", cluster=made_cluster("other"))
    )


def test_a_dead_worker_is_said_and_that_the_job_goes_on(signed_in: Client) -> None:
    run = made_run("running", ["succeeded", "running", "pending"], alive=False)
    text = page(signed_in, run)
    assert "The worker that drove this run stopped answering" in text
    assert "The job on node2 goes on. No lines are lost." in text
    assert "stopped answering" not in page(signed_in, made_run("succeeded", ["succeeded"] * 3))


def test_a_failed_run_names_the_failed_step_and_what_to_do(signed_in: Client) -> None:
    run = made_run("failed", ["succeeded", "failed", "pending"])
    printed(run, "galera-2-node2", b"starting\nERROR 1698 (28000): Access denied\n")
    text = page(signed_in, run)
    assert "Failed step: node2 joins the cluster" in text
    assert "exit code 7" in text
    assert "ERROR 1698 (28000): Access denied" in text
    assert "Fix and retry “node2 joins the cluster” on node2" in text
    assert f'action="/runs/{run.pk}/resume/"' in text
    assert "Show the commands to do it by hand" in text
    assert "sh /app/galera_setup.sh -a init_cluster" in text
    assert 'id="run-cancel"' not in text


def test_a_cancelled_run_says_that_the_effect_is_unknown(signed_in: Client) -> None:
    sentence = say("%(who)s cancelled it.", who="petrov")
    run = made_run("cancelled", ["succeeded", "cancelled", "pending"], sentence=sentence)
    text = page(signed_in, run)
    assert "petrov cancelled it." in text
    assert "effect unknown until checked" in text
    assert "Continue with “node2 joins the cluster” on node2" in text
    assert "Finished steps are checked again, not run again." in text


def test_an_interrupted_run_is_neither_failed_nor_done(signed_in: Client) -> None:
    text = page(signed_in, made_run("interrupted", ["succeeded", "unknown", "pending"]))
    assert "This run was interrupted" in text
    assert "Failed step" not in text
    assert "Continue with “node2 joins the cluster” on node2" in text


def test_a_succeeded_run_shows_what_was_proven_and_what_comes_next(signed_in: Client) -> None:
    run = made_run("succeeded", ["succeeded"] * 3)
    text = page(signed_in, run)
    assert "All 3 steps done and proven on the nodes" in text
    assert "node3 is Synced." in text
    assert "Next: install GlusterFS" in text
    assert f'href="/clusters/{run.cluster_id}/install/gluster/"' in text


def test_output_of_a_node_is_escaped_wherever_it_stands(signed_in: Client) -> None:
    run = made_run("failed", ["succeeded", "failed", "pending"])
    printed(run, "galera-2-node2", HOSTILE)
    text = page(signed_in, run)
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in text
    assert "<script>alert" not in text
    assert "\x1b" not in text


def test_the_page_carries_no_inline_script_or_style(signed_in: Client) -> None:
    text = page(signed_in, made_run("running", ["succeeded", "running", "pending"]))
    scripts = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", text)
    assert scripts
    assert all('type="application/json"' in script for script in scripts)
    assert not re.search(r"<[^>]+\s(style|on\w+)=", text)


def test_the_page_is_there_without_scripts(signed_in: Client) -> None:
    run = made_run("running", ["succeeded", "running", "pending"])
    printed(run, "galera-2-node2", b"hello from node2\n")
    text = page(signed_in, run)
    assert "hello from node2" in text
    assert '<noscript><meta http-equiv="refresh"' in text


def test_events_are_sentences_and_not_records(signed_in: Client) -> None:
    run = made_run("running", ["succeeded", "running", "pending"])
    happened(run, type="step", step="galera-2-node2", node="node2", state="running", attempt=2)
    text = page(signed_in, run)
    assert "Started again (attempt 2): node2 joins the cluster." in text


def test_the_scripts_get_the_snapshot_and_the_stretches_of_the_log(signed_in: Client) -> None:
    run = made_run("running", ["succeeded", "running", "pending"])
    printed(run, "galera-1-node1", b"a\nb\n")
    printed(run, "galera-2-node2", b"c\n")
    printed(run, "galera-2-node2", b"d\n")
    found = re.search(r'<script id="run-data"[^>]*>(.*?)</script>', page(signed_in, run))
    assert found
    data = json.loads(found.group(1))
    assert data["snapshot"]["last_line"] == 4
    assert data["segments"] == [[1, 2, "galera-1-node1"], [3, 4, "galera-2-node2"]]


def test_the_head_is_sent_again_only_when_it_changed(signed_in: Client) -> None:
    run = made_run("running", ["succeeded", "running", "pending"])
    text = page(signed_in, run)
    address = re.search(r'hx-get="([^"]+head/\?seen=[^"]+)"', text)
    assert address
    assert signed_in.get(address.group(1)).status_code == 204
    run.steps.filter(position=1).update(state="verifying")
    assert signed_in.get(address.group(1)).status_code == 200


def test_cancelling_asks_first_and_then_is_said(signed_in: Client) -> None:
    run = made_run("running", ["succeeded", "running", "pending"])
    asked = signed_in.get(f"/runs/{run.pk}/cancel/").content.decode()
    assert "Cancel “Install Galera”?" in asked
    assert "What it left behind on node2 is unknown until it is checked." in asked
    answer = signed_in.post(f"/runs/{run.pk}/cancel/", {"sure": "on"}, follow=True)
    assert "Stopping the command on node2" in answer.content.decode()
    assert Run.objects.get(pk=run.pk).cancelling


def test_cancelling_a_run_that_is_over_is_refused_in_words(signed_in: Client) -> None:
    run = made_run("succeeded", ["succeeded"] * 3)
    answer = signed_in.post(f"/runs/{run.pk}/cancel/", follow=True)
    assert "is over" in answer.content.decode()


def test_continuing_a_run_that_goes_on_is_refused_in_words(signed_in: Client) -> None:
    run = made_run("running", ["succeeded", "running", "pending"])
    answer = signed_in.post(f"/runs/{run.pk}/resume/", follow=True)
    assert "One run at a time changes a cluster." in answer.content.decode()


def test_nobody_sees_a_run_without_signing_in(client: Client) -> None:
    run = made_run("succeeded", ["succeeded"] * 3)
    for end in ("", "log/", "log.txt", "head/", "search/?q=a", "events"):
        answer = client.get(f"/runs/{run.pk}/{end}")
        assert answer.status_code == 302, end
        assert "/sign-in/" in answer["Location"]
