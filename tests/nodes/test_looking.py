"""What a host that is typed answers, as far as one answer leads to the next question."""

from __future__ import annotations

from typing import Any

import pytest

from nodes.domain.text import say
from nodes.models import Cluster
from nodes.services import host_keys, host_look, looking
from nodes.transport.base import Output, PinnedKey, Unreachable
from tests.builders import HOSTS
from tests.fakes.scripted import Answer, ScriptedTransport
from tests.web import sites

pytestmark = pytest.mark.django_db
ONE = HOSTS[0]
KEY = PinnedKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIA==")


def looks(cluster: Cluster | None, host: str = ONE) -> list[tuple[str, str]]:
    return [(look.about, look.state) for look in host_look(host=host, cluster=cluster)]


def shows(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    def scan(host: str, port: int) -> list[PinnedKey]:
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    monkeypatch.setattr("nodes.services.host_keys.servers.scan_host_key", scan)


@pytest.mark.parametrize("host", ["10.0.0.300", "a b", "", "-x", "nowhere.invalid"])
def test_what_is_no_host_is_not_asked(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    shows(monkeypatch, AssertionError("asked"))
    monkeypatch.setattr("nodes.resolve._lookup", lambda name: "")
    assert looks(None, host) == [("name", "failed")]


def test_a_silent_host(monkeypatch: pytest.MonkeyPatch) -> None:
    shows(monkeypatch, Unreachable(say("It did not answer."), say("Switch it on.")))
    assert looks(sites.fresh()) == [("ssh", "failed")]


def test_a_new_key_is_to_be_accepted_first(monkeypatch: pytest.MonkeyPatch) -> None:
    shows(monkeypatch, [KEY])
    assert looks(None) == looks(sites.fresh()) == [("ssh", "ok"), ("key", "needs")]


def test_a_changed_key_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shows(monkeypatch, [KEY])
    assert looks(sites.installed()) == [("ssh", "ok"), ("key", "failed")]


@pytest.mark.parametrize(("uid", "state"), [(b"0\n", "ok"), (b"1000\n", "failed")])
def test_with_its_key_accepted_it_is_asked_who_we_are(
    monkeypatch: pytest.MonkeyPatch, uid: bytes, state: str
) -> None:
    site = sites.installed()
    shows(monkeypatch, [KEY])
    sha256 = host_keys.scan_one(ONE, 22, None).sha256
    site.host_keys.filter(host=ONE).update(sha256=sha256)
    answers: dict[str, Answer] = {"id -u": lambda command: Output(0, uid, b"")}
    monkeypatch.setattr(looking, "transport_for", lambda t: ScriptedTransport(t, answers))
    assert looks(site) == [("ssh", "ok"), ("key", "ok"), ("root", state)]
