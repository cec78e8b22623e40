"""The settings in a real browser: lists, choice of the primary, live answers, conflict, going back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from nodes.domain.observation import EnvFacts
from nodes.models import Cluster
from nodes.services import settings_save
from tests import builders
from tests.browser.log_page import Server
from tests.browser_fixture import chromium_path
from tests.builders import HOSTS
from tests.people.made import person
from tests.web import sites

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium_path() is None, reason="needs Chromium"),
]
ONE, TWO, THREE = HOSTS


@pytest.fixture(scope="module")
def running(django_db_setup: None, broker_url: str) -> Iterator[Server]:
    served = Server()
    served.start()
    yield served
    served.cut()


@pytest.fixture
def server(running: Server, transactional_db: None) -> Server:
    return running


@pytest.fixture
def shot(page: Page) -> Iterator[Page]:
    """With SHOTS= a picture of the end of each test in both themes."""
    yield page
    if folder := os.environ.get("SHOTS"):
        name = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split(" ")[0]
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=Path(folder, f"{name}-{theme}.png"), full_page=True)


def opened(page: Page, server: Server, site: Cluster) -> None:
    page.route(
        "**/settings/look/**", lambda route: route.fulfill(body="", content_type="text/html")
    )
    page.goto(f"{server.url}/clusters/{site.pk}/settings/")
    expect(page.locator("[data-preview]")).to_contain_text("CLUSTER_PRIMARY_HOST=")


def first_list(page: Page) -> list[str]:
    inputs = page.locator('[data-host-list="galera_peer_hosts"] .hosts > .host input')
    return [inputs.nth(place).input_value() for place in range(inputs.count())]


def test_the_chosen_primary_goes_to_the_top_and_the_lines_follow(
    shot: Page, server: Server
) -> None:
    site = sites.reachable()
    opened(shot, server, site)
    shot.get_by_role("radio", name=THREE).check()
    assert first_list(shot) == [THREE, ONE, TWO]
    expect(shot.locator("[data-preview]")).to_have_text(
        f"GALERA_PEER_HOSTS={THREE},{ONE},{TWO}\n"
        f"CLUSTER_FS_PEER_HOSTS={THREE},{ONE},{TWO}\nCLUSTER_PRIMARY_HOST={THREE}"
    )
    expect(shot.get_by_text("Not saved yet.")).to_be_visible()
    shot.get_by_label("Move up").nth(2).click()
    shot.get_by_label("Move up").nth(1).click()
    expect(shot.get_by_role("radio", name=TWO)).to_be_checked()
    shot.get_by_role("button", name="Save and see the difference").click()
    expect(shot.get_by_role("heading", name="Difference on each server")).to_be_visible()
    assert site.revision.galera_peer_hosts == [TWO, THREE, ONE]
    expect(shot.get_by_role("link", name="See the plan to write them")).to_be_visible()


def test_a_host_that_is_typed_tells_what_it_answers(shot: Page, server: Server) -> None:
    site = sites.reachable()
    asked: list[str] = []

    def answer(route: Route, request: Request) -> None:
        host = request.url.split("host=")[1]
        if host in HOSTS:
            route.fulfill(body="", content_type="text/html")
        else:
            asked.append(host)
            route.continue_()

    opened(shot, server, site)
    shot.unroute("**/settings/look/**")
    shot.route("**/settings/look/**", answer)
    last = shot.locator('[data-host-list="galera_peer_hosts"] .host').nth(2)
    last.locator("input").fill("")
    last.locator("input").press_sequentially("10.0.0.300", delay=20)
    expect(last.locator("[data-looks]")).to_contain_text("neither an address nor a host name")
    assert asked == ["10.0.0.300"]  # once, after the last key
    last.locator("input").fill("")
    expect(last.locator("[data-looks]")).to_be_empty()


def test_the_second_admin_is_told_and_decides(shot: Page, server: Server) -> None:
    site = sites.reachable()
    opened(shot, server, site)
    anna = person("anna", "administrator")
    values: dict[str, Any] = {
        "galera_peer_hosts": [ONE, THREE, TWO],
        "cluster_fs_peer_hosts": list(HOSTS),
    }
    settings_save(cluster=site, by=anna, based_on=1, cluster_primary_host=ONE, **values)
    shot.get_by_label("Why").fill("my own reason")
    shot.get_by_label("Move down").nth(0).click()
    shot.get_by_role("button", name="Save and see the difference").click()
    alert = shot.get_by_role("alert").filter(has_text="Somebody else was faster")
    expect(alert).to_contain_text("anna saved revision 2")
    expect(alert).to_contain_text(f"The order of GALERA_PEER_HOSTS is {ONE}, {THREE}, {TWO} now.")
    expect(alert).to_be_focused()
    expect(shot.get_by_label("Why")).to_have_value("my own reason")
    assert site.revision.number == 2
    shot.get_by_role("button", name="Save and see the difference").click()
    expect(shot.get_by_role("heading", name="Difference on each server")).to_be_visible()
    assert (site.revision.number, site.revision.cluster_primary_host) == (3, TWO)


def test_going_back_is_seen_line_by_line_first(shot: Page, server: Server) -> None:
    site = sites.reachable()
    values: dict[str, Any] = {
        "galera_peer_hosts": [ONE, THREE, TWO],
        "cluster_fs_peer_hosts": list(HOSTS),
    }
    anna = person("anna", "administrator")
    settings_save(
        cluster=site, by=anna, based_on=1, cluster_primary_host=ONE, why="rack order", **values
    )
    opened(shot, server, site)
    shot.get_by_role("link", name="Back to revision 1").click()
    expect(shot.locator(".is-removed")).to_have_count(1)
    expect(shot.locator(".is-added")).to_contain_text(f"GALERA_PEER_HOSTS={','.join(HOSTS)}")
    shot.get_by_role("button", name="Save as a new revision").click()
    shot.get_by_role("main").get_by_role("link", name="Settings").click()
    expect(shot.locator(".revisions > tbody > tr")).to_have_count(3)
    assert site.revision.galera_peer_hosts == list(HOSTS)


def test_drift_of_a_running_cluster_and_what_a_fourth_server_means(
    shot: Page, server: Server
) -> None:
    site = sites.installed()
    keys = {**builders.peers().as_env(), "CLUSTER_PRIMARY_HOST": THREE}
    env = EnvFacts(True, "2" * 64, keys, {"CLUSTER_PRIMARY_HOST": 7}, 1_764_106_069.0)
    sites.observed(site, replace(builders.well(THREE), env=env))
    opened(shot, server, site)
    drift = shot.locator(".drift")
    expect(drift).to_contain_text(f"{THREE} differs in 1 line")
    expect(drift.get_by_role("link", name="Write ours")).to_be_visible()
    shot.get_by_role("button", name="Add a host").first.click()
    shot.keyboard.type("127.0.0.1")
    shot.get_by_role("button", name="Save and see the difference").click()
    means = shot.locator(".consequences")
    expect(means).to_contain_text("joins the running database cluster by a whole transfer")
    expect(means.get_by_role("checkbox")).to_have_count(2)
    for place in range(2):
        means.get_by_role("checkbox").nth(place).check()
    shot.get_by_role("button", name="Save and see the difference").click()
    expect(shot.get_by_role("heading", name="What the lists do not do")).to_be_visible()
    assert len(site.revision.galera_peer_hosts) == 4
