"""From a line written on the node to the same line in the page, in Chromium, at 100 lines a second.

The node and the browser share this machine's clock, so the difference of two times is the latency.
"""

from __future__ import annotations

import statistics
from typing import Any

from playwright.sync_api import Page

from bench import direct
from bench.lab import Lab
from tests.browser_fixture import chromium, sign_in
from tests.e2e import steps
from tests.e2e.panel import Panel

LINES = 1500
WRITER = (
    "use Time::HiRes qw(time sleep); $| = 1;"
    f" sleep 3; for (1..{LINES}) {{ printf qq(at %.6f\\n), time; sleep 0.0098 }}"
)
# First sight of each stamp, by the browser's clock; the observer runs after the DOM changed.
WATCH = r"""
() => {
  const seen = window.seen = new Map();
  const look = () => {
    const now = (performance.timeOrigin + performance.now()) / 1000;
    for (const cell of document.querySelectorAll(".log-text")) {
      const stamp = /^at (\d+\.\d+)$/.exec(cell.textContent);
      if (stamp && !seen.has(stamp[1])) seen.set(stamp[1], now - Number(stamp[1]));
    }
  };
  new MutationObserver(look).observe(document.querySelector(".log-pane"),
    { childList: true, subtree: true, characterData: true });
}
"""


def measure(lab: Lab, panel: Panel) -> list[str]:
    client = panel.client()
    cluster = steps.create_cluster(client, lab.status, "Latency")
    steps.trust_all(client, cluster, lab.status)
    steps.run_to_success(client, cluster, "apply_settings", force=True)
    plan = direct.plan(lab.hosts, [(lab.hosts[0], ("perl", "-e", WRITER))])
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        sign_in(page, panel)
        run = direct.start(panel, cluster, plan)
        page.goto(f"{panel.url}/runs/{run}/")
        page.wait_for_selector(".log-pane", state="attached")
        page.evaluate(WATCH)
        client.finished(run)
        return _report(_seen(page))


def _seen(page: Page) -> list[float]:
    page.wait_for_timeout(500)
    found: list[Any] = page.evaluate("() => [...window.seen.values()]")
    return sorted(1000 * float(value) for value in found)


def _report(found: list[float]) -> list[str]:
    cuts = statistics.quantiles(found, n=100)
    return [
        f"{len(found)} of {LINES} lines seen in the page",
        f"p50 {cuts[49]:.0f} ms (goal ≤ 50), p95 {cuts[94]:.0f} ms (goal ≤ 150),"
        f" p99 {cuts[98]:.0f} ms, max {found[-1]:.0f} ms",
    ]
