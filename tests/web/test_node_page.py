"""One server's page, its raw answers, and where dpiui2's own page is."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from nodes.domain.observation import PageFacts, Unknown
from nodes.domain.text import say
from nodes.models import Cluster
from nodes.transport import pool
from tests.fakes import recorded, seen
from tests.web import sites

pytestmark = pytest.mark.django_db
HOST = recorded.HOSTS[2]


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(sites.admin())
    return client


@pytest.fixture
def site() -> Cluster:
    made = seen.cluster()
    seen.observed(made, "healthy")
    return made


def shown(page: Client, site: Cluster, host: str = HOST) -> str:
    return page.get(reverse("node", args=[site.pk, host])).content.decode()


def test_it_has_every_group_with_where_each_fact_was_read(page: Client, site: Cluster) -> None:
    text = shown(page, site)
    for title in ("Server", "Database", "Storage", "dpiui2"):
        assert f">{title}</h2>" in text
    assert "cat /proc/sys/kernel/random/boot_id" in text
    assert "wsrep_local_state_comment: Synced" in text


def test_an_unknown_fact_shows_why_and_what_the_server_said(page: Client, site: Cluster) -> None:
    odd = Unknown(say("The server's answer was not understood."), raw="<b>odd</b> words")
    seen.observed(site, "healthy", bend=lambda node: replace(node, mount=odd))
    text = shown(page, site)
    assert "answer was not understood" in text
    assert "&lt;b&gt;odd&lt;/b&gt; words" in text


def test_a_server_that_was_never_asked_and_one_that_does_not_exist(
    page: Client, site: Cluster
) -> None:
    site.observations.all().delete()
    assert "was not asked yet" in shown(page, site)
    assert page.get(reverse("node", args=[site.pk, "10.1.1.1"])).status_code == 404


def test_raw_answers_are_asked_for_and_shown_as_they_come(
    page: Client, site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "transport_for", recorded.connect("healthy"))
    url = reverse("node-raw", args=[site.pk, HOST])
    text = page.post(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in text
    for name in ("identity", "wsrep", "grastate", "peers"):
        assert f"<code>{name}</code>" in text
    assert "safe_to_bootstrap: 0" in text
    assert "raw-answer" in page.post(url).content.decode()


def test_a_server_that_cannot_be_asked_says_why(
    page: Client, site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "transport_for", recorded.connect("one-crashed"))
    silent = next(
        host
        for host in recorded.HOSTS
        if not (recorded.ROOT / "one-crashed" / f"node{host[-1]}.beat.txt").exists()
    )
    text = page.post(reverse("node-raw", args=[site.pk, silent])).content.decode()
    assert f"{silent} did not answer." in text
    assert "Switch it on." in text


def test_dpiui2s_page_is_linked_with_whether_it_answers(page: Client, site: Cluster) -> None:
    there = PageFacts(f"https://{HOST}/", 200)
    seen.observed(site, "healthy", bend=lambda node: replace(node, page=there))
    assert f'href="https://{HOST}/"' in shown(page, site)
    text = page.get(reverse("dashboard", args=[site.pk])).content.decode()
    assert f'href="https://{HOST}/" target="_blank" rel="noopener noreferrer"' in text


def test_its_address_is_saved_or_refused_with_the_reason(page: Client, site: Cluster) -> None:
    url = reverse("page-url", args=[site.pk])
    page.post(url, {"page_url": "https://{host}:8443/"})
    site.refresh_from_db()
    assert site.page_url == "https://{host}:8443/"
    refused = page.post(url, {"page_url": "javascript:alert(1)"})
    assert refused.status_code == 422
    assert "is not the address of a page" in refused.content.decode()
    site.refresh_from_db()
    assert site.page_url == "https://{host}:8443/"


def test_pages_go_compressed_and_so_do_sheets(page: Client, site: Cluster) -> None:
    zipped = {"accept-encoding": "gzip"}
    answer = page.get(reverse("dashboard", args=[site.pk]), headers=zipped)
    assert answer["Content-Encoding"] == "gzip"
    assert b"<!doctype html>" in gzip.decompress(answer.content)
    for headers, encoding in ((zipped, "gzip"), ({}, None)):
        sheet = page.get("/static/css/dashboard.css", headers=headers)
        content = b"".join(sheet.streaming_content)  # type: ignore[attr-defined]
        sheet.close()
        assert sheet.headers.get("Content-Encoding") == encoding
        assert b".verdict" in (gzip.decompress(content) if encoding else content)
