"""A connection that dies again and again under 5,000 lines: nothing lost, nothing twice, in order."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from operations.models import Run
from tests.browser.log_page import LINES, STEP, Server, lines_of_text, open_run, printed, until
from tests.browser_fixture import chromium_path

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium_path() is None, reason="needs Chromium"),
]
CUTS, MORE = 5, 5000
# Every line that the page takes in, in order: what the log was told, not what is in sight.
WATCH = """
() => {
  const take = Array.prototype.push;
  window.taken = [];
  const known = new WeakSet();
  const read = Response.prototype.json;
  Response.prototype.json = async function () { return note(await read.call(this)); };
  const parse = JSON.parse;
  JSON.parse = (text, ...more) => note(parse(text, ...more));
  const note = (data) => {
    if (Array.isArray(data?.lines) && !known.has(data)) {
      known.add(data);
      take.apply(window.taken, data.lines.map((line) => line.n));
    }
    return data;
  };
}
"""


class Proxy:
    """Between the browser and the web process; `cut` ends every connection in the middle."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._behind))
                self._open += [near, far]
                threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with near, far:
            back = threading.Thread(target=self._pass, args=(far, near), daemon=True)
            back.start()
            self._pass(near, far)
            back.join()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        ends, self._open = self._open, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self.cut()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    made = Proxy(server.port)
    direct, server.url = server.url, f"http://127.0.0.1:{made.port}"
    yield made
    server.url = direct
    made.close()


def test_five_cuts_under_five_thousand_lines_lose_none_and_repeat_none(
    proxy: Proxy, page: Page, server: Server, run: Run
) -> None:
    open_run(page, server, run)
    page.evaluate(WATCH)
    writer = threading.Thread(target=_write, args=(run,))
    writer.start()
    try:
        for cut in range(1, CUTS + 1):
            _cut_behind(page, proxy, LINES + cut * MORE // (CUTS + 2))
    finally:
        writer.join()
    until(lambda: newest(page) == LINES + MORE, 30)
    row = page.locator(f'.log-row[data-n="{LINES + MORE}"] .log-text')
    expect(row).to_have_text(f"line {LINES + MORE} of the test")
    taken = [n for n in page.evaluate("window.taken") if n > LINES]
    fresh = [n for at, n in enumerate(taken) if n > max(taken[:at], default=LINES)]
    assert fresh == list(range(LINES + 1, LINES + MORE + 1))
    shown = page.evaluate("[...document.querySelectorAll('.log-row')].map(row => row.innerText)")
    assert len(shown) == len(set(shown))


def _cut_behind(page: Page, proxy: Proxy, line: int) -> None:
    until(lambda: newest(page) >= line, 20)
    proxy.cut()
    expect(page.locator(".chip")).not_to_have_attribute("data-state", "live")


def newest(page: Page) -> int:
    return int(page.evaluate("window.taken.at(-1) ?? 0"))


def _write(run: Run) -> None:
    """5,000 lines, fifty times a hundred: the page has to take them in while it is cut off."""
    pause = threading.Event()
    for first in range(LINES, LINES + MORE, 100):
        printed(run, STEP, lines_of_text(first, first + 100))
        pause.wait(0.05)
    connection.close()
