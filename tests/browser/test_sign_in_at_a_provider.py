"""Away to a provider on another site and back, in Chromium, under the policy of the pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from clusterpanel.models import ApiToken
from tests.browser.conftest import _note
from tests.browser.log_page import Server
from tests.people.directory.certificates import Authority
from tests.people.directory.conftest import authority, provider, provider_certificate
from tests.people.directory.provider import CLIENT, SECRET, Provider

__all__ = ["authority", "provider", "provider_certificate"]

pytestmark = pytest.mark.browser


@pytest.fixture
def server(
    transactional_db: None,
    broker_url: str,
    provider: Provider,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Server]:
    words = {
        "OIDC_ISSUER": provider.issuer,
        "OIDC_NAME": "Corp ID",
        "OIDC_CLIENT_ID": CLIENT,
        "OIDC_CLIENT_SECRET": SECRET,
        "OIDC_CA_FILE": str(authority.file),
        "OIDC_ADMINISTRATOR_VALUES": "chiefs",
    }
    for name, value in words.items():
        monkeypatch.setenv(name, value)
    provider.has_a_page = True
    provider.person = {"sub": "u-1", "preferred_username": "olga", "groups": ["chiefs"]}
    served = Server()
    served.start()
    served.url = f"http://localhost:{served.port}"  # the provider is at 127.0.0.1: another site
    yield served
    served.cut()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A stranger's. Every complaint of the browser, such as about the policy, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, ignore_https_errors=True)
    opened, complaints = context.new_page(), list[str]()
    opened.on("console", lambda message: _note(complaints, message))
    yield opened
    context.close()
    assert [text for text in complaints if "favicon" not in text] == []


def test_in_by_the_button_and_once_more_before_an_override(
    page: Page, server: Server, provider: Provider
) -> None:
    page.goto(f"{server.url}/sign-in/?next=/account/")
    page.get_by_role("link", name="Sign in with Corp ID").click()
    assert page.url.startswith(provider.issuer)
    page.get_by_role("button", name="Agree").click()
    page.wait_for_url(f"{server.url}/account/")
    expect(page.get_by_text("It is not kept by this panel")).to_be_visible()
    page.get_by_text("Make a token…").click()
    again = page.get_by_role("link", name="Sign in once more at Corp ID")
    expect(again).to_be_visible()
    again.click()
    page.get_by_role("button", name="Agree").click()
    page.wait_for_url(f"{server.url}/account/")
    assert provider.asked[-1]["prompt"] == "login"
    page.get_by_text("Make a token…").click()
    page.fill("#token-name", "nightly")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text("It is shown only now.")).to_be_visible()
    assert ApiToken.objects.get().name == "nightly"
