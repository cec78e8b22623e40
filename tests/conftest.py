"""Every test run has a home of its own, and no test reaches another machine."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache

# A busy machine is slow, not wrong: what may hang is ended by the test's own timeout.
hypothesis.settings.register_profile("project", deadline=None)
hypothesis.settings.load_profile("project")

pytest_plugins = ["tests.lab_fixture"]

LAB_TIMEOUT_S = 900

# A run that was started by nohup would hand its deafness down to every process that a test starts.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Before Django reads its settings: two test runs, or a test run and a panel, never meet.
if settings.configured:
    pytest.exit("Run the tests without DJANGO_SETTINGS_MODULE and --ds: they set it themselves.")
for name in ("DATABASE_URL", "PORT"):
    os.environ.pop(name, None)
HOME = tempfile.mkdtemp(prefix="panel-test-")
OURS = {
    "PANEL_HOME": HOME,
    "REDIS_URL": f"unix://{HOME}/broker/broker.sock",
    "DJANGO_SETTINGS_MODULE": "clusterpanel.settings",
}
os.environ.update(OURS)
django.setup()  # pytest-django takes over from here
# Hashing takes long on purpose; what is tested is who is asked for a password, not how it is kept.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Each of several test processes makes a home of its own, as a single one does."""
    for name in OURS:
        os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def _no_anchor() -> None:
    """A database that a test left empty is no attack on its audit."""
    Path(HOME, "audit-anchor").unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """Of pages that were drawn of another test's database."""
    cache.clear()


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("lab") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LAB_TIMEOUT_S))


@pytest.fixture(autouse=True)
def _only_this_machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that would reach the network fails at the line that tries."""
    if request.node.get_closest_marker("lab") or request.node.get_closest_marker("browser"):
        return
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))


def _guarded(original: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]
            if not (host.startswith("127.") or host in ("localhost", "::1")):
                raise AssertionError(f"this test tried to reach {host}")
        return original(self, address)

    return connect


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    """A private broker at the address that the settings of the tests name."""
    from clusterpanel.broker import private_broker

    broker = private_broker(Path(os.environ["PANEL_HOME"]))
    log = Path(os.environ["PANEL_HOME"], "broker.log")
    with log.open("wb") as out:
        server = subprocess.Popen(broker.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    listening = Path(broker.url.removeprefix("unix://"))
    deadline = time.monotonic() + 10
    while not listening.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the broker did not start:\n{log.read_text()}", pytrace=False)
        time.sleep(0.02)
    yield broker.url
    server.terminate()
    server.wait(10)


@pytest.fixture
def python() -> str:
    """The interpreter that runs the tests."""
    return sys.executable
