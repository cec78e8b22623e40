"""The panel's own key in a real browser: made, copied, tried, refused by a server, used, undone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from io import StringIO
from pathlib import Path

import paramiko
import pytest
from playwright.sync_api import Page, expect

from nodes import services
from nodes.models import Cluster, HostKey
from nodes.transport.keys import fingerprint
from tests.browser.log_page import Server, until
from tests.browser_fixture import chromium_path
from tests.fakes.sshd import Sshd, pinned, running
from tests.web import sites

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium_path() is None, reason="needs Chromium"),
]

HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
HOST_KEY = paramiko.ECDSAKey.generate()


@pytest.fixture
def doors() -> Iterator[list[Sshd]]:
    """An sshd for each of HOSTS, which nobody's key opens yet; the panel is a process of its own."""
    with ExitStack() as stack:
        first = stack.enter_context(running(HOST_KEY, address=HOSTS[0]))
        others = [running(HOST_KEY, address=host, port=first.port) for host in HOSTS[1:]]
        yield [first, *(stack.enter_context(each) for each in others)]


def a_site(doors: list[Sshd]) -> Cluster:
    """Every host key is accepted, and a key is in use."""
    site = sites.made_site(hosts=HOSTS, ssh_private_key=sites.KEY, ssh_port=doors[0].port)
    key = pinned(HOST_KEY)
    for host in HOSTS:
        HostKey.objects.create(
            cluster=site, host=host, type=key.type, base64=key.base64, sha256=fingerprint(key)
        )
    return site


def lets_in(door: Sshd, *keys: str) -> None:
    door.authorized = [paramiko.Ed25519Key.from_private_key(StringIO(key)) for key in keys]


@pytest.fixture
def shot(page: Page) -> Iterator[Page]:
    """With SHOTS= a picture of the end of each test in both themes, at the reference size and whole."""
    yield page
    if folder := os.environ.get("SHOTS"):
        name = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split(" ")[0]
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=Path(folder, f"{name}-{theme}.png"))
            page.screenshot(path=Path(folder, f"{name}-{theme}-whole.png"), full_page=True)


def opened(page: Page, server: Server, site: Cluster) -> None:
    page.goto(f"{server.url}/clusters/{site.pk}/install/access/")


def test_the_first_key_is_made_by_one_button_and_its_command_is_copied(
    shot: Page, server: Server
) -> None:
    site = sites.fresh()
    opened(shot, server, site)
    shot.get_by_label("User").fill("panel")
    shot.get_by_role("button", name="Let the panel make a key").click()
    own = shot.locator("#ssh-keys")
    expect(own).to_contain_text("SHA256:")
    site.refresh_from_db()
    assert site.ssh_username == "panel"
    shown = services.ssh_keys_shown(cluster=site).in_use
    assert shown
    for place, command in enumerate((shown.commands.put, shown.commands.sudo, shown.line)):
        own.get_by_role("button", name=re.compile("^(Copy|Copied)")).nth(place).click()
        assert shot.evaluate("navigator.clipboard.readText()") == command
    assert site.ssh_private_key.splitlines()[4] not in shot.content()


def test_an_access_page_without_any_key_says_what_can_be_done(shot: Page, server: Server) -> None:
    opened(shot, server, sites.fresh())
    expect(shot.get_by_role("button", name="Let the panel make a key")).to_be_visible()
    expect(shot.locator("#ssh-keys")).to_have_count(0)


def test_a_server_that_refuses_the_new_key_is_named_and_goes_on_only_by_a_tick(
    shot: Page, server: Server, doors: list[Sshd]
) -> None:
    site = a_site(doors)
    opened(shot, server, site)
    own = shot.locator("#ssh-keys")
    own.get_by_role("button", name="Make a new key").click()
    expect(own).to_contain_text("New, not used yet")
    site.refresh_from_db()
    lets_in(doors[0], site.ssh_other_key)
    doors[2].hangs_up = "It goes down."
    own.get_by_role("button", name="Try it on every server and use it").click()
    without = own.get_by_role("button", name=f"Use it without {HOSTS[1]}, {HOSTS[2]}")
    expect(without).to_be_visible()
    said = own.get_by_role("list", name="What each server said").get_by_role("listitem")
    expect(said).to_contain_text(["Opens", "Refused", "Not known"])
    expect(own.locator(".tried")).to_be_focused()
    expect(shot.locator("#live")).to_contain_text(f"not seen to open {HOSTS[1]}, {HOSTS[2]}")
    without.click()  # without the tick the browser asks for it
    expect(own).to_contain_text("New, not used yet")
    site.refresh_from_db()
    assert site.ssh_private_key == sites.KEY


def test_with_the_keyboard_alone_it_is_used_without_a_server_and_undone(
    shot: Page, server: Server, doors: list[Sshd]
) -> None:
    site = a_site(doors)
    opened(shot, server, site)
    services.ssh_key_make(cluster=site, by=None)
    new = site.ssh_other_key
    for door in doors[:2]:
        lets_in(door, new, sites.KEY)
    lets_in(doors[2], sites.KEY)
    opened(shot, server, site)
    own = shot.locator("#ssh-keys")
    own.get_by_role("button", name="Try it on every server and use it").press("Enter")
    expect(own.locator(".tried")).to_be_focused()
    own.get_by_role("checkbox").press("Space")
    own.get_by_role("button", name=f"Use it without {HOSTS[2]}").press("Enter")
    expect(own).to_contain_text("The key before")
    site.refresh_from_db()
    assert (site.ssh_private_key, site.ssh_other_key) == (new, sites.KEY)
    own.get_by_role("button", name="Go back to it").press("Enter")
    until(lambda: in_use(site) == sites.KEY, 15)
    assert site.ssh_other_key == new
    expect(own).to_contain_text("The key before")


def in_use(site: Cluster) -> str:
    site.refresh_from_db()
    return site.ssh_private_key
