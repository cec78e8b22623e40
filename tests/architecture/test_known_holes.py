"""No dependency has a hole that is known, where somebody can be asked who knows them (pip-audit).

The knowledge is OSV's (https://osv.dev). Where it cannot be reached the check is skipped by name, within
two seconds; a mirror that answers and knows nothing counts as not reached.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

OSV = "https://api.osv.dev/v1/query"
PATIENCE_S = 2.0
AUDIT_S = 180.0
# Asks for a hole that everybody knows. A process of its own: a name server may be silent for long.
_ASK = """
import json, sys, urllib.request
wanted = {"package": {"name": "django", "ecosystem": "PyPI"}, "version": "3.2"}
request = urllib.request.Request(sys.argv[1], json.dumps(wanted).encode())
with urllib.request.urlopen(request, timeout=10) as answer:
    sys.exit(0 if json.load(answer).get("vulns") else 4)
"""
_TOLD = {0: "", 4: "answers, and does not know what everybody knows"}


def out_of_reach(url: str) -> str:
    """Why the holes cannot be looked up there; "" when they can."""
    ask = [sys.executable, "-c", _ASK, url]
    try:
        asked = subprocess.run(ask, capture_output=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return f"{url} does not answer within {PATIENCE_S:g} s"
    return (
        f"{url} {why}"
        if (why := _TOLD.get(asked.returncode, "cannot be reached from here"))
        else ""
    )


def audited(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """pip-audit over everything that is installed here. Raises TimeoutExpired."""
    audit = [sys.executable, "-m", "pip_audit", "--local", "--progress-spinner", "off"]
    where = ["--vulnerability-service", "osv", "--osv-url", url, "--timeout", "15"]
    return subprocess.run(
        [*audit, *where, *options], capture_output=True, text=True, timeout=AUDIT_S
    )


def test_no_dependency_has_a_known_hole() -> None:
    if why := out_of_reach(OSV):
        pytest.skip(f"known holes are not looked up: {why}")
    try:
        found = audited(OSV)
    except subprocess.TimeoutExpired:
        pytest.skip(f"known holes are not looked up: {OSV} takes longer than {AUDIT_S:g} s")
    if found.returncode:
        pytest.fail(f"{found.stdout}{found.stderr}", pytrace=False)


# The decision itself, with somebody who plays the database


class Played(ThreadingHTTPServer):
    """Knows a hole in each version of `broken`, and in Django 3.2 unless it knows nothing."""

    def __init__(self, broken: str = "", status: int = 200, knows: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.broken, self.status, self.knows = broken, status, knows
        self.asked: set[str] = set()
        self.url = f"http://127.0.0.1:{self.server_port}/v1/query"

    def answer(self, name: str, version: str) -> dict[str, Any]:
        self.asked.add(name)
        if name == self.broken or (self.knows and (name, version) == ("django", "3.2")):
            return {"vulns": [{"id": f"HOLE-{name}", "summary": "It is open.", "affected": []}]}
        return {}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        played = self.server
        assert isinstance(played, Played)
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(played.answer(asked["package"]["name"], asked["version"])).encode()
        self.send_response(played.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def playing(**options: Any) -> Iterator[Played]:
    with Played(**options) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_where_it_answers_the_check_passes_or_names_the_hole() -> None:
    with playing() as clean:
        assert out_of_reach(clean.url) == ""
        assert audited(clean.url).returncode == 0
    assert {"django", "celery", "paramiko", "cryptography"} <= clean.asked
    with playing(broken="paramiko") as sick:
        found = audited(sick.url)
    assert found.returncode == 1
    assert "HOLE-paramiko" in found.stdout
    assert "HOLE-celery" not in found.stdout


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"knows": False}, "does not know what everybody knows"),
        ({"status": 404}, "cannot be reached"),
    ],
)
def test_a_mirror_without_the_knowledge_is_not_asked(options: dict[str, Any], why: str) -> None:
    with playing(**options) as mirror:
        assert why in out_of_reach(mirror.url)


def test_somebody_who_is_silent_or_away_costs_two_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for url, why in (
            (f"http://127.0.0.1:{port}/", "does not answer within 2 s"),
            ("https://no-such-name.invalid/", "cannot be reached"),
        ):
            began = time.monotonic()
            assert why in out_of_reach(url)
            assert time.monotonic() - began < PATIENCE_S + 2
