"""The log of a run in a real browser: nothing missing, nothing twice, and it does what a hand expects."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from operations.models import Run
from operations.runtime import hub
from tests.browser.log_page import (
    LINES,
    STEP,
    Server,
    at_the_end,
    lines_of_text,
    open_run,
    printed,
    shown,
)
from tests.browser_fixture import chromium_path
from tests.web import made
from tests.web.made import HOSTILE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium_path() is None, reason="needs Chromium"),
]


def test_only_the_rows_in_sight_are_in_the_document(page: Page, server: Server, run: Run) -> None:
    open_run(page, server, run)
    at_the_end(page, LINES)
    numbers = shown(page)
    assert numbers[-1] == LINES
    assert len(numbers) < 120
    assert numbers == list(range(numbers[0], LINES + 1))


def test_a_cut_of_three_seconds_loses_no_line_and_repeats_none(
    page: Page, server: Server, run: Run
) -> None:
    open_run(page, server, run)
    at_the_end(page, LINES)
    stop = threading.Event()
    writer = threading.Thread(target=_keep_printing, args=(run, stop))
    writer.start()
    try:
        time.sleep(1)
        server.cut()
        expect(page.locator(".chip")).to_contain_text("nothing is lost")
        time.sleep(3)
        server.start()
        expect(page.locator(".chip-text")).to_contain_text("Replayed", timeout=15_000)
        time.sleep(1)
    finally:
        stop.set()
        writer.join()
    last = Run.objects.get(pk=run.pk).next_line - 1
    assert last > LINES + 400
    at_the_end(page, last)
    for number in range(LINES - 20, last, 25):
        page.evaluate(f"location.hash = 'L{number}'")
        row = page.locator(f'.log-row[data-n="{number}"] .log-text')
        expect(row).to_have_text(f"line {number} of the test")
        numbers = shown(page)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _keep_printing(run: Run, stop: threading.Event) -> None:
    number = LINES
    while not stop.is_set():
        printed(run, STEP, lines_of_text(number, number + 10))
        number += 10
        time.sleep(0.1)
    connection.close()


def test_scrolling_up_pauses_following_and_counts_what_comes(
    page: Page, server: Server, run: Run
) -> None:
    open_run(page, server, run)
    at_the_end(page, LINES)
    page.hover(".log-scroll")
    page.mouse.wheel(0, -300)
    follow = page.locator("[data-follow]")
    expect(follow).to_have_attribute("aria-pressed", "false")
    before = shown(page)[0]
    printed(run, STEP, lines_of_text(LINES, LINES + 128))
    expect(page.locator(".log-behind")).to_contain_text("+128 new lines")
    assert shown(page)[0] == before
    page.click(".log-behind")
    expect(follow).to_have_attribute("aria-pressed", "true")
    at_the_end(page, LINES + 128)


def test_a_link_to_a_line_loads_its_window(page: Page, server: Server, run: Run) -> None:
    open_run(page, server, run, "#L7777")
    row = page.locator('.log-row[data-n="7777"]')
    expect(row).to_contain_text("line 7777 of the test")
    expect(row).to_have_class("log-row is-target")
    expect(row).to_be_in_viewport()


def test_a_cell_shows_only_the_lines_of_its_step(page: Page, server: Server, run: Run) -> None:
    open_run(page, server, run)
    page.click('button[data-step="galera-1-node1"]')
    expect(page.locator('.log-row[data-n="100"]')).to_be_visible()
    assert max(shown(page)) == 100
    page.click('button[data-step="galera-1-node1"]')
    at_the_end(page, LINES)


def test_search_finds_lines_that_were_never_loaded(page: Page, server: Server, run: Run) -> None:
    open_run(page, server, run)
    page.fill(".log-search input", "LINE 1234 OF")
    expect(page.locator(".log-search output")).to_have_text("1 of 1")
    expect(page.locator('.log-row[data-n="1234"] mark')).to_have_text("line 1234 of")


def test_wrapped_lines_are_all_reachable(page: Page, server: Server, run: Run) -> None:
    long = b"".join(b"%d %s\n" % (number, b"word " * 100) for number in range(40))
    last = printed(run, STEP, long)
    open_run(page, server, run)
    page.click("[data-wrap]")
    expect(page.locator(f'.log-row[data-n="{last}"]')).to_be_in_viewport()
    page.hover(".log-scroll")
    seen = set(shown(page))
    for _ in range(60):
        page.mouse.wheel(0, -40)
        page.wait_for_timeout(30)
        seen |= set(shown(page))
    assert set(range(last - 39, last + 1)) <= seen


def test_output_of_a_node_is_never_markup(page: Page, server: Server, run: Run) -> None:
    last = printed(run, STEP, HOSTILE)
    open_run(page, server, run)
    row = page.locator(f'.log-row[data-n="{last}"] .log-text')
    expect(row).to_have_text("<script>alert('x')</script> <b>red</b> end")
    expect(row.locator(".fg-1")).to_have_text("<b>red</b>")
    assert row.locator("script, b").count() == 0


def test_the_end_of_the_run_brings_its_outcome(page: Page, server: Server, run: Run) -> None:
    open_run(page, server, run)
    run.steps.filter(key=STEP).update(state="failed", exit_code=1)
    Run.objects.filter(pk=run.pk).update(state="failed")
    last = made.happened(
        run, type="step", step=STEP, node="node2", state="failed", attempt=1, exit_code=1
    )
    hub.notify(run.pk, last)
    expect(page.locator(".outcome h2")).to_contain_text("Failed step: node2 joins the cluster")
    expect(page.locator(".chip")).to_have_attribute("data-state", "ended")
    expect(page.locator(f'button[data-step="{STEP}"]')).to_have_attribute("data-state", "failed")


def test_a_worker_that_took_over_is_said(page: Page, server: Server, run: Run) -> None:
    open_run(page, server, run)
    last = made.happened(run, type="attached", step=STEP, node="node2", text=None)
    hub.notify(run.pk, last)
    box = page.locator(".run-attached")
    expect(box).to_be_visible()
    expect(box).to_contain_text("attached again to the running step on node2. No lines lost.")


def test_cancelling_asks_for_a_tick_and_escape_lets_it_go_on(
    page: Page, server: Server, run: Run
) -> None:
    open_run(page, server, run)
    page.click("#run-cancel")
    dialog = page.locator("#cancel-dialog")
    expect(dialog.get_by_text("Let it go on")).to_be_focused()
    expect(dialog.locator("[data-confirms]")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.click("#run-cancel")
    dialog.locator("[name=sure]").check()
    dialog.locator("[data-confirms]").click()
    expect(page.locator(".run-top")).to_contain_text("Stopping the command on node2")


HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_hidden_page_gives_its_stream_up_and_comes_back_complete(
    page: Page, server: Server, run: Run
) -> None:
    page.clock.install()
    open_run(page, server, run)
    at_the_end(page, LINES)
    page.evaluate(HIDE, True)
    page.clock.fast_forward(61_000)
    printed(run, STEP, lines_of_text(LINES, LINES + 214))
    page.wait_for_timeout(500)
    assert max(shown(page)) == LINES
    page.evaluate(HIDE, False)
    expect(page.locator(".chip-text")).to_have_text("Replayed 214 lines")
    at_the_end(page, LINES + 214)
