"""The recovery page in a real browser: the crowned server, a refusal, and how it is overridden."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from nodes.domain.observation import ClusterFacts
from nodes.domain.text import say
from nodes.models import Cluster
from operations import planning, situations
from operations import recovery_now as now
from operations.domain.plan import Gate
from operations.domain.planners import PLANNERS
from tests.browser_fixture import chromium_path
from tests.fakes.evidence import evidence
from tests.web.made import made_cluster, made_plan

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium_path() is None, reason="needs Chromium"),
]
Given = Callable[..., None]
SHOTS = os.environ.get("SHOTS", "")  # a folder: keep pictures of what was tested


@pytest.fixture
def cluster(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Served by a thread of this process, so that what the servers say can be made up."""
    for module in (situations, planning):
        monkeypatch.setattr(module, "observe", lambda **_: ClusterFacts(()))
    monkeypatch.setattr(situations, "traces_now", lambda **_: {})
    return made_cluster()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    def words(**case: str) -> None:
        monkeypatch.setattr(now, "evidence_of", lambda situation: evidence(case))

    return words


@pytest.fixture
def chief(browser: Browser, live_server: Any) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    yield context.new_page()
    context.close()


def picture(page: Page, name: str) -> None:
    if SHOTS:
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=str(Path(SHOTS) / f"{name}-{theme}.png"))


def test_evidence_refusal_and_override(
    chief: Page,
    live_server: Any,
    cluster: Cluster,
    given: Given,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page, url = chief, f"{live_server.url}/clusters/{cluster.pk}/recovery/"
    given(n1="at 1118; seen 1118", n2="at 1122; flag; seen 1122", n3="nothing; seen 1120")
    page.goto(url)
    expect(page.get_by_role("heading", name="Begin from n2")).to_be_visible()
    crowned = page.get_by_role("row", name="chosen: n2")
    expect(crowned).to_contain_text("1122")
    picture(page, "chosen")
    page.get_by_text("The same by hand").press("Enter")
    expect(page.get_by_text("galera_new_cluster", exact=True)).to_be_visible()

    given(n1="", n2="starting", n3="failed")
    page.goto(url)
    expect(page.get_by_role("link", name="Take the positions")).to_be_visible()
    picture(page, "unknown")

    given(n1="at 20", n2="silent; seen 30", n3="at 21; marker; socket")
    page.goto(url)
    page.get_by_text("Override this refusal…").press("Enter")
    picture(page, "refused")
    page.get_by_role("link", name="Go on although this is lost").press("Enter")
    expect(page.get_by_text("9 transactions are missing")).to_be_visible()

    loss = say("9 transactions that %(host)s had are lost.", host="n2")
    plan = made_plan((Gate("override-1", "override", "seen:n2", loss),))
    monkeypatch.setattr(planning, "PLANNERS", {**PLANNERS, "recover_galera": lambda s: plan})
    page.goto(f"{live_server.url}/clusters/{cluster.pk}/plan/recover_galera/?accept=seen:n2")
    begin = page.locator("[data-confirms]")
    picture(page, "override")
    expect(begin).to_be_disabled()
    page.get_by_label("Why").fill("the disk of n2 is gone for good")
    expect(begin).to_be_disabled()
    page.get_by_label("to confirm").fill(cluster.name)
    expect(begin).to_be_enabled()
