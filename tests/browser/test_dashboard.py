"""The dashboard in a real browser: what it says by itself when the cluster changes or falls silent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from nodes.announcing import SEEN
from nodes.models import Cluster
from nodes.services.acknowledging import acknowledgements_settle
from tests.browser.log_page import Server
from tests.browser_fixture import chromium_path
from tests.fakes import facts, seen

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium_path() is None, reason="needs Chromium"),
]
BUDGET = 150_000
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
OPEN_AND_MUTE = """window.streams = 0;
window.EventSource = class extends EventTarget {
  static OPEN = 1;
  static CLOSED = 2;
  constructor() {
    super();
    window.streams += 1;
    this.readyState = 1;
    queueMicrotask(() => this.onopen?.());
  }
  close() {}
};"""


@pytest.fixture(scope="module")
def running(django_db_setup: None, broker_url: str) -> Iterator[Server]:
    """One server for all of them: it holds nothing that is not in the database."""
    served = Server()
    served.start()
    yield served
    served.cut()


@pytest.fixture
def server(running: Server, transactional_db: None) -> Server:
    return running


@pytest.fixture
def site(server: Server) -> Cluster:
    made = seen.cluster()
    seen.observed(made, "healthy")
    return made


@pytest.fixture
def now(site: Cluster) -> Callable[[str], None]:
    """The servers say this now, as the steady beat stores and announces it."""

    def say(state: str, silent: str = "") -> None:
        seen.observed(
            site,
            state,
            bend=lambda node: facts.silent(node.host) if node.host == silent else node,
        )
        acknowledgements_settle(cluster=site)
        SEEN.announce(str(site.pk))

    return say


def opened(page: Page, server: Server, site: Cluster, more: str = "") -> None:
    page.goto(f"{server.url}/clusters/{site.pk}/{more}")
    expect(page.locator("#link-state")).to_have_text("Live")


def word(page: Page) -> Any:
    return page.locator("#verdict-word")


def test_what_happens_is_on_the_page_without_a_reload_and_nothing_moves(
    page: Page, server: Server, site: Cluster, now: Any
) -> None:
    opened(page, server, site)
    expect(word(page)).to_have_text("Healthy")
    page.evaluate("window.cards = [...document.querySelectorAll('.node-card')]")
    page.locator("#topology-table > summary").click()
    page.locator("#node-2 h3 a").focus()
    now("one-stopped")
    expect(word(page)).to_have_text("Degraded")
    expect(page.locator("#node-3")).to_contain_text("Stopped")
    expect(page.locator(".strip-live .pill")).to_have_text("Degraded")
    expect(page.locator("#live")).to_contain_text("Degraded")
    expect(page.locator(".link.is-failed")).to_have_count(2)
    now("healthy")
    expect(word(page)).to_have_text("Healthy")
    expect(page.locator(".link.is-failed")).to_have_count(0)
    same = "window.cards.every((card, i) => card === document.querySelectorAll('.node-card')[i])"
    assert page.evaluate(same)
    assert page.evaluate("document.activeElement.closest('li').id") == "node-2"
    assert page.evaluate("document.getElementById('topology-table').open")


def test_an_open_menu_stays_and_follows_what_happens(
    page: Page, server: Server, site: Cluster, now: Any
) -> None:
    opened(page, server, site)
    menu = page.locator("#node-2 details.menu")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    stop = menu.get_by_role("link", name="Stop MariaDB")
    expect(stop).to_be_visible()
    expect(menu.get_by_text("All operations")).to_have_count(0)
    stop.focus()
    page.evaluate("window.link = document.activeElement")
    now("healthy", silent="10.77.2.13")
    expect(stop).to_contain_text("Not now:")
    assert page.evaluate("window.link === document.activeElement")
    page.keyboard.press("Escape")
    expect(stop).to_be_hidden()


def test_a_menu_without_an_answer_leads_to_all_operations(
    page: Page, server: Server, site: Cluster
) -> None:
    opened(page, server, site)
    page.route("**/menu/", lambda route: route.abort())
    page.get_by_label("What can be done to").first.click()
    page.get_by_role("link", name="All operations").click()
    expect(page.locator("h1")).to_have_text("Operations")


def test_a_server_that_falls_silent_is_unknown_until_it_answers_again(
    page: Page, server: Server, site: Cluster, now: Any
) -> None:
    opened(page, server, site)
    now("healthy", silent="10.77.2.12")
    card = page.locator("#node-2")
    expect(card).to_have_class("card node-card is-unknown")
    expect(card).to_contain_text("It did not answer.")
    expect(card.locator(".is-ok, .is-failed")).to_have_count(0)
    now("healthy")
    expect(card).not_to_have_class(re.compile("is-unknown"))
    expect(card).to_contain_text("Synced, 3 of 3")


def test_old_facts_lose_their_colour_and_their_verdict(
    page: Page, server: Server, site: Cluster, now: Any
) -> None:
    seen.observed(site, "healthy", age_s=40)
    opened(page, server, site)
    expect(word(page)).to_have_text("Unknown")
    expect(page.locator(".verdict .age")).to_contain_text("not checked for 4")
    ok = page.locator("#node-1 .state.is-ok .icon").first
    assert ok.evaluate("e => getComputedStyle(e).color") == "rgb(87, 96, 106)"
    now("healthy")
    expect(word(page)).to_have_text("Healthy")
    expect(page.locator(".verdict .age")).to_contain_text("checked")
    assert ok.evaluate("e => getComputedStyle(e).color") == "rgb(26, 127, 55)"


def test_a_panel_that_is_not_heard_is_said_and_comes_back(
    page: Page, server: Server, site: Cluster, now: Any
) -> None:
    page.clock.install()
    opened(page, server, site)
    server.cut()
    page.clock.fast_forward(14_000)
    state = page.locator("#link-state")
    expect(state).to_contain_text("Last heard 1")
    expect(state).to_contain_text("connecting again")
    expect(page.locator("#dashboard")).to_have_class(re.compile("is-cut"))
    server.start()
    now("one-stopped")
    page.clock.fast_forward(4_000)
    page.clock.resume()
    expect(state).to_have_text("Live")
    expect(word(page)).to_have_text("Degraded")
    expect(page.locator("#dashboard")).not_to_have_class(re.compile("is-cut"))


def test_a_slow_panel_is_given_time_to_say_the_first_word(
    page: Page, server: Server, site: Cluster
) -> None:
    page.clock.install()
    page.add_init_script(OPEN_AND_MUTE)
    opened(page, server, site)
    page.clock.run_for(30_000)
    assert page.evaluate("window.streams") == 3  # one at first, and one for each silence of 11 s


def test_a_page_whose_scripts_did_not_come_says_so(
    page: Page, server: Server, site: Cluster
) -> None:
    page.route("**/ages.js", lambda route: route.abort("aborted"))
    page.goto(f"{server.url}/clusters/{site.pk}/")
    expect(page.locator("#link-state")).to_have_text("Not live: reload the page")
    expect(page.locator("#link-state")).to_be_visible()


def test_a_page_that_nobody_sees_holds_no_stream(
    page: Page, server: Server, site: Cluster, now: Any
) -> None:
    streams: list[str] = []
    page.on("request", lambda r: streams.append(r.url) if r.url.endswith("/events") else None)
    opened(page, server, site)
    assert len(streams) == 1
    page.evaluate(HIDE, True)
    now("one-stopped")
    page.wait_for_timeout(500)
    assert word(page).text_content() == "Healthy"
    page.evaluate(HIDE, False)
    expect(word(page)).to_have_text("Degraded")
    assert len(streams) == 2


def test_acknowledging_by_keyboard_makes_it_quiet_until_it_returns(
    page: Page, server: Server, site: Cluster, now: Any
) -> None:
    now("brick-down")
    opened(page, server, site)
    brick = page.locator('[data-finding^="brick_down:"]')
    brick.locator(".finding-ack").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_be_focused()
    page.keyboard.type("disk ordered")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(brick).to_have_class("finding is-attention is-known")
    expect(brick).to_contain_text("Acknowledged by olga")
    expect(brick).to_contain_text("disk ordered")
    now("brick-down")  # as the beat goes on saying
    expect(word(page)).to_have_text("Degraded")
    now("healthy")
    expect(brick).to_have_count(0)
    now("brick-down")
    expect(brick).to_have_class("finding is-attention")
    expect(brick).not_to_contain_text("disk ordered")


def test_a_server_has_a_page_of_its_own(page: Page, server: Server, site: Cluster) -> None:
    opened(page, server, site)
    page.locator("#node-1 h3 a").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("10.77.2.11")
    row = page.locator("tr", has=page.get_by_role("rowheader", name="Galera", exact=True))
    expect(row).to_contain_text("wsrep_local_state_comment: Synced")
    expect(row).to_contain_text("SHOW GLOBAL STATUS")
    expect(row.locator("[data-age]")).to_contain_text("ago")
    row.locator("summary").click()
    expect(row).to_contain_text("wsrep_local_recv_queue")


def test_a_command_is_copied_with_one_click(page: Page, server: Server, site: Cluster) -> None:
    marked = "systemctl unset-environment _WSREP_NEW_CLUSTER"
    seen.observed(
        site, "healthy", bend=lambda n: replace(n, bootstrap_marker="--wsrep-new-cluster")
    )
    opened(page, server, site)
    page.locator(".verdict [data-copy]").click()
    assert page.evaluate("navigator.clipboard.readText()") == marked


def test_another_range_of_the_history_needs_no_reload(
    page: Page, server: Server, site: Cluster
) -> None:
    opened(page, server, site)
    page.evaluate("window.here = true")
    page.locator("#range-24h").click()
    expect(page.locator("#range-24h")).to_have_attribute("aria-current", "true")
    assert page.evaluate("window.here")


def test_the_first_load_is_small_and_asks_no_other_host(
    page: Page, server: Server, site: Cluster
) -> None:
    seen.month(site, site.observations.first().taken_at.timestamp())  # type: ignore[union-attr]
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: dict[str, float] = {}  # by request; the stream never finishes, what came of it counts
    hosts: set[str] = set()

    def came(event: dict[str, Any]) -> None:
        so_far = sizes.get(event["requestId"], 0)
        sizes[event["requestId"]] = so_far + event["encodedDataLength"]

    def finished(event: dict[str, Any]) -> None:
        sizes[event["requestId"]] = event["encodedDataLength"]

    client.on("Network.dataReceived", came)
    client.on("Network.loadingFinished", finished)
    page.on("request", lambda r: hosts.add(r.url.split("/")[2]))
    opened(page, server, site)
    page.wait_for_load_state("load")
    expect(page.locator("#dock")).not_to_be_empty()
    total = sum(sizes.values())
    print(f"first load: {total:.0f} bytes in {len(sizes)} requests")
    assert 20_000 < total <= BUDGET
    assert hosts == {server.url.removeprefix("http://")}


CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = (c) => [0, 1, 2].map((i) => c[i] / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgba("white");
  };
  const poor = [];
  for (const e of document.querySelectorAll("#dashboard *:not(svg *)")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility()) continue;
    const [a, b] = [light(rgba(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${e.className} ${e.textContent.trim().slice(0, 40)}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_word_can_be_read_in_both_themes(
    page: Page, server: Server, site: Cluster, now: Any, theme: Any
) -> None:
    page.emulate_media(color_scheme=theme)
    opened(page, server, site)
    now("brick-down", silent="10.77.2.12")
    expect(word(page)).to_have_text("Degraded")
    assert page.evaluate(CONTRAST) == []
    now("full-stop")
    expect(word(page)).to_have_text("Full stop")
    assert page.evaluate(CONTRAST) == []
    seen.observed(site, "healthy", age_s=60)
    SEEN.announce(str(site.pk))
    expect(word(page)).to_have_text("Unknown")
    assert page.evaluate(CONTRAST) == []
