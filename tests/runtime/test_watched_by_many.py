"""One web process and many pages: nothing lost, nothing twice, whatever breaks in between."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection, transaction

from clusterpanel.api import digest
from clusterpanel.broker import private_broker
from clusterpanel.models import ApiToken
from operations.models import Run
from operations.runtime import journal
from operations.runtime.hub import Announcer
from tests.e2e.panel import Client, free_port
from tests.e2e.viewer import Viewer
from tests.runtime.conftest import until
from tests.web.made import made_run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
STEP = "galera-1-node1"
PAGES = 50


@dataclass
class Servers:
    """A broker and a web process on the test's database."""

    folder: Path
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.broker = private_broker(self.folder)

    def start_broker(self) -> None:
        self._start("broker", *self.broker.argv)

    def start_web(self) -> None:
        argv = ("-m", "uvicorn", "clusterpanel.asgi:application", "--port", str(self.port))
        self._start("web", sys.executable, *argv, "--timeout-graceful-shutdown", "3")
        until(self._listens, 60)

    def _start(self, name: str, *argv: str) -> None:
        env = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
            "REDIS_URL": self.broker.url,
        }
        quiet = subprocess.DEVNULL
        self.processes[name] = subprocess.Popen(argv, env=env, stdout=quiet, stderr=quiet)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes.pop(name).wait()


@pytest.fixture(scope="module")
def servers(django_db_setup: None) -> Iterator[Servers]:
    with tempfile.TemporaryDirectory(prefix="panel-many-") as folder:
        servers = Servers(Path(folder))
        try:
            servers.start_broker()
            servers.start_web()
            yield servers
        finally:
            for name in list(servers.processes):
                servers.kill(name)


class Worker:
    """A worker's side of one run that goes on."""

    def __init__(self, servers: Servers) -> None:
        url = servers.broker.url
        self._announcer = Announcer(lambda: redis.Redis.from_url(url, socket_timeout=2))
        self.run = made_run("running")
        Run.objects.filter(pk=self.run.pk).update(fence=1)

    def add(self, *lines: bytes) -> None:
        newest = journal.append_output(
            run_id=self.run.pk, fence=1, step=STEP, attempt=1, chunks=[b"".join(lines)]
        )
        self._announcer.notify(self.run.pk, newest)

    def end(self) -> None:
        with transaction.atomic():  # as the executor stores an end: with its event, or not at all
            Run.objects.filter(pk=self.run.pk).update(state="succeeded")
            event = {"type": "run", "state": "succeeded"}
            newest = journal.append_event(run_id=self.run.pk, fence=1, event=event)
        self._announcer.notify(self.run.pk, newest)


@pytest.fixture
def worker(servers: Servers) -> Worker:
    ApiToken.objects.create(user=User.objects.create_user("maria"), digest=digest("token"))
    return Worker(servers)


def viewers(servers: Servers, worker: Worker, count: int) -> list[Viewer]:
    return [Viewer(Client(servers.port, "token"), worker.run.pk) for _ in range(count)]


async def connected(pages: list[Viewer]) -> list[asyncio.Task[None]]:
    """Everybody follows, and is there."""
    following = [asyncio.create_task(page.follow()) for page in pages]
    while not all(page.connections for page in pages):
        await asyncio.sleep(0.02)
    return following


async def watched(pages: list[Viewer], work: Callable[[], None]) -> None:
    following = await connected(pages)
    await sync_to_async(work)()
    await asyncio.wait_for(asyncio.gather(*following), 60)


async def cut_often(page: Viewer, every: int) -> None:
    """The connection breaks after every so many lines."""
    while not page.ended:
        seen = len(page.numbers)
        while len(page.numbers) < seen + every and not page.ended:
            await asyncio.sleep(0.005)
        page.cut()


def test_every_page_is_complete_though_the_broker_was_away(
    servers: Servers, worker: Worker
) -> None:
    def work() -> None:
        for number in range(60):
            if number == 20:
                servers.kill("broker")
            if number == 40:
                servers.start_broker()
            worker.add(b"line %d\n" % number)
            time.sleep(0.05)
        worker.end()

    pages = viewers(servers, worker, PAGES)
    asyncio.run(watched(pages, work))
    assert [len(page.numbers) for page in pages] == [61] * PAGES
    assert all(page.complete for page in pages)


def test_a_page_that_loses_its_connection_again_and_again_has_every_line_once(
    servers: Servers, worker: Worker
) -> None:
    (page,) = viewers(servers, worker, 1)

    def work() -> None:
        for _ in range(100):  # 5,000 lines a second, as a worker stores them
            worker.add(*(b"line %d\n" % line for line in range(100)))
            time.sleep(0.02)
        worker.end()

    async def both() -> None:
        await asyncio.gather(watched([page], work), cut_often(page, 1500))

    asyncio.run(both())
    assert len(page.numbers) == 10_001
    assert page.complete
    assert page.connections > 3


def test_the_web_process_ends_though_pages_are_open(servers: Servers, worker: Worker) -> None:
    async def stop() -> float:
        following = await connected(viewers(servers, worker, PAGES))
        began = time.monotonic()
        servers.processes["web"].terminate()
        await asyncio.to_thread(servers.processes["web"].wait, 30)
        took = time.monotonic() - began
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        return took

    # Three seconds of grace and what a busy machine adds; `python -m bench viewers` has the figure.
    assert asyncio.run(stop()) < 10
