"""The premises of the API's tests, with every command that a server was given written down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.http import HttpResponse
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from nodes.transport import pool
from nodes.transport.base import Command, Output, PinnedKey, Target
from tests.api import premises as api_premises
from tests.api.premises import Premises, closed_doors, furnished
from tests.hostile.senders import Sender
from tests.people.made import person

# What shells, files of settings, logs and people stumble over.
SAMPLES = (
    "$(touch /tmp/canary)",
    "`touch /tmp/canary`",
    "; touch /tmp/canary",
    "| touch /tmp/canary",
    "&& touch /tmp/canary",
    "'; touch /tmp/canary; '",
    '"; touch /tmp/canary; "',
    "a\ntouch /tmp/canary",
    "a\r\nEVIL=1",
    "a\0b",
    "--help",
    "-oProxyCommand=touch",
    "fe80::1%$(touch /tmp/canary)",
    "fe80::1%eth0",
    "10.9.9.9 # comment",
    "10.9.9.9,10.9.9.10",
    "~root",
    "*",
    "${HOME}",
    "$'\\x41'",
    "%(host)s {host} {0.__class__}",
    "\\",
    "узел-1",
    "\u202egnp.exe",
    "\x1b[31mred",
    "<script>alert(1)</script>",
    "a" * 5000,
    "../../etc/passwd",
    "²",
    "٣",
    "9" * 5000,
)
_SHELL = "'\"\\$`;|&<>(){}[]*?!~#%^\n\r\t\0 -=,:./@aé\u2028"
_BEGINNINGS = ("", "10.9.9.9", "node1", "/app", "fe80::1%", "https://{host}/", "root", "-", "22")
VALUES = st.sampled_from(SAMPLES) | st.builds(
    "{}{}".format, st.sampled_from(_BEGINNINGS), st.text(_SHELL, max_size=12)
)
OFTEN = settings(
    max_examples=15,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=True,
)


@dataclass
class Asked:
    """`commands`: what servers were given; `hosts`: whom the panel tried to reach."""

    commands: list[Command] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)

    def scripts(self) -> Iterator[str]:
        """Texts that are meant for a shell."""
        yield from (each.argv[2] for each in self.commands if each.argv[:2] == ("sh", "-c"))

    def words(self) -> Iterator[str]:
        """Everything else."""
        for command in self.commands:
            yield from command.argv[3:] if command.argv[:2] == ("sh", "-c") else command.argv
            yield command.stdin.decode(errors="replace")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    asked = Asked()

    class Noting(api_premises.Recorded):
        def run(self, command: Command) -> Output:
            asked.commands.append(command)
            return super().run(command)

    def connect(target: Target, timeout_s: float = 8) -> Noting:
        asked.hosts.append(target.host)
        known = api_premises.connect(target)
        return Noting(target, known.answers)

    def scan(host: str, port: int) -> list[PinnedKey]:
        asked.hosts.append(host)
        return api_premises.scan(host, port)

    closed_doors(monkeypatch.setattr)
    monkeypatch.setattr("nodes.transport.pool.connect", connect)
    monkeypatch.setattr("nodes.transport.servers.scan_host_key", scan)
    yield asked
    pool.close_all()


@pytest.fixture
def premises(db: None, asked: Asked) -> Premises:
    return furnished(planned=())


@pytest.fixture
def chief(premises: Premises) -> Client:
    """Signed in as an administrator."""
    client = Client()
    client.force_login(person("chief", "administrator"))
    return client


def send(client: Client, sender: Sender, value: str) -> HttpResponse:
    address = sender.address.replace("{v}", quote(value, safe=""))
    content = sender.content(value)
    if sender.method == "GET":
        answer = client.get(address, content)
    elif sender.is_api:
        answer = client.generic(
            sender.method, address, json.dumps(content), content_type="application/json"
        )
    else:
        typed = urlencode(content, doseq=True)
        answer = client.post(address, typed, content_type="application/x-www-form-urlencoded")
    assert answer.status_code < 500
    return answer  # type: ignore[return-value]


def told(answer: HttpResponse) -> dict[str, Any]:
    """The JSON of an answer of the API."""
    found: dict[str, Any] = json.loads(answer.content)
    return found
