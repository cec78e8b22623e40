"""Nothing is visible without signing in."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.web import sites

pytestmark = pytest.mark.django_db

PAGES = (
    "dashboard",
    "dashboard-events",
    "history",
    "acknowledge",
    "strip",
    "install",
    "settings",
    "host-keys",
)


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_is_sent_to_the_sign_in_page(client: Client, name: str) -> None:
    site = sites.installed()
    answer = client.get(reverse(name, args=[site.pk]))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


def test_the_sign_in_page_names_no_cluster(client: Client) -> None:
    sites.installed()
    page = client.get("/sign-in/").content.decode()
    assert "moscow-1" not in page
    assert "10.0.0.11" not in page


def test_a_wrong_password_is_said_in_words_and_never_repeated(client: Client) -> None:
    sites.admin("correct horse")
    page = client.post("/sign-in/", {"username": "ivanov", "password": "s3cret-typo"}).content
    assert b"do not match" in page
    assert b"s3cret-typo" not in page


def test_signing_in_leads_to_the_page_that_was_asked_for(client: Client) -> None:
    sites.admin("correct horse")
    answer = client.post(
        "/sign-in/?next=/clusters/new/",
        {"username": "ivanov", "password": "correct horse", "next": "/clusters/new/"},
    )
    assert answer["Location"] == "/clusters/new/"


def test_signing_out_needs_a_post(client: Client) -> None:
    client.force_login(sites.admin())
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").status_code == 302
    assert client.get("/").status_code == 302
