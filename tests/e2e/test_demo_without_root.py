"""`make demo` on a machine that cannot have real servers: the whole wizard, then a bad day."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from nodes.simulation.skin import processes
from tests.e2e import wizard
from tests.e2e.panel import Panel

# A minute when nothing else runs; a busy machine is slow, not wrong.
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[Panel]:
    """A newcomer's: no file of the run is owned or readable by others in advance."""
    started = Panel(tmp_path / "home", "--demo", "--simulated")
    yield started
    started.stop()


def servers(panel: Panel, *typed: str) -> dict[str, Any]:
    """The command that the start printed, as it is typed in another terminal."""
    said = subprocess.run(
        [panel.home / "servers", "--json", *typed], cwd="/", capture_output=True, check=True
    )
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def test_the_wizard_ends_healthy_and_the_dashboard_tells_what_breaks(panel: Panel) -> None:
    described = servers(panel, "status")
    for node in described["nodes"]:
        assert f"{node['address']}  {node['host_key_sha256']}" in panel.log.read_text()
    with wizard.browser_of(panel) as page:
        wizard.install(page, described)
        expect_the_notice(page)
        servers(panel, "crash", "node3")
        expect(page.locator("main")).to_contain_text("Degraded", timeout=30_000)
    roots = [Path(node["root"]) for node in described["nodes"]]
    panel.stop()
    assert [pid for root in roots for pid in processes.of_node(root)] == []


def expect_the_notice(page: Page) -> None:
    notice = page.get_by_role("complementary", name="Simulated servers")
    expect(notice).to_contain_text("Nothing you do here touches a real server.")
    expect(notice).to_be_in_viewport(ratio=1)
