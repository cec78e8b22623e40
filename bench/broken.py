"""From breaking something on a lab server to the words on an open dashboard, in Chromium."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator

from bench.install import by_ssh
from bench.lab import Lab
from tests.e2e import breaking, wizard
from tests.e2e.panel import Panel

TIMES = int(os.environ.get("TIMES", "20"))
PATIENCE_S = 120.0


def measure(lab: Lab, panel: Panel) -> Iterator[str]:
    """On a cluster that plain ssh installed on pristine servers."""
    lab.reset()
    by_ssh(lab)
    site = breaking.adopted(panel, lab.status)[1]
    with wizard.browser_of(panel) as page:
        breaking.open_dashboard(page, panel, site, PATIENCE_S)
        for breakage in breaking.BREAKAGES:
            shown, well = [], []
            for number in range(TIMES):
                page.wait_for_timeout(number * 370 % 2000)  # at another moment of the beat
                shown.append(breaking.seconds_until_shown(page, site, breakage, PATIENCE_S))
                breakage.mends(site)
                well.append(breaking.wait_until_well(page, PATIENCE_S))
            yield _told(breakage, sorted(shown), well)


def _told(breakage: breaking.Breakage, shown: list[float], well: list[float]) -> str:
    p95 = statistics.quantiles(shown, n=20, method="inclusive")[18] if len(shown) > 1 else shown[0]
    return (
        f"{breakage.name}: p50 {statistics.median(shown):.1f} s, p95 {p95:.1f} s"
        f" (goal ≤ {breakage.goal_s:.0f}), max {shown[-1]:.1f} s; healthy again"
        f" p50 {statistics.median(well):.1f} s after it was mended; {len(shown)} times,"
        f" load {os.getloadavg()[0]:.1f}"
    )
