"""The log: a line for each thing that happened, and none that somebody else began."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from clusterpanel.plain import OneLine
from tests.people.made import person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the panel writes, in its own format."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(OneLine(plain()["format"], style="{"))
    root = logging.getLogger()
    root.addHandler(handler)
    yield out
    root.removeHandler(handler)


def plain() -> dict[str, str]:
    logging_settings: dict[str, Any] = settings.LOGGING
    return logging_settings["formatters"]["plain"]


def test_it_is_the_format_of_the_panel() -> None:
    assert plain()["()"] == "clusterpanel.plain.OneLine"
    assert plain()["style"] == "{"
    handlers = logging.getLogger().handlers
    assert [handler for handler in handlers if isinstance(handler.formatter, OneLine)]


def test_a_name_cannot_begin_a_line(log: io.StringIO) -> None:
    name = "eve\n2026-01-01 00:00:00,000 INFO clusterpanel.audit: audit 1 ann sign_in\x1b[2J\u2028x"
    Client().post("/sign-in/", {"username": name, "password": "guess"})
    lines = [line for line in log.getvalue().splitlines() if "clusterpanel.audit" in line]
    assert len(lines) == 1
    assert "eve\u240a2026-01-01" in lines[0]
    assert "\x1b" not in log.getvalue()


def test_the_lines_of_a_traceback_are_moved_to_the_right(log: io.StringIO) -> None:
    try:
        raise ValueError("first\n2026-01-01 INFO second")
    except ValueError:
        logging.getLogger("x").exception("it failed")
    first, *rest = log.getvalue().splitlines()
    assert "it failed" in first
    assert rest
    assert all(line.startswith("    ") for line in rest)


def test_what_was_sent_wrongly_is_in_the_log_without_what_was_sent(log: io.StringIO) -> None:
    client = Client()
    client.force_login(person("ann", "administrator"))
    body = json.dumps({"name": "x", "ssh": {"password": ["hunter2"]}})
    answer = client.post("/api/v1/clusters", body, content_type="application/json")
    assert answer.status_code == 422
    assert "/api/v1/clusters" in log.getvalue()
    assert "hunter2" not in log.getvalue()


def test_no_password_token_or_session_is_in_it(log: io.StringIO) -> None:
    client = Client()
    person("bob", "administrator", "a good long password")
    client.post("/sign-in/", {"username": "bob", "password": "hunter2-guess"})
    client.post("/sign-in/", {"username": "bob", "password": "a good long password"})
    made = client.post("/account/tokens/", {"name": "n", "role": "viewer", "days": "3"})
    text = (
        made.content.decode()
        .split("It is shown only now.")[1]
        .split("<code>")[1]
        .split("</code>")[0]
    )
    told = log.getvalue()
    assert "token.create" in told
    for secret in ("hunter2", "a good long", text, client.cookies["sessionid"].value):
        assert secret not in told


def test_a_mistake_of_the_panel_is_a_page_without_its_reason(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret-detail of the inside")

    client = Client(raise_request_exception=False)
    client.force_login(person("ann", "administrator"))
    monkeypatch.setattr("nodes.selectors.clusters", broken)
    monkeypatch.setattr("clusterpanel.audit_log.entries", broken)
    for url in ("/audit/", "/api/v1/clusters", "/api/v1/audit"):
        answer = client.get(url)
        assert answer.status_code == 500, url
        assert b"secret-detail" not in answer.content
        assert b"Traceback" not in answer.content
    assert "secret-detail" in log.getvalue()
