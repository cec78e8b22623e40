"""The same installation, clicked by an admin in Chromium, on real servers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser_fixture import chromium, sign_in
from tests.e2e import steps
from tests.e2e.node import nodes_of
from tests.e2e.panel import Panel

pytestmark = [pytest.mark.lab, pytest.mark.browser]

SCREENSHOTS = Path(__file__).resolve().parent.parent / "screenshots"
RUN_MS = 180_000


@pytest.fixture
def page(panel: Panel) -> Iterator[Page]:
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


def test_an_admin_installs_a_cluster(
    page: Page, panel: Panel, pristine_lab: dict[str, Any]
) -> None:
    plan_the_cluster(page, pristine_lab)
    give_access(page, pristine_lab)
    run_the_checks(page, pristine_lab)
    start_from_wizard(page, "settings")
    take_backups(page)
    start_from_wizard(page, "galera")
    start_from_wizard(page, "gluster", leave_meanwhile=True)
    expect_a_ready_cluster(page)
    for node in nodes_of(pristine_lab):
        assert node.wsrep("wsrep_cluster_size") == "3"
        assert (
            node.run("findmnt -no FSTYPE /var/www/html/dpiui2/backend/storage") == "fuse.glusterfs"
        )


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
    page.get_by_label("Private key").fill(Path(lab["key"]).read_text())
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
    page.wait_for_timeout(6000)  # one beat of the sweep, so that the facts are from after the run
    page.reload()
    expect(page.get_by_role("heading", name="Your cluster is ready")).to_be_visible()
    page.goto(f"{base}/clusters/{cluster}/")
    expect(page.locator("main")).to_contain_text("Healthy", timeout=15_000)
