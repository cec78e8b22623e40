"""The list of runs, and the dock that is on every page."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.web.made import made_cluster, made_run

pytestmark = pytest.mark.django_db


def test_an_empty_list_teaches_what_a_run_is(signed_in: Client) -> None:
    text = signed_in.get("/runs/").content.decode()
    assert "Nothing has run yet" in text
    assert 'href="/clusters/new/"' in text


def test_the_list_says_who_what_and_where_it_failed(signed_in: Client, olga: User) -> None:
    run = made_run("failed", ["succeeded", "failed", "pending"], by=olga)
    text = signed_in.get("/runs/").content.decode()
    assert f'<a href="/runs/{run.pk}/">Install Galera</a>' in text
    assert "olga" in text
    assert "failed: node2 joins the cluster" in text
    assert "10:00" in text


def test_the_list_can_show_one_cluster(signed_in: Client) -> None:
    here, there = made_cluster("here"), made_cluster("there")
    first, second = made_run("failed", cluster=here), made_run("failed", cluster=there)
    text = signed_in.get(f"/runs/?cluster={here.pk}").content.decode()
    assert f"/runs/{first.pk}/" in text
    assert f"/runs/{second.pk}/" not in text
    assert signed_in.get("/runs/?cluster=x&page=99").status_code == 200


def test_the_dock_shows_what_runs_now_in_every_cluster(signed_in: Client) -> None:
    made_run("succeeded", ["succeeded"] * 3)
    first = made_run("running", ["succeeded", "running", "pending"])
    second = made_run("waiting", cluster=made_cluster("other"))
    text = signed_in.get("/dock/").content.decode()
    assert text.index(first.pk) < text.index(second.pk)
    assert "node2 joins the cluster" in text
    assert "waiting for a worker" in text
    assert "Succeeded" not in text


def test_the_dock_says_how_the_last_run_ended(signed_in: Client) -> None:
    assert "No run yet" in signed_in.get("/dock/").content.decode()
    run = made_run("failed", ["succeeded", "failed", "pending"])
    text = signed_in.get("/dock/").content.decode()
    assert f"/runs/{run.pk}/" in text
    assert "Failed" in text


def test_the_dock_asks_the_database_little(
    signed_in: Client, django_assert_max_num_queries: object
) -> None:
    for number in range(3):
        made_run("running", ["running", "pending", "pending"], cluster=made_cluster(f"c{number}"))
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        signed_in.get("/dock/")
