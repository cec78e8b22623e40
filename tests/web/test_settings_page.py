"""The settings page: what it shows in every state, and what saving, going back and taking do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nodes import selectors, services
from nodes.domain.observation import EnvFacts
from nodes.domain.text import say
from nodes.models import Cluster
from nodes.services import Look
from operations.models import PendingSettings
from tests import builders
from tests.builders import HOSTS
from tests.web import sites

pytestmark = pytest.mark.django_db
ONE, TWO, THREE = HOSTS
FOUR = "10.0.0.14"


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(sites.admin())
    return client


def text_of(page: Client, name: str, *args: Any, query: str = "") -> str:
    answer = page.get(reverse(name, args=args) + query)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def form(*galera: str, based_on: int = 1, **fields: Any) -> dict[str, Any]:
    hosts = list(galera or HOSTS)
    return {
        "galera_peer_hosts": hosts,
        "same_hosts": "1",
        "cluster_primary_host": hosts[0],
        "based_on": based_on,
        **fields,
    }


def drifted(site: Cluster, **keys: str) -> str:
    values = {**builders.peers().as_env(), **keys}
    env = EnvFacts(True, "2" * 64, values, {"CLUSTER_PRIMARY_HOST": 7}, 1_764_106_069.0)
    sites.observed(site, replace(builders.well(THREE), env=env))
    return selectors.env_difference(site, selectors.latest_facts(site))[2].finding


@pytest.mark.parametrize("make", [sites.fresh, sites.reachable, sites.unreachable, sites.installed])
def test_it_can_be_looked_at_in_every_state(page: Client, make: Callable[[], Cluster]) -> None:
    site = make()
    text = text_of(page, "settings", site.pk)
    assert "GALERA_PEER_HOSTS=" in text
    assert "Save and see the difference" in text
    assert sites.SECRET not in text
    assert text_of(page, "difference", site.pk)


def test_saving_leads_to_the_difference_on_each_server(page: Client) -> None:
    site = sites.reachable()
    answer = page.post(reverse("settings", args=[site.pk]), form(TWO, ONE, THREE, why="rack 2"))
    assert answer["Location"] == reverse("difference", args=[site.pk])
    assert (site.revision.number, site.revision.cluster_primary_host) == (2, TWO)
    assert site.revision.why == "rack 2"
    text = text_of(page, "difference", site.pk)
    assert text.count(f"GALERA_PEER_HOSTS={TWO},{ONE},{THREE}") == 3
    assert reverse("plan", args=[site.pk, "apply_settings"]) in text


def test_saving_what_is_there_makes_no_revision(page: Client) -> None:
    site = sites.reachable()
    answer = page.post(reverse("settings", args=[site.pk]), form())
    assert answer["Location"] == reverse("settings", args=[site.pk])
    assert site.revision.number == 1


def test_the_second_of_two_is_told_and_keeps_what_he_typed(page: Client) -> None:
    site = sites.fresh()
    page.post(reverse("settings", args=[site.pk]), form(ONE, TWO, THREE, FOUR))
    answer = page.post(reverse("settings", args=[site.pk]), form(ONE, THREE, TWO, why="mine"))
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "ivanov saved revision 2 of the settings since you opened revision 1" in text
    assert f"{FOUR} was added to GALERA_PEER_HOSTS." in text
    assert 'value="mine"' in text
    assert 'name="based_on" value="2"' in text
    page.post(reverse("settings", args=[site.pk]), form(ONE, THREE, TWO, based_on=2))
    assert site.revision.galera_peer_hosts == [ONE, THREE, TWO]


def test_what_is_wrong_stands_beside_the_field(page: Client) -> None:
    answer = page.post(reverse("settings", args=[sites.fresh().pk]), form(ONE, "bad host!", THREE))
    assert answer.status_code == 422
    assert "“host!” in GALERA_PEER_HOSTS is neither" in answer.content.decode()


def test_a_running_cluster_says_what_a_new_host_means_before_it_is_saved(page: Client) -> None:
    site = sites.installed()
    address = reverse("settings", args=[site.pk])
    answer = page.post(address, form(*HOSTS, FOUR))
    text = answer.content.decode()
    assert (answer.status_code, site.revision.number) == (409, 1)
    assert "everything in its own database is lost" in text.replace("&#x27;", "'")
    assert f"gluster peer probe {FOUR}" in text
    ticks = [f"galera_add:{FOUR}", f"gluster_add:{FOUR}"]
    assert page.post(address, form(*HOSTS, FOUR, accepted=ticks[:1])).status_code == 409
    assert page.post(address, form(*HOSTS, FOUR, accepted=ticks)).status_code == 302
    left = text_of(page, "difference", site.pk)
    assert reverse("plan", args=[site.pk, "install_galera"]) in left
    assert "add-brick" in left


def test_the_primary_of_a_running_cluster_is_no_choice(page: Client) -> None:
    site = sites.installed()
    text = text_of(page, "settings", site.pk)
    assert "another primary is an operation" in text
    assert reverse("primary", args=[site.pk]) in text
    assert 'type="radio"' not in text
    answer = page.post(reverse("settings", args=[site.pk]), form(cluster_primary_host=TWO))
    assert answer.status_code == 422
    assert "Only the procedure “change_primary”" in answer.content.decode()
    assert 'type="radio"' in text_of(page, "settings", sites.made_site("new").pk)


def test_drift_has_its_line_its_time_and_three_ways_out(page: Client) -> None:
    site = sites.installed()
    finding = drifted(site, CLUSTER_PRIMARY_HOST=TWO)
    text = text_of(page, "settings", site.pk)
    assert f"{THREE} differs in 1 line" in text
    assert '<td class="diff-number">7</td>' in text
    assert "2025-11-25T21:27:49" in text
    assert f"{reverse('plan', args=[site.pk, 'apply_settings'])}?nodes={THREE}" in text
    assert reverse("settings-take", args=[site.pk]) in text
    page.post(f"{reverse('acknowledge', args=[site.pk])}?finding={finding}", {"note": "a test"})
    assert "ignored by ivanov" in text_of(page, "settings", site.pk)
    drifted(site, CLUSTER_PRIMARY_HOST="10.9.9.9")
    assert "ignored by" not in text_of(page, "settings", site.pk)
    assert "write ours, take theirs, or ignore it" in text_of(page, "dashboard", site.pk)


def test_theirs_are_seen_and_then_taken(page: Client) -> None:
    site = sites.installed()
    turned = f"{ONE},{THREE},{TWO}"
    query = f"?host={THREE}&finding={drifted(site, GALERA_PEER_HOSTS=turned)}"
    text = text_of(page, "settings-take", site.pk, query=query)
    assert f"GALERA_PEER_HOSTS={turned}" in text
    address = reverse("settings-take", args=[site.pk]) + query
    assert page.post(address, {"based_on": "1"})["Location"] == reverse(
        "difference", args=[site.pk]
    )
    assert site.revision.galera_peer_hosts == turned.split(",")
    assert page.post(address, {"based_on": "2"})["Location"] == reverse("settings", args=[site.pk])


def test_theirs_are_not_taken_when_that_would_move_the_primary(page: Client) -> None:
    site = sites.installed()
    query = f"?host={THREE}&finding={drifted(site, CLUSTER_PRIMARY_HOST=TWO)}"
    answer = page.post(reverse("settings-take", args=[site.pk]) + query, {"based_on": "1"})
    assert answer.status_code == 409
    assert "change_primary" in answer.content.decode()


def test_history_shows_who_why_what_and_where_and_leads_back(page: Client) -> None:
    site = sites.reachable()
    page.post(reverse("settings", args=[site.pk]), form(ONE, THREE, TWO, why="<b>rack</b>"))
    env = EnvFacts(True, "3" * 64, site.revision.peers.as_env())
    sites.observed(site, builders.node(TWO, env=env))
    text = text_of(page, "settings", site.pk)
    assert "&lt;b&gt;rack&lt;/b&gt;" in text
    row = text.split('<th scope="row">2</th>')[1].split("</tr></tbody>")[0]
    assert "ivanov" in row
    assert TWO in text.split('class="revisions"')[1].split('<th scope="row">1</th>')[0]
    address = reverse("settings-revert", args=[site.pk, 1])
    assert address in text
    assert f"GALERA_PEER_HOSTS={','.join(HOSTS)}" in text_of(page, "settings-revert", site.pk, 1)
    assert page.post(address, {"based_on": "nonsense"}).status_code == 409
    page.post(address, {"based_on": "2"})
    assert (site.revision.number, site.revision.galera_peer_hosts) == (3, list(HOSTS))


def test_a_server_that_gets_its_settings_later_is_told_and_can_be_left_alone(page: Client) -> None:
    site = sites.installed()
    PendingSettings.objects.create(cluster=site, host=THREE, revision=1)
    assert f"{THREE} gets revision 1 as soon as it answers" in text_of(page, "settings", site.pk)
    address = reverse("forget-settings", args=[site.pk])
    assert page.post(address, {"host": THREE}).status_code == 302
    assert PendingSettings.objects.filter(ended_at__lte=timezone.now()).exists()
    assert "as soon as it answers" not in text_of(page, "settings", site.pk)
    assert page.post(address, {"host": THREE}).status_code == 302


def test_what_a_typed_host_answers_is_escaped(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "host_look", _answered)
    text = text_of(page, "look", sites.fresh().pk, query="?host=n1")
    assert "answers on SSH" in text
    assert "&lt;script&gt;" in text
    assert text_of(page, "look-new", query="?host=n1")


def _answered(*, host: str, cluster: Cluster | None, by: User) -> list[Look]:
    return [Look("ssh", "ok", say("answers on SSH")), Look("x", "failed", say("<script>"))]


def test_the_apply_command_is_kept_and_refused_in_words(page: Client) -> None:
    site = sites.fresh()
    address = reverse("apply-command", args=[site.pk])
    page.post(address, {"apply_command": "php artisan config:cache"})
    assert 'value="php artisan config:cache"' in text_of(page, "settings", site.pk)
    answer = page.post(address, {"apply_command": "x" * 1001})
    assert (answer.status_code, "more than 1000 characters" in answer.content.decode()) == (
        422,
        True,
    )


def test_the_wizard_of_a_running_cluster_leads_here_and_moves_no_primary(page: Client) -> None:
    site = sites.installed()
    site.revisions.update(cluster_primary_host=TWO)  # as the procedure leaves it: the lists stay
    address = reverse("wizard", args=[site.pk, "nodes"])
    assert reverse("settings", args=[site.pk]) in page.get(address).content.decode()
    typed = {"galera_peer_hosts": list(HOSTS), "same_hosts": "1", "based_on": "1"}
    assert page.post(address, typed).status_code == 302
    assert site.revision.number == 1
    answer = page.post(address, {**typed, "galera_peer_hosts": [*HOSTS, FOUR]})
    assert (answer.status_code, site.revision.number) == (422, 1)
