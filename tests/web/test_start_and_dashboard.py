"""The first page and the dashboard, in every state a cluster can be in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from nodes import services
from nodes.domain.observation import MountFacts, Unknown
from nodes.domain.text import say
from nodes.models import Cluster
from operations.domain.plan import Plan
from tests import builders
from tests.builders import HOSTS
from tests.web import made, sites

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(sites.admin())
    return client


def dashboard(page: Client, site: Cluster) -> str:
    return page.get(reverse("dashboard", args=[site.pk])).content.decode()


def test_without_a_cluster_there_is_one_thing_to_do_and_adoption_for_who_has_one(
    page: Client,
) -> None:
    text = page.get("/").content.decode()
    assert text.count("Plan your cluster") == 1
    assert reverse("cluster-new") in text
    assert text.count(reverse("adopt-new")) == 1


def test_with_a_cluster_the_first_page_is_its_dashboard(page: Client) -> None:
    site = sites.fresh()
    assert page.get("/")["Location"] == reverse("dashboard", args=[site.pk])


def test_with_several_clusters_the_first_page_shows_all_of_them_worst_first(page: Client) -> None:
    well = sites.installed()
    away = sites.made_site("aachen-2")
    sites.observed(away, *(builders.silent(host) for host in HOSTS))
    assert page.get("/")["Location"] == reverse("overview")
    text = page.get(reverse("overview")).content.decode().split("<tbody")[1]
    assert text.index(f"cluster-{away.pk}") < text.index(f"cluster-{well.pk}")
    assert "No server can be reached." in text
    assert "3/3" in text


def test_the_servers_stand_in_the_order_of_the_peer_list(page: Client) -> None:
    hosts = ("10.0.0.13", "10.0.0.11", "10.0.0.12")
    site = sites.made_site(hosts=hosts)
    sites.observed(site, *(builders.node(host) for host in HOSTS))
    text = dashboard(page, site)
    places = [text.index(f'nodes/{host}/">{host}</a>') for host in hosts]
    assert places == sorted(places)


def test_an_unobserved_cluster_is_unknown_and_offers_the_next_step(page: Client) -> None:
    text = dashboard(page, sites.fresh())
    assert 'class="card verdict is-unknown"' in text
    assert "Go on with the installation: Access" in text
    assert "is-ok" not in text.split('data-part="verdict"')[1]


def test_servers_that_do_not_answer_are_unknown_with_the_reason(page: Client) -> None:
    text = dashboard(page, sites.unreachable())
    cards = text.split("node-cards")[1].split('data-part="topology"')[0]
    assert "10.0.0.12 did not answer." in cards
    assert cards.count("node-card is-unknown") == 3
    assert "is-ok" not in cards
    assert "is-failed" not in cards


def test_an_installed_cluster_is_well_and_offers_no_installation(page: Client) -> None:
    site = sites.installed()
    made.made_run("succeeded", ["succeeded"] * 3, cluster=site, plan=gluster_plan())
    text = dashboard(page, site)
    assert 'class="card verdict is-ok"' in text
    assert text.count("Synced, 3 of 3") == 3
    assert "Go on with the installation" not in text


def gluster_plan() -> Plan:
    return replace(made.made_plan(), procedure="install_glusterfs", title=say("Install GlusterFS"))


def test_a_server_that_fails_later_does_not_send_the_admin_back_to_the_installer(
    page: Client,
) -> None:
    site = sites.installed()
    made.made_run("succeeded", ["succeeded"] * 3, cluster=site, plan=gluster_plan())
    sites.observed(site, builders.silent(HOSTS[2]))
    assert "Go on with the installation" not in dashboard(page, site)


def test_a_storage_directory_that_came_loose_is_a_failure(page: Client) -> None:
    site = sites.installed()
    sites.observed(site, replace(builders.well(HOSTS[1]), mount=MountFacts(mounted=False)))
    text = dashboard(page, site)
    assert "its files are not replicated" in text
    assert "node-card is-failed" in text


def test_a_hostile_answer_of_a_server_stays_text(page: Client) -> None:
    site = sites.installed()
    evil = Unknown(say("%(raw)s", raw="<script>alert(1)</script>"))
    sites.observed(site, replace(builders.well(HOSTS[0]), galera=evil, hostname="<b>x</b>"))
    text = dashboard(page, site)
    assert "<script>alert" not in text
    assert "<b>x</b>" not in text


def test_the_active_run_stands_in_the_header(page: Client) -> None:
    site = sites.installed()
    run = made.made_run("running", ["running", "pending", "pending"], cluster=site)
    strip = page.get(reverse("strip", args=[site.pk])).content.decode()
    assert reverse("run", args=[run.pk]) in strip
    assert "Install Galera" in strip


def test_check_now_asks_the_servers(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    site = sites.installed()
    asked: list[int] = []
    monkeypatch.setattr(services, "observe", lambda *, cluster: asked.append(cluster.pk))
    page.post(reverse("observe", args=[site.pk]))
    assert asked == [site.pk]
    assert page.get(reverse("observe", args=[site.pk])).status_code == 405


def test_the_settings_page_shows_the_three_lines_and_who_saved_them(page: Client) -> None:
    site = sites.installed()
    text = page.get(reverse("settings", args=[site.pk])).content.decode()
    assert "GALERA_PEER_HOSTS=10.0.0.11,10.0.0.12,10.0.0.13" in text
    assert "CLUSTER_PRIMARY_HOST=10.0.0.11" in text
    assert sites.SECRET not in text
