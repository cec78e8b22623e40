"""A run's page in a real browser, served by uvicorn from the tests' own database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from operations.models import Run
from tests.browser.log_page import LINES, STEP, Server, lines_of_text, printed
from tests.browser_fixture import chromium
from tests.people.made import person
from tests.web.made import made_run

expect.set_options(timeout=15_000)


@pytest.fixture
def server(transactional_db: None, broker_url: str) -> Iterator[Server]:
    served = Server()
    served.start()
    yield served
    served.cut()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread; the database is used between its calls.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with chromium() as started:
        yield started
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """Signed in. Every complaint of the browser about the page itself fails the test."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 720},
        permissions=["clipboard-read", "clipboard-write"],
    )
    user = person("olga", "administrator")
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server.url}])
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: _note(complaints, message))
    opened.on("requestfailed", lambda request: _missing(complaints, request))
    yield opened
    context.close()
    assert complaints == []


def _note(complaints: list[str], message: Any) -> None:
    """A server that is away, or says no, is meant; anything else of the browser is a defect."""
    away = "net::ERR" in message.text or message.text.startswith("htmx:")
    refused = "status of 409 (Conflict)" in message.text
    if message.type in ("error", "warning") and not away and not refused:
        complaints.append(message.text)


def _missing(complaints: list[str], request: Any) -> None:
    """A page without one of its scripts is dead: then the test says which, and why."""
    left = request.failure == "net::ERR_ABORTED"  # for another page
    if request.url.endswith(".js") and not left:
        complaints.append(f"{request.url}: {request.failure}")


@pytest.fixture
def run(server: Server) -> Run:
    made = made_run("running", ["succeeded", "running", "pending"])
    printed(made, "galera-1-node1", lines_of_text(0, 100))
    printed(made, STEP, lines_of_text(100, LINES))
    return made
