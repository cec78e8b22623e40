"""The wizard as an admin clicks through it in Chromium, on whatever servers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser_fixture import chromium, sign_in
from tests.e2e import steps
from tests.e2e.panel import Panel

SCREENSHOTS = Path(__file__).resolve().parent.parent / "screenshots"
RUN_MS = 300_000
SWEEP_MS = 60_000  # a busy machine; the beat is five seconds


@contextmanager
def browser_of(panel: Panel) -> Iterator[Page]:
    """An admin's browser at the reference size; a script error or a CSP violation fails the test."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        sign_in(page, panel)
        yield page
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / "last.png")  # what a failed test saw
        assert not complaints


def install(page: Page, lab: dict[str, Any]) -> None:
    """From signed in to a dashboard that says Healthy."""
    plan_the_cluster(page, lab)
    give_access(page, lab)
    run_the_checks(page, lab)
    start_from_wizard(page, "settings")
    take_backups(page)
    start_from_wizard(page, "galera")
    start_from_wizard(page, "gluster", leave_meanwhile=True)
    expect_a_ready_cluster(page)


def plan_the_cluster(page: Page, lab: dict[str, Any]) -> None:
    page.get_by_role("link", name="Plan your cluster").first.click()
    page.get_by_label("Cluster name").fill("By browser")
    field = page.locator("input[name=galera_peer_hosts]").first
    field.focus()
    paste(page, field, ", ".join(steps.addresses(lab)))
    for line in ("GALERA_PEER_HOSTS=", "CLUSTER_PRIMARY_HOST=" + steps.addresses(lab)[0]):
        expect(page.locator("[data-preview]")).to_contain_text(line)
    go_on(page)


def paste(page: Page, field: Any, text: str) -> None:
    """A real paste event, as Ctrl-V makes one."""
    field.evaluate(
        """(input, text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const event = new ClipboardEvent("paste",
                { clipboardData: data, bubbles: true, cancelable: true });
            if (input.dispatchEvent(event)) input.value = text;
            input.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        text,
    )


def go_on(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^(Save and continue|Next|Continue)")).first.click()


def give_access(page: Page, lab: dict[str, Any]) -> None:
    """The lab's key; the password where there is none. Each host key is compared."""
    if "key" in lab:
        page.get_by_label("Private key").fill(Path(lab["key"]).read_text())
    else:
        page.get_by_text("Use a password instead").click()
        page.get_by_label("Password", exact=True).fill(lab["root_password"])
    page.get_by_role("button", name="Save sign-in").click()
    for node in lab["nodes"]:
        expect(page.locator("#keys")).to_contain_text(node["host_key_sha256"])
        page.get_by_label(re.compile(f"console of {re.escape(node['address'])}")).check()
        page.get_by_role("button", name=f"Accept the key of {node['address']}").click()
        expect(page.locator("#keys form", has_text=node["address"])).to_have_count(0)


def run_the_checks(page: Page, lab: dict[str, Any]) -> None:
    to_step(page, "Checks")
    page.get_by_role("button", name=re.compile("Run all|Check all|Run the checks")).first.click()
    table = page.locator("main table").first
    for address in steps.addresses(lab):
        expect(table).to_contain_text(address, timeout=30_000)


def to_step(page: Page, title: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=re.compile(title)).first.click()


def start_from_wizard(page: Page, step: str, *, leave_meanwhile: bool = False) -> None:
    """The step's page → its plan → start → the run succeeds → the link to what comes next."""
    cluster = page.url.split("/clusters/")[1].split("/")[0] if "/clusters/" in page.url else "1"
    page.goto(f"{page.url.split('/clusters/')[0]}/clusters/{cluster}/install/{step}/")
    page.get_by_role("link", name=re.compile("See the plan")).first.click()
    confirm_and_start(page, leave_meanwhile=leave_meanwhile)


def confirm_and_start(page: Page, *, leave_meanwhile: bool = False) -> None:
    see_the_plan(page)
    for tick in page.locator("input[data-must-tick]").all():
        tick.check()
    base = page.url.split("/clusters/")[0]
    cluster = page.url.split("/clusters/")[1].split("/")[0]
    page.locator("button[data-confirms]").click()
    page.wait_for_url(re.compile("/runs/"))
    expect(page.locator(".log-row").first).to_be_visible(timeout=20_000)
    if leave_meanwhile:
        close_the_browser_for_a_while(page)
    expect(page.locator("#run")).to_contain_text("Succeeded", timeout=RUN_MS)
    page.goto(f"{base}/clusters/{cluster}/")


def see_the_plan(page: Page) -> None:
    """A server of a busy machine may be too slow for one look; the page offers another one."""
    plan = page.locator("button[data-confirms]")
    too_slow = page.get_by_text("did not answer in time").first
    expect(plan.or_(too_slow).first).to_be_visible()
    for _ in range(3):
        if not too_slow.is_visible():
            break
        page.get_by_role("link", name="Look again").first.click()
        expect(plan.or_(too_slow).first).to_be_visible()
    expect(plan).to_be_visible()


def close_the_browser_for_a_while(page: Page) -> None:
    """The run goes on without anybody watching; the page that is opened later has every line."""
    address = page.url
    page.goto("about:blank")
    page.wait_for_timeout(4000)
    page.goto(f"{address}#L1")
    expect(page.locator('.log-n[href="#L1"]')).to_be_attached(timeout=15_000)


def take_backups(page: Page) -> None:
    base = page.url.split("/clusters/")[0]
    cluster = page.url.split("/clusters/")[1].split("/")[0]
    for kind in ("database", "storage"):
        page.goto(f"{base}/clusters/{cluster}/install/backup/")
        gate = page.locator(f"section[aria-labelledby=gate-{kind}]")
        gate.get_by_role("link", name=re.compile("Take it now")).click()
        confirm_and_start(page)
    page.goto(f"{base}/clusters/{cluster}/install/backup/")
    expect(page.get_by_text("Backup found")).to_have_count(2)


def expect_a_ready_cluster(page: Page) -> None:
    base = page.url.split("/clusters/")[0]
    cluster = page.url.split("/clusters/")[1].split("/")[0]
    page.goto(f"{base}/clusters/{cluster}/install/verify/")
    # The page is drawn anew by itself when the facts are from after the run.
    ready = page.get_by_role("heading", name="Your cluster is ready")
    expect(ready).to_be_visible(timeout=SWEEP_MS)
    page.goto(f"{base}/clusters/{cluster}/")
    expect(page.locator("main")).to_contain_text("Healthy", timeout=SWEEP_MS)
