"""Five hundred pages on one web process; then the broker goes away, then the web process is stopped."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import statistics
import time
from collections.abc import Sequence

from bench import simulated
from bench.memory import Peak
from clusterpanel import procfs
from tests.e2e.panel import Client, Panel
from tests.e2e.viewer import Viewer

VIEWERS, LINES, A_SECOND = 500, 100, 5
BROKER_AWAY_S = 10


def measure(panel: Panel) -> list[str]:
    _allow_files(2 * VIEWERS + 200)
    client = panel.client()
    cluster = simulated.add_cluster(client, "Viewers")
    with Peak(lambda: panel.pids(b"uvicorn")) as web:
        calm = _watched(panel, client, cluster, broker_away=False)
        away = _watched(panel, client, cluster, broker_away=True)
        stop_s = asyncio.run(_stop(panel, client, cluster))
    return [
        _say("calm", calm) + " (goal p95 ≤ 100)",
        _say(f"broker away for {BROKER_AWAY_S} s", away),
        f"web process: at most {web.mb:.0f} MB (goal < 200),"
        f" {stop_s:.1f} s to stop with {VIEWERS} pages open (goal ≤ 5)",
    ]


def _say(what: str, viewers: Sequence[Viewer]) -> str:
    late = [ms for viewer in viewers for ms in viewer.late_ms]
    cuts = statistics.quantiles(late, n=100)
    done = sum(viewer.complete and len(viewer.late_ms) == LINES for viewer in viewers)
    return (
        f"{what}: {done} of {len(viewers)} pages complete and in order;"
        f" p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, p99 {cuts[98]:.0f} ms"
    )


def _watched(panel: Panel, client: Client, cluster: int, *, broker_away: bool) -> list[Viewer]:
    """Everybody is there before the first line comes."""
    sign = f"go-{broker_away}"
    run = simulated.start_writer(panel, cluster, simulated.stamped(LINES, A_SECOND, sign))
    viewers = [Viewer(client, run) for _ in range(VIEWERS)]
    asyncio.run(_follow(panel, viewers, sign, broker_away))
    return viewers


async def _follow(panel: Panel, viewers: Sequence[Viewer], sign: str, broker_away: bool) -> None:
    following = [asyncio.create_task(viewer.follow()) for viewer in viewers]
    await _connected(viewers)
    simulated.give_sign(panel, sign)
    if broker_away:
        until = time.monotonic() + BROKER_AWAY_S
        while time.monotonic() < until:  # the panel starts it again and again
            panel.kill("broker")
            await asyncio.sleep(0.1)
    await asyncio.wait_for(asyncio.gather(*following), LINES / A_SECOND + 60)


async def _connected(viewers: Sequence[Viewer]) -> None:
    while not all(viewer.connections for viewer in viewers):
        await asyncio.sleep(0.1)


async def _stop(panel: Panel, client: Client, cluster: int) -> float:
    """Seconds from the signal that ends the web process to its end."""
    run = simulated.start_writer(panel, cluster, simulated.stamped(LINES * 20, A_SECOND))
    viewers = [Viewer(client, run) for _ in range(VIEWERS)]
    following = [asyncio.create_task(viewer.follow()) for viewer in viewers]
    await _connected(viewers)
    (web,) = panel.pids(b"uvicorn")
    began = time.monotonic()
    os.kill(web, signal.SIGTERM)
    while is_alive(web):
        await asyncio.sleep(0.02)
    took = time.monotonic() - began
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    return took


def is_alive(pid: int) -> bool:
    seen = procfs.read(pid)
    return seen is not None and seen.state != procfs.ZOMBIE


def _allow_files(wanted: int) -> None:
    """Each page is an open file, here and in the web process that is started later."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
