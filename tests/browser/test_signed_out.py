"""A page that is open when its session ends: it says so, leads to the sign-in, and asks no more."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Request, expect

from clusterpanel.people import services
from operations.models import Run
from tests.browser.log_page import Server, open_run
from tests.browser_fixture import chromium_path
from tests.fakes import seen

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium_path() is None, reason="needs Chromium"),
]
WITHIN_MS = 5_000  # a look every two seconds, and what a busy machine adds


def sign_out_everywhere() -> None:
    services.person_sign_out(by=None, user=User.objects.get(username="olga"))


def test_the_page_of_a_run_says_signed_out_and_how_to_come_back(
    page: Page, server: Server, run: Run
) -> None:
    # What polls leads to the sign-in by itself; here the stream is alone.
    page.route(re.compile(r"/(dock|strip|head|fences)/"), lambda route: route.abort())
    open_run(page, server, run)
    expect(page.get_by_role("link", name="Sign in again")).to_be_hidden()
    sign_out_everywhere()
    expect(page.locator(".chip-text")).to_have_text("Signed out", timeout=WITHIN_MS)
    asked: list[str] = []
    page.on("request", lambda request: asked.extend(_of_stream(request)))
    page.wait_for_timeout(2_000)
    assert asked == []
    page.get_by_role("link", name="Sign in again").click()
    expect(page).to_have_url(f"{server.url}/sign-in/?next=/runs/{run.pk}/")


def _of_stream(request: Request) -> list[str]:
    return [request.url] if "/events" in request.url else []


def test_a_dashboard_leads_to_the_sign_in(page: Page, server: Server) -> None:
    site = seen.cluster()
    seen.observed(site, "healthy")
    page.route(re.compile(r"/(dock|history)/"), lambda route: route.abort())
    page.goto(f"{server.url}/clusters/{site.pk}/")
    expect(page.locator("#link-state")).to_have_class(re.compile("is-ok"))
    sign_out_everywhere()
    expect(page).to_have_url(f"{server.url}/sign-in/?next=/clusters/{site.pk}/", timeout=15_000)
