"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

# As root Chromium has no sandbox; the others keep it from calling home on a closed network.
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]


def chromium_path() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def sign_in(page: Page, panel: Any) -> None:
    """As the administrator that the panel's first start made."""
    page.goto(f"{panel.url}/sign-in/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", panel.password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "sign-in" not in url)
