"""Adopting a cluster, page by page: what is asked, shown, refused and done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clusterpanel.models import AuditEntry
from nodes import selectors, services
from nodes.domain.observation import EnvFacts, Unknown
from nodes.domain.parse_node import unreachable
from nodes.domain.refusal import Refused
from nodes.domain.text import say
from nodes.history import NodeJob, NodeWork
from nodes.models import Cluster
from operations import node_work
from operations.services import plan_preview
from tests import builders
from tests.builders import HOSTS
from tests.web import sites

pytestmark = pytest.mark.django_db
ONE, TWO, THREE = HOSTS
FORM = {
    "name": "kazan",
    "host": ONE,
    "ssh_username": "root",
    "ssh_port": "22",
    "ssh_password": "hunter2",
    "app_dir": "/var/www/html/dpiui2",
}
HELD = NodeWork(
    TWO,
    panel="old panel",
    run="r4n",
    user="petrov",
    since="2026-11-25T21:00:00",
    silent_s=3,
    jobs=(NodeJob("r4n-galera-2", "sh /x/galera_setup.sh -a init_cluster", ("<b>line</b>",)),),
)


UNTRUSTED = Unknown(say("Its key was not accepted."), code="host_key_unknown")


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(sites.admin())
    return client


@pytest.fixture(autouse=True)
def nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody works on the servers."""
    monkeypatch.setattr(node_work, "of", lambda cluster: [])


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each server says when it is asked now, if its key is accepted."""
    facts: dict[str, Any] = {host: builders.well(host) for host in HOSTS}

    def observe(*, cluster: Cluster) -> Any:
        pinned = set(cluster.host_keys.values_list("host", flat=True))
        for host in cluster.revision.peers.hosts:
            known = facts[host] if host in pinned else unreachable(host, builders.NOW, UNTRUSTED)
            sites.observed(cluster, known)
        return selectors.latest_facts(cluster)

    monkeypatch.setattr("nodes.services.adoption.observe", observe)
    return facts


def begun(page: Client) -> Cluster:
    answer = page.post(reverse("adopt-new"), FORM)
    site = Cluster.objects.get(name="kazan")
    assert answer["Location"] == reverse("adopt", args=[site.pk])
    return site


def trust(site: Cluster, *hosts: str) -> None:
    for host in hosts:
        site.host_keys.create(host=host, type="ssh-ed25519", base64="AAAA", sha256=f"SHA256:{host}")


def text_of(page: Client, site: Cluster) -> str:
    return page.get(reverse("adopt", args=[site.pk])).content.decode()


def act(page: Client, site: Cluster, action: str, **more: str) -> Any:
    return page.post(reverse("adopt", args=[site.pk]), {"action": action, **more})


def test_the_first_page_offers_it(page: Client) -> None:
    assert reverse("adopt-new") in page.get(reverse("home")).content.decode()
    assert page.get(reverse("adopt-new")).status_code == 200


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "needs a name"),
        ({"host": "10.0.0.300"}, "neither an address nor a host name"),
        ({"ssh_password": ""}, "neither a private key nor a password"),
        ({"ssh_port": "x"}, "between 1 and 65535"),
        ({"app_dir": "relative"}, "not the path of a directory"),
    ],
)
def test_what_is_wrong_is_said_and_no_secret_comes_back(
    page: Client, change: dict[str, str], said: str
) -> None:
    answer = page.post(reverse("adopt-new"), {**FORM, **change})
    text = answer.content.decode()
    assert (answer.status_code, said in text) == (422, True)
    assert "hunter2" not in text
    assert not Cluster.objects.exists()


def test_while_it_is_adopted_nothing_else_is_offered(page: Client) -> None:
    site = begun(page)
    for name in ("dashboard", "settings", "install"):
        answer = page.get(reverse(name, args=[site.pk]))
        assert answer["Location"] == reverse("adopt", args=[site.pk])
    with pytest.raises(Refused, match="nothing is planned for it yet"):
        plan_preview(cluster=site, procedure="apply_settings", params={})
    assert "Accept the host key" in text_of(page, site)


def test_from_one_host_to_a_managed_cluster(page: Client, answering: dict[str, Any]) -> None:
    site = begun(page)
    assert act(page, site, "read", host=ONE).status_code == 409  # its key is not accepted yet
    trust(site, ONE)
    assert act(page, site, "read", host=ONE).status_code == 302
    assert site.revision.peers == builders.peers()
    text = text_of(page, site)
    assert f"GALERA_PEER_HOSTS={','.join(HOSTS)}" in text
    assert f"Adopted: read from the .env of {ONE}" in text
    assert act(page, site, "finish").status_code == 409
    assert "was not accepted yet" in text
    trust(site, TWO, THREE)
    act(page, site, "read", host=ONE)
    assert "Manage these 3 servers" in text_of(page, site)
    assert act(page, site, "finish")["Location"] == reverse("dashboard", args=[site.pk])
    site.refresh_from_db()
    assert (site.adopting, site.adopted_at is not None) == (False, True)
    assert services.live_now(site)
    assert page.get(reverse("adopt", args=[site.pk])).status_code == 302
    actions = AuditEntry.objects.values_list("action", flat=True)
    assert {"adoption_begin", "adoption_read", "adoption_finish"} <= set(actions)
    assert "hunter2" not in str(list(AuditEntry.objects.values_list("detail", flat=True)))


def test_servers_that_disagree_are_shown_and_one_is_chosen(
    page: Client, answering: dict[str, Any]
) -> None:
    turned = {**builders.peers().as_env(), "GALERA_PEER_HOSTS": f"{ONE},{THREE},{TWO}"}
    answering[TWO] = replace(builders.well(TWO), env=EnvFacts(True, "2" * 64, turned))
    site = begun(page)
    trust(site, *HOSTS)
    act(page, site, "read", host=ONE)
    text = text_of(page, site)
    assert "The servers do not agree" in text
    assert f"Take those of {TWO}" in text
    act(page, site, "read", host=TWO)
    assert site.revision.galera_peer_hosts == [ONE, THREE, TWO]
    assert site.revisions.count() == 1


def test_a_run_that_is_in_progress_there_is_told(
    page: Client, answering: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_work, "of", lambda cluster: [HELD])
    site = begun(page)
    trust(site, *HOSTS)
    act(page, site, "read", host=ONE)
    text = text_of(page, site)
    assert f"{TWO} is held by panel “old panel”: run r4n of petrov" in text
    assert "galera_setup.sh -a init_cluster" in text
    assert "&lt;b&gt;line&lt;/b&gt;" in text


def test_a_running_cluster_is_taken_as_it_is(page: Client, answering: dict[str, Any]) -> None:
    """Two servers, and a primary that is not the first: it runs, so that is no reason to refuse."""
    keys = {
        "GALERA_PEER_HOSTS": f"{ONE},{TWO}",
        "CLUSTER_FS_PEER_HOSTS": f"{ONE},{TWO}",
        "CLUSTER_PRIMARY_HOST": TWO,
    }
    for host in (ONE, TWO):
        answering[host] = replace(builders.well(host), env=EnvFacts(True, "2" * 64, keys))
    site = begun(page)
    trust(site, ONE, TWO)
    assert act(page, site, "read", host=ONE).status_code == 302
    assert act(page, site, "finish").status_code == 302
    assert page.get(reverse("dashboard", args=[site.pk])).status_code == 200
    assert page.get(reverse("settings", args=[site.pk])).status_code == 200


def test_a_file_that_names_nobody_is_refused_in_words(
    page: Client, answering: dict[str, Any]
) -> None:
    answering[ONE] = replace(builders.well(ONE), env=EnvFacts(True, "2" * 64, {}))
    site = begun(page)
    trust(site, ONE)
    answer = act(page, site, "read", host=ONE)
    assert (answer.status_code, "GALERA_PEER_HOSTS is empty" in answer.content.decode()) == (
        409,
        True,
    )


def test_it_can_be_forgotten(page: Client) -> None:
    site = begun(page)
    assert act(page, site, "drop")["Location"] == reverse("home")
    assert not Cluster.objects.exists()
    managed = sites.installed()
    with pytest.raises(Refused, match="managed already"):
        services.adoption_drop(cluster=managed, by=None)
    assert Cluster.objects.count() == 1
