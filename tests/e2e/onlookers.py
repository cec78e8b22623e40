"""Whoever watches while the panel works: the list of processes, and every answer of the panel."""

from __future__ import annotations

import http.cookiejar
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.e2e.canary import Piece
from tests.e2e.panel import Client, Panel

EVERY_S = 0.02
LOOKS = 10  # at one process: what it was started as, and what it became a moment later


class ProcessList:
    """Command lines and environments of everything that runs on this machine, asked all the time.

    The environment of a process is open to its user and to root alone; it is looked at all the same,
    because on a server of a cluster other programs run as that user.
    """

    def __init__(self) -> None:
        self._seen: set[tuple[str, bytes]] = set()
        self._looked: dict[str, int] = {}
        self._over = threading.Event()
        self.looks = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> ProcessList:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(EVERY_S):
            self.looks += 1
            here = [place for place in Path("/proc").iterdir() if place.name.isdigit()]
            self._looked = {place.name: self._looked.get(place.name, 0) + 1 for place in here}
            for place in here:
                if self._looked[place.name] <= LOOKS:
                    self._look(place)

    def _look(self, place: Path) -> None:
        with suppress(OSError):
            line = (place / "cmdline").read_bytes()
            if ("command line", line) not in self._seen:
                self._seen.add(("command line", line))
                self._seen.add(("environment", (place / "environ").read_bytes()))

    def pieces(self) -> list[Piece]:
        return [Piece(f"process:{kind}", data) for kind, data in self._seen]


class Answers:
    """Everything that the panel said to anybody."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []

    def note(self, door: str, path: str, status: int, headers: Any, body: bytes) -> None:
        told = "\n".join(f"{k}: {v}" for k, v in headers.items() if k.lower() != "set-cookie")
        self.pieces.append(Piece(f"answer:{door} {path} {status}", told.encode() + body))


class Browser:
    """A person's browser: cookies, forms, and no redirect is followed unseen."""

    def __init__(self, panel: Panel, answers: Answers) -> None:
        self.jar = http.cookiejar.CookieJar()
        self._url, self._answers = panel.url, answers
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.jar), _NoRedirect()
        )

    def cookie(self, name: str) -> str:
        return next(c.value or "" for c in self.jar if c.name == name)

    def get(self, path: str) -> tuple[int, str]:
        return self._open(urllib.request.Request(f"{self._url}{path}"))

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        if not any(cookie.name == "csrftoken" for cookie in self.jar):
            self.get("/sign-in/")
        body = urllib.parse.urlencode(fields).encode()
        headers = {"X-CSRFToken": self.cookie("csrftoken")}
        return self._open(urllib.request.Request(f"{self._url}{path}", body, headers))

    def listen(self, path: str, seconds: float) -> None:
        """A stream, for a while."""
        request, until = urllib.request.Request(f"{self._url}{path}"), time.monotonic() + seconds
        with self._opener.open(request, timeout=seconds + 10) as answer:
            body = b""
            while time.monotonic() < until and (piece := answer.read1(65536)):
                body += piece
            self._answers.note("GET", path, answer.status, answer.headers, body)

    def _open(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            answer = self._opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            body = answer.read()
        path = request.full_url.removeprefix(self._url)
        self._answers.note(request.get_method(), path, answer.status, answer.headers, body)
        return answer.status, body.decode()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Script(Client):
    """A client of the API whose answers are kept."""

    def __init__(self, port: int, token: str, answers: Answers) -> None:
        super().__init__(port, token)
        self._answers = answers

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        status, raw = super().raw(method, path, body)
        self._answers.note(method, f"/api/v1{path}", status, {}, raw)
        return status, raw


def fields(page: str) -> Mapping[str, str]:
    """The hidden fields of a page's forms."""
    return dict(_hidden(page))


def _hidden(page: str) -> Iterator[tuple[str, str]]:
    for tag in re.findall(r'<input[^>]*type="hidden"[^>]*>', page):
        name, value = (re.search(rf'{n}="([^"]*)"', tag) for n in ("name", "value"))
        if name and value:
            yield name[1], value[1]
