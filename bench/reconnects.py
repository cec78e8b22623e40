"""A page that loses its connection twenty times while 5,000 lines a second come."""

from __future__ import annotations

import asyncio
import statistics

from bench import simulated
from tests.e2e.panel import Panel
from tests.e2e.viewer import Viewer

LINES, A_SECOND, CUTS = 150_000, 5000, 20


def measure(panel: Panel) -> list[str]:
    client = panel.client()
    cluster = simulated.add_cluster(client, "Reconnects")
    run = simulated.start_writer(panel, cluster, simulated.stamped(LINES, A_SECOND))
    viewer = Viewer(client, run)
    asyncio.run(_follow(viewer))
    state = client.get(f"/runs/{run}")
    cuts = statistics.quantiles(viewer.late_ms, n=100)
    lost = len(set(range(1, state["last_line"] + 1)) - set(viewer.numbers))
    assert state["state"] == "succeeded", state
    return [
        f"{len(viewer.late_ms)} lines at {A_SECOND} a second, {viewer.connections - 1} connections"
        f" lost; {lost} lines lost, {len(viewer.numbers) - len(set(viewer.numbers))} doubled,"
        f" {'in' if viewer.complete else 'NOT in'} order",
        f"node to page: p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms (goal ≤ 300),"
        f" p99 {cuts[98]:.0f} ms, max {max(viewer.late_ms):.0f} ms"
        " (while there is no connection, a line waits for the next)",
    ]


async def _follow(viewer: Viewer) -> None:
    following = asyncio.create_task(viewer.follow())
    for cut in range(1, CUTS + 1):
        while len(viewer.late_ms) < cut * LINES // (CUTS + 1) and not following.done():
            await asyncio.sleep(0.01)
        viewer.cut()
    await following
