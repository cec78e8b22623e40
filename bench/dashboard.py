"""What a dashboard costs the server: a page, and one drawing of its stream, over a month of history.

Recorded facts of three healthy nodes, the history as the thinning leaves it, and a warm database.
Requests go through every middleware and the compression, without a network.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

REQUESTS = 200
RUNS = 60
CLUSTERS = 100
RANGES = ("15m", "3h", "24h", "30d")


def measure() -> list[str]:
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "PANEL_HOME": home, "DJANGO_SETTINGS_MODULE": "clusterpanel.settings"}
        env["ALLOWED_HOSTS"] = "testserver"
        done = subprocess.run(
            [sys.executable, "-m", "bench.dashboard"],
            env=env,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    return done.stdout.splitlines()


def one() -> None:
    """In a process of its own, so that its database is its own."""
    import django

    django.setup()
    from django.core.cache import cache
    from django.core.management import call_command

    from nodes.views.parts import PARTS, context, drawn
    from operations.models import Run
    from tests.fakes import seen
    from tests.web.made import made_run

    call_command("migrate", verbosity=0)
    site = seen.cluster()
    seen.observed(site, "healthy")
    seen.month(site, time.time())
    for number in range(RUNS):
        run = made_run("succeeded", ["succeeded"] * 3, cluster=site)
        begun = run.created_at - timedelta(days=30 * number / RUNS)
        # It is installed, so the page does not ask how far the installation is.
        Run.objects.filter(pk=run.pk).update(created_at=begun, procedure="install_glusterfs")
    client = _signed_in()
    for key in RANGES:
        seen.observed(site, "healthy")  # else it would be a stale one in the end
        url = f"/clusters/{site.pk}/?range={key}"
        size = len(client.get(url).content)
        print(_told(f"page with {key} of history", partial(client.get, url)), f"{size} bytes")

    def anew() -> None:
        cache.clear()
        client.get(f"/clusters/{site.pk}/")

    print(_told("page, its history drawn for it", anew))

    def draw() -> None:
        shown = context(site, time.time())
        for name in PARTS:
            drawn(shown, name)

    seen.observed(site, "healthy")
    print(_told("one drawing of the stream", draw))
    for number in range(2, CLUSTERS + 1):
        seen.observed(seen.cluster(f"cluster-{number}"), "healthy")
    print(_told(f"overview of {CLUSTERS} clusters", partial(client.get, "/clusters/"), 20, ""))


def _signed_in() -> Any:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(headers={"accept-encoding": "gzip"})
    client.force_login(User.objects.create_user("olga"))
    return client


def _told(
    what: str, work: Callable[[], Any], times: int = REQUESTS, goal: str = " (goal ≤ 50)"
) -> str:
    work()
    wall, cpu = [], []
    for _ in range(times):
        began, used = time.perf_counter(), time.process_time()
        work()
        wall.append(1000 * (time.perf_counter() - began))
        cpu.append(1000 * (time.process_time() - used))
    wall.sort()
    cpu.sort()
    half, most = times // 2, times * 95 // 100
    return (
        f"{what}: {wall[half]:.1f} ms p50, {wall[most]:.1f} ms p95{goal};"
        f" CPU {cpu[half]:.1f} ms p50, {cpu[most]:.1f} ms p95;"
    )


if __name__ == "__main__":
    one()
