"""While the nodes are simulated, nobody can take what a page shows for real servers."""

from __future__ import annotations

from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from tests.web import sites

pytestmark = pytest.mark.django_db

NOTICE = 'aside class="simulated" aria-label="Simulated servers"'
PAGES = ("dashboard", "install", "settings")


@pytest.fixture
def simulated(settings: Any) -> None:
    settings.SIMULATED_NODES = "/nowhere"


def test_the_notice_is_on_the_sign_in_page(client: Client, simulated: None) -> None:
    assert NOTICE in client.get("/sign-in/").content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_the_notice_is_on_every_page(signed_in: Client, simulated: None, name: str) -> None:
    page = signed_in.get(reverse(name, args=[sites.installed().pk]), follow=True)
    assert NOTICE in page.content.decode()


@pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404", "500"])
def test_the_notice_is_on_pages_about_mistakes(simulated: None, code: str) -> None:
    assert NOTICE in render_to_string(f"{code}.html")


def test_a_script_is_told_too(client: Client, simulated: None) -> None:
    answer = client.get("/api/v1/clusters")
    assert (answer.status_code, answer["Panel-Servers"]) == (401, "simulated")


def test_real_servers_need_no_notice(signed_in: Client) -> None:
    answer = signed_in.get(reverse("dashboard", args=[sites.installed().pk]))
    assert NOTICE not in answer.content.decode()
    assert "Panel-Servers" not in answer
