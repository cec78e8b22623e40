"""Every operation stands with its verdict before the click: on its page and on each server's card."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from nodes.domain.observation import GlusterVolume, NodeFacts, Unknown
from nodes.models import Cluster
from tests.fakes import facts, recorded, seen
from tests.web import sites
from tests.web.made import made_run

pytestmark = pytest.mark.django_db
ONE, TWO, THREE = recorded.HOSTS


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(sites.admin())
    return client


@pytest.fixture
def site() -> Cluster:
    made = seen.cluster()
    seen.observed(made, "healthy")
    return made


def shown(page: Client, site: Cluster, name: str = "operations") -> str:
    return page.get(reverse(name, args=[site.pk])).content.decode()


def backlog(node: NodeFacts) -> NodeFacts:
    if isinstance(node.gluster_volumes, Unknown):
        return node
    return replace(node, gluster_volumes=tuple(_waits(v) for v in node.gluster_volumes))


def _waits(volume: GlusterVolume) -> GlusterVolume:
    first, *rest = volume.bricks
    return replace(volume, bricks=(replace(first, heal_pending=125), *rest))


def test_everything_is_allowed_while_all_is_well(page: Client, site: Cluster) -> None:
    text = shown(page, site)
    assert "Restart all servers, one after the other" in text
    assert text.count("Allowed now") >= 3 + 1 + 3 * 6  # rolling, stop the cluster, each server
    assert f"plan/restart_node/?node={THREE}&amp;service=host" in text
    assert "is mounted and answers" in text  # nothing to do, and that is well


def test_not_now_says_the_fact_and_what_to_do(page: Client, site: Cluster) -> None:
    seen.observed(site, "healthy", bend=backlog)
    text = shown(page, site)
    assert "125 files wait for healing" in text
    assert "gluster volume heal starts it at once" in text
    assert "Not now:" in text


def test_the_menu_of_a_server_has_the_same_verdicts(page: Client, site: Cluster) -> None:
    address = reverse("node-menu", args=[site.pk, TWO])
    text = page.get(address).content.decode()
    assert f"plan/restart_node/?node={TWO}&amp;service=host" in text
    assert "Not now:" not in text
    seen.observed(site, "healthy", bend=backlog)
    text = page.get(address).content.decode()
    assert "Restart the server" in text
    assert "125 files wait for healing" in text
    assert page.get(reverse("node-menu", args=[site.pk, "10.0.0.99"])).status_code == 404


def test_the_card_of_a_server_leads_to_its_menu_also_without_scripts(
    page: Client, site: Cluster
) -> None:
    card = shown(page, site, "dashboard").split(f"What can be done to {TWO}")
    assert reverse("node-menu", args=[site.pk, TWO]) in card[0]
    assert reverse("operations", args=[site.pk]) in card[1].split("</details>")[0]


def test_what_is_not_known_is_allowed_to_nobody(page: Client, site: Cluster) -> None:
    seen.observed(
        site,
        "healthy",
        bend=lambda node: facts.silent(node.host) if node.host == THREE else node,
    )
    text = shown(page, site)
    assert "Allowed now" not in text.split("One server after the other")[1].split("</section>")[0]


def test_old_facts_allow_nothing(page: Client, site: Cluster) -> None:
    seen.observed(site, "healthy", age_s=600)
    assert "Allowed now" not in shown(page, site)


def test_before_the_first_look_nothing_is_allowed(page: Client) -> None:
    made = seen.cluster("new")
    text = shown(page, made)
    assert "Allowed now" not in text
    assert "was not asked yet" in text


def test_a_stopped_server_can_be_started(page: Client, site: Cluster) -> None:
    seen.observed(site, "one-stopped")
    text = shown(page, site)
    assert "Start MariaDB" in text


def test_a_brick_that_is_down_has_its_remedy_as_the_next_step(page: Client, site: Cluster) -> None:
    seen.observed(site, "brick-down")
    text = shown(page, site, "dashboard")
    assert f"Start the bricks of {THREE} that are down." in text
    verdict = text.split('data-part="verdict"')[1].split('data-part="servers"')[0]
    assert f"plan/start_node/?node={THREE}&amp;service=glusterd" in verdict
    assert "gluster volume start dpiui2 force" in verdict


def test_while_a_run_is_active_it_is_named(page: Client, site: Cluster) -> None:
    made_run("running", cluster=site)
    text = shown(page, site)
    assert "Allowed now" not in text
    assert "“Install Galera” is running now." in text


def test_a_full_stop_without_an_order_leads_to_the_recovery(page: Client, site: Cluster) -> None:
    seen.observed(site, "full-stop")
    text = shown(page, site)
    assert "Nobody remembers in which order the servers were stopped." in text
    assert "Recover Galera instead" in text
