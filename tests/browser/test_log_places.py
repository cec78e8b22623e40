"""Finding one's way in a log: links to lines, picked lines, copies, marks, a log higher than a browser draws."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from operations.models import Run
from tests.browser.log_page import LINES, STEP, Server, lines_of_text, open_run, printed, shown
from tests.browser_fixture import chromium_path
from tests.e2e.panel import ROOT

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium_path() is None, reason="needs Chromium"),
]


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def numbered(first: int, last: int) -> str:
    return lines_of_text(first - 1, last).decode()


def test_picked_lines_are_an_address_and_a_copy(page: Page, server: Server, run: Run) -> None:
    open_run(page, server, run, "#L7000")
    page.click('.log-row[data-n="7001"] .log-n')
    page.click('.log-row[data-n="7004"] .log-n', modifiers=["Shift"])
    assert page.url.endswith("#L7001-L7004")
    page.locator(".log-scroll").press("Shift+ArrowDown")
    assert page.url.endswith("#L7001-L7005")
    page.reload()
    expect(page.locator(".log-row.is-target")).to_have_count(5)
    expect(page.locator(".log-picked")).to_contain_text("Lines 7001 to 7005")
    page.click("[data-copy-picked]")
    expect(page.locator(".log-note")).to_have_text("Copied 5 lines")
    assert clipboard(page) == numbered(7001, 7005)
    page.locator(".log-scroll").press("Escape")
    expect(page.locator(".log-picked")).to_be_hidden()
    assert "#" not in page.url


def test_a_copy_reaches_beyond_what_is_in_the_document(
    page: Page, server: Server, run: Run
) -> None:
    open_run(page, server, run, "#L3000-L6499")
    page.locator(".log-scroll").press("Control+c")
    expect(page.locator(".log-note")).to_have_text("Copied 3500 lines")
    assert clipboard(page) == numbered(3000, 6499)


def test_without_a_clipboard_the_old_command_copies_the_newest_lines(
    page: Page, server: Server, run: Run
) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    open_run(page, server, run)
    page.click("[data-copy-log]")
    expect(page.locator(".log-note")).to_have_text("Copied 200 lines")
    expect(page.locator("[data-copy-log]")).to_be_focused()
    page.evaluate("delete navigator.clipboard")
    page.fill(".log-search input", "")
    page.locator(".log-search input").press("Control+v")
    pasted = page.input_value(".log-search input")  # a field of one line makes spaces of its ends
    assert pasted.split() == numbered(LINES - 199, LINES).split()


def test_what_the_mouse_selects_is_copied_without_numbers_and_stays_while_it_scrolls(
    page: Page, server: Server, run: Run
) -> None:
    open_run(page, server, run, "#L5000")
    expect(page.locator('.log-row[data-n="5000"]')).to_contain_text("line")
    start = page.locator('.log-row[data-n="5000"] .log-text').bounding_box()
    assert start is not None
    page.mouse.move(start["x"] + 11, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(start["x"] + 200, start["y"] + 50, steps=4)
    for _ in range(10):
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(30)
    page.mouse.move(start["x"] + 201, start["y"] + 90, steps=4)
    page.mouse.up()
    last = shown(page)[-1]
    page.keyboard.press("Control+c")
    expect(page.locator(".log-note")).to_contain_text("Copied")
    copied = clipboard(page).split("\n")
    assert copied[:3] == ["line 5000 of the test", "line 5001 of the test", "line 5002 of the test"]
    assert [int(line.split()[1]) for line in copied] == list(range(5000, 5000 + len(copied)))
    assert 150 < len(copied) <= last - 4999


def test_a_link_keeps_the_step_that_is_shown(page: Page, server: Server, run: Run) -> None:
    open_run(page, server, run)
    page.click('button[data-step="galera-1-node1"]')
    page.click('.log-row[data-n="90"] .log-n')
    assert page.url.endswith("#L90&step=galera-1-node1")
    page.reload()
    expect(page.locator(".log-filter")).to_contain_text("Only:")
    expect(page.locator(".log-row.is-target")).to_have_attribute("data-n", "90")
    assert max(shown(page)) == 100


def test_a_line_that_is_not_there_yet_is_waited_for(page: Page, server: Server, run: Run) -> None:
    wanted = LINES + 50
    open_run(page, server, run, f"#L{wanted}")
    expect(page.locator(".log-note")).to_contain_text("Line 20,050 is not there yet")
    printed(run, STEP, lines_of_text(LINES, LINES + 100))
    expect(page.locator(".log-row.is-target")).to_have_attribute("data-n", str(wanted))
    expect(page.locator(".log-row.is-target")).to_be_in_viewport()


def test_errors_have_a_bar_a_letter_and_a_word_and_can_be_shown_alone(
    page: Page, server: Server, run: Run
) -> None:
    last = printed(run, STEP, b"0 errors\n[Warning] slow\nfatal: no disk\nfine\n")
    open_run(page, server, run)
    error = page.locator(f'.log-row[data-n="{last - 1}"] .log-level')
    expect(error).to_have_text("E")
    expect(error).to_have_attribute("aria-label", "Error")
    expect(page.locator(f'.log-row[data-n="{last - 2}"] .log-level')).to_have_text("W")
    expect(page.locator(f'.log-row[data-n="{last - 3}"] .log-level')).to_have_text("")
    page.click("[data-errors]")
    expect(page.locator(".log-filter")).to_contain_text("read like an error: 1")
    assert shown(page) == [last - 1]
    late = printed(run, STEP, b"fine\ncannot go on\n")
    expect(page.locator(f'.log-row[data-n="{late}"]')).to_be_visible()
    assert shown(page) == [last - 1, late]


def test_finds_are_counted_in_lines_that_come_and_go_round(
    page: Page, server: Server, run: Run
) -> None:
    open_run(page, server, run)
    page.locator(".log-scroll").press("/")
    page.keyboard.type("of the test")
    count = page.locator(".log-search output")
    expect(count).to_contain_text("of 20,000")
    page.locator(".log-search input").press("Control+a")
    page.keyboard.type("line 1999")
    expect(count).to_have_text("2 of 11")
    printed(run, STEP, b"line 1999 again\n")
    expect(count).to_have_text("2 of 12")
    page.locator(".log-scroll").press("N")
    expect(page.locator(".log-row.is-target")).to_have_attribute("data-n", "1999")
    page.locator(".log-scroll").press("N")
    expect(count).to_have_text("12 of 12")
    expect(page.locator(".log-row.is-target")).to_have_attribute("data-n", str(LINES + 1))
    page.locator(".log-scroll").press("n")
    expect(page.locator(".log-row.is-target")).to_have_attribute("data-n", "1999")


def test_a_log_higher_than_a_browser_draws_is_true_at_both_ends_and_between(
    page: Page, server: Server, run: Run
) -> None:
    def shorter(route: object) -> None:
        script = (ROOT / "static/js/run/track.js").read_text()
        body = script.replace("15_000_000", "100_000").replace("1_000_000", "20_000")
        route.fulfill(body=body, content_type="text/javascript")  # type: ignore[attr-defined]

    page.route("**/track*.js", shorter)
    open_run(page, server, run)
    assert page.evaluate("document.querySelector('.log-spacer').offsetHeight") == 100_000
    expect(page.locator(f'.log-row[data-n="{LINES}"]')).to_be_in_viewport()
    for number in (1, 500, 9999, 15_000, LINES - 3):
        page.evaluate(f"location.hash = 'L{number}'")
        row = page.locator(f'.log-row[data-n="{number}"]')
        expect(row).to_contain_text(f"line {number} of")
        expect(row).to_be_in_viewport()
    page.evaluate("location.hash = 'L9999'")
    expect(page.locator('.log-row[data-n="9999"]')).to_be_in_viewport()
    before = page.locator('.log-row[data-n="9999"]').bounding_box()
    page.hover(".log-scroll")
    page.mouse.wheel(0, 60)
    page.wait_for_timeout(200)
    after = page.locator('.log-row[data-n="9999"]').bounding_box()
    assert before is not None
    assert after is not None
    assert before["y"] - after["y"] == pytest.approx(60, abs=1)
    page.locator(".log-scroll").press("Home")
    expect(page.locator('.log-row[data-n="1"]')).to_be_in_viewport()
    page.locator(".log-scroll").press("End")
    expect(page.locator(f'.log-row[data-n="{LINES}"]')).to_be_in_viewport()
