"""A million lines (78 MB) from one step into the journal, beside bare paramiko on the same node.

Bare paramiko throws the bytes away. The fair neighbour is a tool that keeps them: the same bytes
received and inserted line by line into an SQLite file, in one transaction.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import paramiko

from bench import direct
from bench.lab import Lab
from bench.memory import Peak
from bench.short_steps import seconds
from tests.e2e import steps
from tests.e2e.panel import Client, Panel
from tests.e2e.viewer import Viewer

LINES, BYTES = 1_000_000, 78_000_000
FILE = "/root/million.log"
MAKE = (
    f"seq -f 'line %07.0f of a long step: rsync of tables, bytes sent and received so far.'"
    f" 1 {LINES} > {FILE}"
)
ROUNDS = 3


def measure(lab: Lab, panel: Panel) -> list[str]:
    client = panel.client()
    cluster = steps.create_cluster(client, lab.status, "Million")
    steps.trust_all(client, cluster, lab.status)
    steps.run_to_success(client, cluster, "apply_settings", force=True)
    lab.ssh(lab.hosts[0], MAKE)
    plan = direct.plan(lab.hosts, [(lab.hosts[0], ("cat", FILE))])
    times: dict[str, list[float]] = {"bare": [], "kept": [], "panel": []}
    with peaks(panel) as (worker, web):
        for _ in range(ROUNDS):  # in turn, so that a drift of the machine's speed hits all alike
            times["bare"].append(_timed(lab, _throw_away))
            times["kept"].append(_timed(lab, _keep))
            times["panel"].append(_panel(client, lab, direct.start(panel, cluster, plan)))
    lines = _report(times, worker, web)
    with peaks(panel) as (worker, web):
        return [*lines, *_followed(client, direct.start(panel, cluster, plan), worker, web)]


@contextmanager
def peaks(panel: Panel) -> Iterator[tuple[Peak, Peak]]:
    """Of the workers and of the web process."""
    with (
        Peak(lambda: panel.pids(b"celery", b"worker")) as worker,
        Peak(lambda: panel.pids(b"uvicorn")) as web,
    ):
        yield worker, web


def _timed(lab: Lab, use: Callable[[Iterator[bytes]], None]) -> float:
    """Seconds that bare paramiko needs for the same bytes, signing in not counted."""
    with paramiko.SSHClient() as ssh:
        ssh.load_host_keys(lab.status["known_hosts"])
        ssh.connect(lab.hosts[0], username="root", key_filename=lab.status["key"])
        began = time.monotonic()
        _, out, _ = ssh.exec_command(f"cat {FILE}")
        use(iter(lambda: out.channel.recv(256 * 1024), b""))
        return time.monotonic() - began


def _throw_away(pieces: Iterator[bytes]) -> None:
    assert sum(map(len, pieces)) == BYTES


def _keep(pieces: Iterator[bytes]) -> None:
    """As a person's own small tool would: a table with a row for each line."""
    with tempfile.TemporaryDirectory() as folder, sqlite3.connect(f"{folder}/log.sqlite3") as book:
        book.execute("PRAGMA journal_mode=WAL")
        book.execute("CREATE TABLE log (number INTEGER PRIMARY KEY, line BLOB)")
        book.executemany("INSERT INTO log (line) VALUES (?)", _lines(pieces))
        book.commit()
        assert book.execute("SELECT count(*) FROM log").fetchone() == (LINES,)


def _lines(pieces: Iterator[bytes]) -> Iterator[tuple[bytes]]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from ((line,) for line in whole)


def _panel(client: Client, lab: Lab, run: str) -> float:
    """Seconds from the accepted plan to the end of the run; every byte is there."""
    snapshot = client.finished(run)
    assert snapshot["state"] == "succeeded", snapshot
    found = hashlib.sha256(client.step_log(run, "bench-0")).hexdigest()
    assert lab.ask(lab.hosts[0], f"sha256sum {FILE}").split()[0] == found
    return seconds(snapshot, "created_at")


def _followed(client: Client, run: str, worker: Peak, web: Peak) -> list[str]:
    viewer = Viewer(client, run)
    began = time.monotonic()
    asyncio.run(viewer.follow())
    until_page = time.monotonic() - began
    assert viewer.complete, len(viewer.numbers)
    assert len(viewer.numbers) > LINES
    took = seconds(client.get(f"/runs/{run}"), "created_at")
    return [
        f"with a page that takes every line: {took:.1f} s, page complete after {until_page:.1f} s;"
        f" at most {worker.mb:.0f} MB a worker, {web.mb:.0f} MB web",
    ]


def _report(times: dict[str, list[float]], worker: Peak, web: Peak) -> list[str]:
    bare, kept, panel = (statistics.median(times[name]) for name in ("bare", "kept", "panel"))
    ratios = [
        statistics.median(a / b for a, b in zip(times["panel"], times[name], strict=True))
        for name in ("bare", "kept")
    ]
    return [
        f"panel {panel:.2f} s (goal ≤ 15), every byte in the journal (median of {ROUNDS})",
        f"bare paramiko {bare:.2f} s: panel ÷ bare {ratios[0]:.1f} (goal ≤ 3)",
        f"paramiko and a row per line in SQLite {kept:.2f} s: panel ÷ that {ratios[1]:.1f}",
        f"at most {worker.mb:.0f} MB a worker, {web.mb:.0f} MB web (goal: each < 200)",
    ]
