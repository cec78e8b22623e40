"""A cluster that runs is adopted in a real browser, on simulated servers that another panel holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from nodes.models import Cluster
from nodes.simulation.cluster import SimulatedCluster
from nodes.transport.base import script
from nodes.transport.simulated import connect
from operations.runtime import node_lock
from operations.runtime.jobs import Place
from operations.runtime.node_lock import Claim
from tests.browser.log_page import Server
from tests.browser_fixture import chromium_path
from tests.simulation.scenario import SETTINGS
from tests.simulation.sides import APP, Simulated

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium_path() is None, reason="needs Chromium"),
]
A, B, C = HOSTS = ("192.0.2.11", "192.0.2.12", "192.0.2.13")
OTHER = Claim("old panel", "bcdfgh2345", "2026-11-25T20:00:00Z", "maria", HOSTS)


@pytest.fixture
def side(tmp_path: Path) -> Iterator[Simulated]:
    (tmp_path / "nodes").mkdir()
    made = Simulated(SimulatedCluster.create(tmp_path / "nodes" / "site", HOSTS))
    for host in HOSTS:
        transport = connect(made.cluster, made.target(host))
        transport.run(script(SETTINGS, f"{APP}/backend/.env", ",".join(HOSTS), A, timeout_s=30))
    assert node_lock.take(connect(made.cluster, made.target(B)), Place(), OTHER) is None
    yield made
    for host in HOSTS:
        made.power_off(host)


@pytest.fixture
def server(
    side: Simulated,
    tmp_path: Path,
    transactional_db: None,
    broker_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Server]:
    monkeypatch.setenv("SIMULATED_NODES", str(tmp_path / "nodes"))
    served = Server()
    served.start()
    yield served
    served.cut()


def pictured(page: Page, name: str) -> None:
    """With SHOTS= a picture in both themes."""
    if folder := os.environ.get("SHOTS"):
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            page.screenshot(path=Path(folder, f"adopt-{name}-{theme}.png"), full_page=True)


def accept_each(page: Page) -> None:
    """One after the other, as each is compared; the page shows itself again after each."""
    while True:
        expect(page.locator("#keys .key")).not_to_have_count(0)
        forms = page.locator("#keys form")
        left = forms.count()
        if not left:
            return
        forms.first.get_by_role("checkbox").check()
        forms.first.get_by_role("button").click()
        expect(page.locator("#keys form")).to_have_count(left - 1)


def test_from_the_first_page_to_the_dashboard(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.get_by_role("link", name="I already have a cluster: adopt it").click()
    page.get_by_label("Cluster name").fill("kazan")
    page.get_by_label("One of its servers").fill(A)
    page.get_by_label("Or a password").fill("anything")
    pictured(page, "new")
    page.get_by_role("button", name="Look at its host key").click()
    expect(page.get_by_text(f"Accept the host key of {A} first.")).to_be_visible()
    pictured(page, "key")
    accept_each(page)
    page.get_by_role("button", name=f"Read the settings of {A}").click()
    expect(page.locator(".settings-lines")).to_contain_text(f"GALERA_PEER_HOSTS={','.join(HOSTS)}")
    expect(page.get_by_text("The host key was not accepted yet")).to_be_visible()
    accept_each(page)
    page.get_by_role("button", name="Look again").click()
    held = page.get_by_role("status").filter(has_text="is held by panel")
    expect(held).to_contain_text(f"{B} is held by panel “old panel”: run bcdfgh2345 of maria")
    expect(page.locator(".found tbody tr")).to_have_count(3)
    pictured(page, "found")
    page.get_by_role("button", name="Manage these 3 servers").click()
    expect(page.get_by_text("The panel manages this cluster now.")).to_be_visible()
    cluster = Cluster.objects.get()
    assert (cluster.adopting, cluster.revision.peers.hosts) == (False, HOSTS)
