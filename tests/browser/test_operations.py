"""A rolling restart and a refusal, from the card of a server to the proven end, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from nodes.services import observe
from nodes.simulation import events
from operations import tasks
from operations.models import Run
from operations.runtime import proving
from tests.browser.log_page import Server
from tests.browser_fixture import chromium_path
from tests.laws.test_every_step_fails_once import HOSTS, Site, site
from tests.laws.test_power_on_simulated_servers import TRIES, office

__all__ = ["office", "site"]
ONE, TWO, THREE = HOSTS
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium_path() is None, reason="needs Chromium"),
]


@pytest.fixture
def server(office: Site, broker_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The panel's web server beside the simulated servers; the test is its worker."""
    monkeypatch.setenv("SIMULATED_NODES", str(office.cluster.layout.base.parent))
    monkeypatch.setattr(proving._Waiting, "over", property(lambda self: self._tries >= TRIES))
    served = Server()
    served.start()
    yield served
    served.cut()


def work(office: Site) -> Run:
    """What a worker does with the run that was just accepted."""
    run = Run.objects.get(cluster=office.row, state="waiting")
    tasks.execute(run.pk)
    run.refresh_from_db()
    return run


def opened(
    page: Page, server: Server, office: Site, wanted: str, name: str = "operations/"
) -> None:
    """A busy machine may be too slow for one look at the servers; a person looks again."""
    for _ in range(10):
        observe(cluster=office.row)
        page.goto(f"{server.url}/clusters/{office.row.pk}/{name}")
        if page.get_by_text(wanted).count() and not page.get_by_text("did not answer").count():
            return


def test_a_rolling_restart_and_a_refusal(page: Page, server: Server, office: Site) -> None:
    _restarted(page, server, office)
    _refused(page, server, office)


def _restarted(page: Page, server: Server, office: Site) -> None:
    opened(page, server, office, "Allowed now")
    offer = page.get_by_role("link", name="See the plan: Restart MariaDB on all")
    expect(offer).to_be_visible()
    offer.click()
    for _ in range(10):
        if page.locator(".plan-stage").count():
            break
        page.reload()
    expect(page.locator("h1")).to_contain_text("one after the other")
    turns = page.locator(".plan-stage h2").all_inner_texts()
    assert turns == [f"The turn of {host}" for host in (TWO, THREE, ONE)]
    start = page.get_by_role("button", name="Restart 3 servers")
    expect(start).to_be_disabled()  # the list is not confirmed yet
    for tick in page.locator("input[data-must-tick]").all():
        tick.check()
    start.click()
    expect(page).to_have_url(re.compile("/runs/"))
    run = work(office)
    assert run.state == "succeeded", run.sentence
    expect(page.locator("main")).to_contain_text("Succeeded", timeout=20_000)


def _refused(page: Page, server: Server, office: Site) -> None:
    office.cluster.happen(events.StopUnit(THREE, "mariadb.service"))
    opened(page, server, office, TWO, "")
    menu = page.get_by_label(f"What can be done to {TWO}")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Restart MariaDB").first).to_be_visible()
    page.keyboard.press("Escape")
    opened(page, server, office, f"The database of {THREE} is stopped.")
    reason = page.get_by_text(f"The database of {THREE} is stopped.").first
    expect(reason).to_be_visible()
    page.get_by_role("link", name="Why not: Restart all servers").click()
    expect(page.locator("h1")).to_contain_text("not now")
    expect(page.locator(".no-card")).to_contain_text(f"Bring {THREE} back first.")
    expect(page.locator("button[type=submit]", has_text="Restart")).to_have_count(0)
