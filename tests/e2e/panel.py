"""A whole panel of its own (broker, web, worker, scheduler) and a client of its API."""

from __future__ import annotations

import contextlib
import http.client
import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
READY = re.compile(r"Cluster Panel is ready: (http://127\.0\.0\.1:\d+)")
PASSWORD = re.compile(r"password: (\S+)")
START_S = 120  # on a machine where ten other suites run
NOTHING: Mapping[str, str] = MappingProxyType({})


class Panel:
    """Started by the same command as `make run`; stopped by the same signal as Ctrl-C.

    `env` is added to its environment; without it the panel reaches real servers.
    """

    def __init__(self, home: Path, *options: str, env: Mapping[str, str] = NOTHING) -> None:
        self.home = home
        self.port = free_port()
        self.env = {**os.environ, "PANEL_HOME": str(home), "PORT": str(self.port)}
        for name in ("REDIS_URL", "SIMULATED", "SIMULATED_NODES"):
            self.env.pop(name, None)
        self.env.update(env)
        self.log = home.parent / f"{home.name}.out"
        self.options = options
        self.process = self._started()
        try:
            wait_for(self._is_ready, START_S, f"the panel did not start, see {self.log}")
        except AssertionError:
            self.stop()  # nobody else will: the one who asked for it gets an error
            raise
        self.url = found(READY, self.log.read_text())
        self.password = found(PASSWORD, self.log.read_text())

    def _started(self) -> subprocess.Popen[bytes]:
        with self.log.open("w") as out:
            return subprocess.Popen(
                [sys.executable, "manage.py", "panel", *self.options],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def power_cut(self) -> None:
        """Every process of it is gone at once, as when the machine that it runs on goes down."""
        while mine := self.pids():
            for pid in mine:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait(30)

    def again(self, **env: str) -> None:
        """Started as its service is at the next boot of the machine, with `env` added."""
        self.env.update(env)
        self.process = self._started()
        wait_for(self._is_ready, START_S, f"the panel did not start again, see {self.log}")

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        text = self.log.read_text()
        return bool(READY.search(text) and PASSWORD.search(text))

    def manage(self, *argv: str) -> str:
        """Output of a management command run beside the panel."""
        command = [sys.executable, "manage.py", *argv]
        done = subprocess.run(
            command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=True
        )
        return done.stdout

    def client(self) -> Client:
        return Client(self.port, self.manage("panel_token", "admin").split()[-1])

    def kill_workers(self, sign: int) -> list[int]:
        """Signal the worker and all its children at once; the pids that were hit."""
        mine = self.pids(b"celery", b"worker")
        for pid in mine:
            os.kill(pid, sign)
        return mine

    def kill(self, part: str) -> list[int]:
        """SIGKILL "broker" or "web"; the supervisor is expected to bring it back."""
        mine = self.pids(*{"broker": (b"unixsocket",), "web": (b"uvicorn",)}[part])
        for pid in mine:
            os.kill(pid, signal.SIGKILL)
        return mine

    def pids(self, *words: bytes) -> list[int]:
        """This panel's processes whose command line has all the words."""
        home = str(self.home).encode()
        return [
            pid
            for pid, line in processes()
            if all(word in line for word in words) and (home in line or home in environment(pid))
        ]

    def page(self, path: str) -> str:
        """A page as the administrator's browser gets it."""
        browser = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )
        form = browser.open(f"{self.url}/sign-in/").read().decode()
        token = found(re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"'), form)
        fields = {"username": "admin", "password": self.password, "csrfmiddlewaretoken": token}
        browser.open(f"{self.url}/sign-in/", urllib.parse.urlencode(fields).encode())
        return str(browser.open(f"{self.url}{path}").read().decode())

    def stop(self) -> None:
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)


class Client:
    """The API as a script would use it."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and decoded JSON of one request."""
        status, raw = self.raw(method, path, body)
        return status, json.loads(raw)

    def is_up(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.raw("GET", "/clusters")[0] == 200
        return False

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, f"/api/v1{path}", data, self.headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        status, body = self.call("GET", path)
        assert status == 200, body
        return body

    def post(self, path: str, body: Any = None, expect: int = 200) -> Any:
        status, answer = self.call("POST", path, body if body is not None else {})
        assert status == expect, (status, answer)
        return answer

    def plan(self, cluster: int, procedure: str, **params: Any) -> Any:
        return self.post(f"/clusters/{cluster}/plans", {"procedure": procedure, "params": params})

    def start(
        self, cluster: int, procedure: str, confirmations: dict[str, Any], **params: Any
    ) -> str:
        """Plan, then start exactly that plan; the new run's id."""
        plan = self.plan(cluster, procedure, **params)
        body = {
            "procedure": procedure,
            "params": params,
            "plan_hash": plan["hash"],
            "confirmations": confirmations,
        }
        return str(self.post(f"/clusters/{cluster}/runs", body, expect=201)["id"])

    def plan_and_try(self, cluster: int, procedure: str) -> Any:
        """The refusal of a start that must not happen now."""
        plan = self.plan(cluster, procedure)
        body = {"procedure": procedure, "params": {}, "plan_hash": plan["hash"]}
        return self.post(f"/clusters/{cluster}/runs", {**body, "confirmations": {}}, expect=409)

    def step_log(self, run: str, step: str) -> bytes:
        """The journal's bytes of one step, as its node has them."""
        status, raw = self.raw("GET", f"/runs/{run}/log.txt?step={step}")
        assert status == 200, raw
        return raw

    def finished(self, run: str, timeout_s: float = 300) -> Any:
        """The run's snapshot once it is over, whatever the end."""

        def over() -> bool:
            return self.get(f"/runs/{run}")["state"] not in {"waiting", "running"}

        wait_for(over, timeout_s, f"run {run} is still going")
        return self.get(f"/runs/{run}")

    def log(self, run: str) -> str:
        status, raw = self.raw("GET", f"/runs/{run}/log.txt")
        assert status == 200
        return raw.decode(errors="replace")


def processes() -> Iterator[tuple[int, bytes]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(folder.name), (folder / "cmdline").read_bytes()


def environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def wait_for(condition: Callable[[], bool], timeout_s: float, complaint: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.1)


def found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    assert match, text
    return match.group(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
