"""The pages with the panel's own key, also without scripts, and who may press what."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from nodes import services
from nodes.models import Cluster
from nodes.transport import servers
from tests.builders import HOSTS
from tests.nodes.test_ssh_keys import Doors
from tests.web import sites

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(sites.admin())
    return client


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> Doors:
    found = Doors()
    found.opens = {host: {sites.KEY} for host in HOSTS}
    monkeypatch.setattr(servers, "connect", found.connect)
    return found


def act(page: Client, site: Cluster, **form: object) -> tuple[int, str]:
    answer = page.post(reverse("ssh-key", args=[site.pk]), form)
    return answer.status_code, answer.content.decode()


def test_the_wizard_makes_the_first_key(page: Client) -> None:
    site = sites.fresh()
    form = {"ssh_username": "panel", "ssh_port": "22", "then": "make"}
    address = reverse("wizard", args=[site.pk, "access"])
    text = page.post(address, form, follow=True).content.decode()
    site.refresh_from_db()
    shown = services.ssh_keys_shown(cluster=site).in_use
    assert shown
    assert shown.sha256 in text
    assert "useradd" in text
    assert "Let the panel make a key" not in text
    assert site.ssh_private_key.splitlines()[4] not in text


def test_a_cluster_is_adopted_with_a_key_that_the_panel_makes(page: Client) -> None:
    form = {"name": "New", "host": "10.0.0.1", "ssh_username": "root", "ssh_port": "22"}
    form |= {"app_dir": "/app", "then": "make"}
    answer = page.post(reverse("adopt-new"), form, follow=True)
    site = Cluster.objects.get(name="New")
    shown = services.ssh_keys_shown(cluster=site).in_use
    assert shown
    assert shown.sha256 in answer.content.decode()


def test_without_scripts_the_whole_page_comes_back_with_what_was_found(
    page: Client, doors: Doors
) -> None:
    site = sites.reachable()
    status, text = act(page, site, action="make")
    assert (status, "New, not used yet" in text, "<html" in text) == (200, True, True)
    site.refresh_from_db()
    doors.opens[HOSTS[0]].add(site.ssh_other_key)
    shown = services.ssh_keys_shown(cluster=site).other
    assert shown
    sha256, told = shown.sha256, list(HOSTS[1:])
    status, text = act(page, site, action="use", sha256=sha256)
    assert status == 409
    assert f"Use it without {', '.join(told)}" in text
    assert act(page, site, action="use", sha256=sha256, told=told)[0] == 409  # not ticked
    assert act(page, site, action="use", sha256=sha256, told=told, without="1")[0] == 200
    site.refresh_from_db()
    assert site.ssh_other_key == sites.KEY


def test_what_is_gone_is_said_and_nothing_happens(page: Client, doors: Doors) -> None:
    site = sites.reachable()
    for action in ("try", "use", "drop"):
        status, text = act(page, site, action=action, sha256="SHA256:old")
        assert (status, "not there any more" in text) == (409, True)


def test_a_viewer_sees_the_public_half_and_no_button_works(
    client: Client, django_user_model: type[User], doors: Doors
) -> None:
    client.force_login(django_user_model.objects.create_user("vic"))
    site = sites.reachable()
    text = client.get(reverse("wizard", args=[site.pk, "access"])).content.decode()
    shown = services.ssh_keys_shown(cluster=site).in_use
    assert shown
    assert shown.sha256 in text
    for action in ("make", "try", "use", "drop"):
        assert act(client, site, action=action, sha256=shown.sha256)[0] == 403
