"""Changing the primary in a real browser: choose, read the plan, type the name; the line of a fence."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from nodes.models import Cluster
from operations.models import Fence, Run
from tests.browser.log_page import Server
from tests.browser_fixture import chromium_path
from tests.builders import HOSTS, silent, synced, well
from tests.web import sites
from tests.web.made import made_run

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium_path() is None, reason="needs Chromium"),
]
A, B, C = HOSTS
Shot = Callable[[str], None]


class Told(Server):
    app = "tests.browser.told_servers:application"


@pytest.fixture
def server(transactional_db: None, broker_url: str) -> Iterator[Server]:
    served = Told()
    served.start()
    yield served
    served.cut()


@pytest.fixture
def site(server: Server) -> Cluster:
    return sites.installed()


@pytest.fixture
def shot(page: Page) -> Shot:
    """`SHOTS=folder` keeps pictures in both themes."""
    folder = os.environ.get("SHOTS", "")

    def take(name: str) -> None:
        for theme in ("light", "dark") if folder else ():
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=Path(folder) / f"{name}-{theme}.png")

    return take


def test_another_server_is_chosen_and_its_name_typed(
    page: Page, server: Server, site: Cluster, shot: Shot
) -> None:
    page.goto(f"{server.url}/clusters/{site.pk}/")
    page.get_by_role("link", name="Primary", exact=True).click()
    shot("choose")
    page.get_by_label(B).check()
    page.get_by_role("button", name="See the plan").click()
    button = page.get_by_role("button", name=f"Make {B} the primary")
    expect(button).to_be_disabled()
    shot("plan")
    page.get_by_label("Type").fill(B)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{server.url}/clusters/{site.pk}/plan/change_primary/?primary={B}")
    button.click()
    page.wait_for_url("**/runs/*/")
    shot("run")
    assert Run.objects.get().plan.primary == B
    assert site.revision.cluster_primary_host == B


def test_a_dead_primary_is_confirmed_and_its_fence_stands_above_every_page_until_it_is_closed(
    page: Page, server: Server, site: Cluster, shot: Shot
) -> None:
    sites.observed(site, silent(A), *(replace(well(h), galera=synced(2)) for h in (B, C)))
    page.goto(f"{server.url}/clusters/{site.pk}/primary/?primary={C}")
    expect(page.get_by_label(A)).to_be_disabled()
    page.get_by_role("button", name="See the plan").click()
    shot("plan-dead")
    page.get_by_label(f"Type {A}").fill(A)
    page.get_by_label(f"Type {C}").fill(C)
    page.get_by_role("button", name=f"Make {C} the primary").click()
    page.wait_for_url("**/runs/*/")
    line = page.get_by_text(f"{A} was not told of the change of the primary")
    expect(line).to_be_visible()
    shot("run-dead")
    page.goto(f"{server.url}/clusters/{site.pk}/")
    expect(line).to_be_visible()
    shot("dashboard-dead")
    page.get_by_role("link", name="Details").click()
    expect(page.get_by_text("Nothing else closes it")).to_be_visible()
    shot("fence")
    Fence.objects.update(closed_at=timezone.now(), evidence={"env_equals": {}})
    expect(line).to_be_hidden()


def test_never_observed_and_two_fences(
    page: Page, server: Server, site: Cluster, shot: Shot
) -> None:
    fresh = sites.made_site("kazan")
    page.goto(f"{server.url}/clusters/{fresh.pk}/primary/")
    expect(page.get_by_role("button", name="See the plan")).to_be_visible()
    shot("never-observed")
    run = made_run("failed", cluster=site)
    for host in (A, B):
        Fence.objects.create(
            cluster=site, host=host, run=run, opened_by="olga", opened_at=timezone.now()
        )
    page.goto(f"{server.url}/clusters/{site.pk}/primary/")
    shot("two-fences")
    page.goto(f"{server.url}/clusters/{site.pk}/plan/change_primary/?primary={A}")
    expect(page.get_by_role("heading", name="has a pending fence")).to_be_visible()
    shot("refused")
