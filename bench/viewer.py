"""A run of a million lines in the run page: first paint, memory, jumps, search, in Chromium.

It needs no servers: the lines are put into the journal of a private panel as a worker puts them.
"""

from __future__ import annotations

import http.client
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser_fixture import chromium
from tests.e2e.panel import ROOT, free_port, wait_for

LINES = 1_000_000
NEEDLE_AT = 765_432
# 78 bytes a line; every hundredth is coloured and every thousandth is not ASCII, as in real logs.
FILL = """
import sys, django
django.setup()
from django.contrib.auth.models import User
from clusterpanel.people.sessions import SessionStore
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import transaction
from tests.web.made import made_run, printed
total, needle = int(sys.argv[1]), int(sys.argv[2])
def line(n):
    rest = "synchronised block %d of table orders" % (n * 7919)
    if n == needle: rest = "the needle in this haystack"
    elif n % 400 == 0: rest = "rsync: link_stat failed: No such file or directory"
    elif n % 1000 == 1: rest = "файл «заказы» перенесён полностью"
    text = "2026-11-25 03:04:05 node2 %07d %s" % (n, rest)
    if n % 100 == 0: text = text.replace("node2", "no\\x1b[32mde2\\x1b[0m")
    data = text.encode()
    return data + b"." * (77 - len(data)) + b"\\n"
run = made_run("succeeded", ["succeeded"] * 3)
with transaction.atomic():
    for first in range(1, total + 1, 2000):
        data = b"".join(map(line, range(first, min(first + 2000, total + 1))))
        printed(run, "galera-%d-node%d" % ((1, 1) if first < 50_000 else (2, 2)), data)
user = User.objects.create_superuser("bench")
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session.create()
print(run.pk, session.session_key)
"""
# Milliseconds from now until `selector` is there (or gone, for a reason to wait), to the frame.
UNTIL = """
([act, selector, text]) => new Promise((resolve, reject) => {
  const start = performance.now();
  const look = () => {
    const found = document.querySelector(selector);
    if (found && (!text || new RegExp(text).test(found.textContent))) resolve(performance.now() - start);
    else if (performance.now() - start > 20000) reject(new Error(`${selector} ${text}: ${found?.textContent}`));
    else requestAnimationFrame(look);
  };
  if (act.hash) location.hash = act.hash;
  if (act.type !== undefined) {
    const field = document.querySelector(".log-search input");
    field.value = act.type;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (act.click) document.querySelector(act.click).click();
  requestAnimationFrame(look);
})
"""
READABLE = """
() => {
  const look = () => {
    if (document.querySelector(".log-row .log-text:not(.is-loading)")) window.readable = performance.now();
    else requestAnimationFrame(look);
  };
  look();
}
"""
PAINT = 'performance.getEntriesByName("first-contentful-paint")[0].startTime'
# Frames while the wheel turns: the longest gap between two of them, and how many a second.
SCROLL = """
() => new Promise((resolve) => {
  const scroller = document.querySelector(".log-scroll");
  const gaps = [];
  let last = performance.now();
  const start = last;
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    scroller.scrollTop -= 60;
    if (now - start < 3000) requestAnimationFrame(step);
    else resolve([gaps.length / 3, Math.max(...gaps.slice(2))]);
  };
  requestAnimationFrame(step);
})
"""


@dataclass(frozen=True)
class Place:
    """The private panel: where it answers, its one run, and the process that serves it."""

    url: str
    run: str
    session: str
    pid: int


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as home, _served(Path(home)) as place:
        idle = _memory_mb(place.pid)
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            cookie = {"name": "sessionid", "value": place.session, "url": place.url}
            page.context.add_cookies([cookie])  # type: ignore[list-item]
            page.add_init_script(f"({READABLE})()")
            yield from _opening(page, place)
            yield from _jumps(page)
            yield from _searches(page, place.pid)
            yield from _scrolling(page)
        peak = _memory_mb(place.pid)
        load = os.getloadavg()[0]
        yield f"other work on the machine: load {load:.1f} on {os.cpu_count()} processors"
        yield f"web process {idle:.0f} MB before, at most {peak:.0f} MB (goal < 200)"


@contextmanager
def _served(home: Path) -> Iterator[Place]:
    port = free_port()
    env = {**os.environ, "PANEL_HOME": str(home), "DJANGO_SETTINGS_MODULE": "clusterpanel.settings"}
    env |= {"REDIS_URL": "redis://127.0.0.1:9/0", "SECRET_KEY": secrets.token_hex(32)}
    env["DATABASE_URL"] = f"sqlite:///{home}/panel.sqlite3"
    _python(env, "manage.py", "migrate", "--verbosity", "0")
    run, session = _python(env, "-c", FILL, str(LINES), str(NEEDLE_AT)).split()
    command = [sys.executable, "-m", "uvicorn", "clusterpanel.asgi:application"]
    options = ["--port", str(port), "--log-level", "error"]
    web = subprocess.Popen([*command, *options], cwd=ROOT, env=env)
    try:
        wait_for(lambda: _answers(port), 30, "the web process did not start")
        yield Place(f"http://127.0.0.1:{port}", run, session, web.pid)
    finally:
        web.terminate()
        web.wait(20)


def _python(env: dict[str, str], *argv: str) -> str:
    done = subprocess.run(
        [sys.executable, *argv], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def _answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/sign-in/")
        return connection.getresponse().status == 200
    except OSError:
        return False


def _memory_mb(pid: int) -> float:
    """The most that the process ever had in memory."""
    line = next(x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmHWM" in x)
    return int(line.split()[1]) / 1024


def _cpu_ms(pid: int) -> float:
    """Processor time so far: it tells what something costs, also while others use the machine."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _opening(page: Page, place: Place) -> Iterator[str]:
    """Twice: the first time the web process reads the page's templates too."""
    for which in ("first", "second"):
        start, before = time.monotonic(), _cpu_ms(place.pid)
        page.goto(f"{place.url}/runs/{place.run}/")
        page.wait_for_selector(f'.log.is-live .log-row[data-n="{LINES}"]')
        whole = time.monotonic() - start
        painted, readable = page.evaluate(f"[{PAINT}, window.readable]")
        yield (
            f"{which} opening: first paint {painted:.0f} ms, lines readable {readable:.0f} ms,"
            f" live {1000 * whole:.0f} ms (goal < 1000),"
            f" {_cpu_ms(place.pid) - before:.0f} ms of the server's processor"
        )


def _until(page: Page, act: dict[str, Any], selector: str, text: str = "") -> float:
    took: float = page.evaluate(UNTIL, [act, selector, text])
    return took


def _jumps(page: Page) -> Iterator[str]:
    found = []
    for number in (1, 500_000, 900_000, LINES, 250_001, 749_999):
        row = f'.log-row[data-n="{number}"] .log-text:not(.is-loading)'
        found.append((number, _until(page, {"hash": f"L{number}"}, row)))
    said = ", ".join(f"{number:,}: {took:.0f}" for number, took in found)
    yield f"jump to a line, ms: {said} (goal < 300)"


def _searches(page: Page, pid: int) -> Iterator[str]:
    """Each time includes the 150 ms that the page waits for the next key."""
    wanted = {
        "once": ("needle in this", "1 .*1$"),
        "thousands": ("NO SUCH FILE", r"2.?500$"),
        "everywhere": ("node2", "000.?000$|999.?999$"),
        "Russian": ("Заказы", r"1.?000$"),
        "coloured": ("node2 0009900", "1 .*1$"),
        "never": ("no line says this", "Nothing"),
    }
    output = ".log-search output"
    for name, (needle, count) in wanted.items():
        before = _cpu_ms(pid)
        took = _until(page, {"type": needle}, output, count)
        yield (
            f"search, found {name}: {took:.0f} ms to “{page.inner_text(output)}” (goal < 1000),"
            f" {_cpu_ms(pid) - before:.0f} ms of the server's processor"
        )
        if name in ("thousands", "everywhere"):
            yield _hops(page)
        _until(page, {"type": ""}, f"{output}:empty")


def _hops(page: Page) -> str:
    times = []
    for button in ("next", "next", "previous", "previous", "previous"):
        before = page.inner_text(".log-search output")
        act = {"click": f"[data-{button}]"}
        _until(page, act, ".log-search output", f"^(?!{before.split()[0]} )")
        times.append(_until(page, {}, ".log-row.is-target .log-text:not(.is-loading) mark"))
    return f"  next and previous, ms: {', '.join(f'{took:.0f}' for took in times)}"


def _scrolling(page: Page) -> Iterator[str]:
    _until(page, {"hash": f"L{LINES // 2}"}, f'.log-row[data-n="{LINES // 2}"]')
    frames, worst = page.evaluate(SCROLL)
    for number in range(1, LINES, LINES // 40):
        row = f'.log-row[data-n="{number}"] .log-text:not(.is-loading)'
        _until(page, {"hash": f"L{number}"}, row)
    heap = _heap_mb(page)
    elements = page.evaluate("document.querySelectorAll('*').length")
    yield f"scrolling: {frames:.0f} frames a second, longest {worst:.0f} ms"
    yield f"browser heap {heap:.0f} MB after 40 jumps (goal < 150), {elements} elements"


def _heap_mb(page: Page) -> float:
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    metrics: list[dict[str, Any]] = devtools.send("Performance.getMetrics")["metrics"]
    return next(m["value"] for m in metrics if m["name"] == "JSHeapUsedSize") / 1e6
