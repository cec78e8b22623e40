"""What the tests of the run page share: a server that can be cut, and looks at the log."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from typing import Any

from django.conf import settings
from playwright.sync_api import Page, expect

from operations.models import Run
from operations.runtime import hub
from tests.web import made

LINES = 20_000
STEP = "galera-2-node2"


class Server:
    """uvicorn on the tests' own database; it can be cut and started again on the same port."""

    app = "clusterpanel.asgi:application"

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        env = {**os.environ, "DATABASE_URL": f"sqlite:///{settings.DATABASES['default']['NAME']}"}
        command = [sys.executable, "-m", "uvicorn", self.app]
        options = ["--port", str(self.port), "--timeout-graceful-shutdown", "1"]
        self.process = subprocess.Popen([*command, *options, "--log-level", "error"], env=env)
        until(self._answers, 30)

    def _answers(self) -> bool:
        with suppress(OSError):
            return bool(urllib.request.urlopen(f"{self.url}/healthz", timeout=2).status)
        return False

    def cut(self) -> None:
        self.process.kill()
        self.process.wait(10)


def until(holds: Any, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(0.05)


def printed(run: Run, step: str, data: bytes) -> int:
    """Stored first, announced second, as a worker does it."""
    last = made.printed(run, step, data)
    hub.notify(run.pk, last)
    return last


def lines_of_text(first: int, last: int) -> bytes:
    return b"".join(b"line %d of the test\n" % number for number in range(first + 1, last + 1))


def open_run(page: Page, server: Server, run: Run, more: str = "") -> None:
    page.goto(f"{server.url}/runs/{run.pk}/{more}")
    expect(page.locator(".chip")).to_have_attribute("data-state", "live")


def shown(page: Page) -> list[int]:
    return page.eval_on_selector_all(".log-row", "rows => rows.map(row => Number(row.dataset.n))")


def at_the_end(page: Page, number: int) -> None:
    expect(page.locator(f'.log-row[data-n="{number}"] .log-text')).to_contain_text("line")
