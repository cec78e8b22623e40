"""A password may be looked at, pasted, filled in by a manager; a new one says how good it is."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect

from tests.browser.log_page import Server
from tests.browser_fixture import chromium_path

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium_path() is None, reason="needs Chromium"),
]


def test_it_is_shown_and_hidden_again(page: Page, server: Server) -> None:
    page.context.clear_cookies()
    page.goto(f"{server.url}/sign-in/")
    field = page.locator("#id_password")
    page.evaluate("navigator.clipboard.writeText('a pasted sentence')")
    field.focus()
    page.keyboard.press("Control+V")
    expect(field).to_have_value("a pasted sentence")
    expect(field).to_have_attribute("type", "password")
    expect(field).to_have_attribute("autocomplete", "current-password")
    page.get_by_role("button", name="Show the password").click()
    expect(field).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide the password").click()
    expect(field).to_have_attribute("type", "password")


def test_a_new_one_is_measured_while_it_is_typed(page: Page, server: Server) -> None:
    _has_a_password(page, server)
    page.goto(f"{server.url}/account/")
    place = page.locator("[data-strength-of=new]")
    expect(place).to_be_hidden()
    for typed, word in (
        ("short", "Too short"),
        ("a            b", "Too short"),
        ("aaaaaaaaaaaaaaaa", "Easy to guess"),
        ("482910573648", "Easy to guess"),
        ("thirteen long", "Fair"),
        ("a sentence of words", "Good"),
        ("a quite long sentence of words", "Strong"),
    ):
        page.fill("#new", typed)
        expect(place.locator("span")).to_have_text(word)
    page.fill("#new", "")
    expect(place).to_be_hidden()


def _has_a_password(page: Page, server: Server) -> None:
    """Whoever has none of this panel cannot change it either."""
    user = User.objects.get(username="olga")
    user.set_password("a sentence of before")
    user.save()
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server.url}])
