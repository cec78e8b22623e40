"""A button that would be refused is switched off, and says why."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from nodes.models import Cluster
from operations.models import Run
from tests.people.doors import PAGES
from tests.people.made import person
from tests.people.test_every_door import ROLES, _no_server_answers, address, other, run, site

__all__ = ["_no_server_answers", "other", "run", "site"]

pytestmark = pytest.mark.django_db


class Buttons(HTMLParser):
    """Each submit button with where its form goes and whether it is on: [(action, on), …]."""

    def __init__(self, here: str) -> None:
        super().__init__()
        self.here, self.found = here, list[tuple[str, bool]]()
        self.action, self.forms = "", dict[str, str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if tag == "form":
            self.action = (has.get("action") or self.here) if has.get("method") == "post" else ""
            self.forms[has.get("id") or ""] = self.action
        if tag == "button" and has.get("type") == "submit":
            action = self.forms.get(has["form"] or "", "") if "form" in has else self.action
            if action:
                self.found.append((action, "disabled" not in has))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.action = ""


def needed(action: str) -> str:
    try:
        name = resolve(urlsplit(action).path).url_name
    except Resolver404:
        return "nowhere"
    return PAGES[name or ""].get("POST", "no such method")


@pytest.mark.parametrize("who", ["viewer", "operator"])
def test_what_is_not_allowed_is_off(who: str, site: Cluster, run: Run, other: object) -> None:
    client = Client()
    client.force_login(person("me", who))
    seen, wrong = 0, []
    for name in [n for n, rules in PAGES.items() if "GET" in rules and n[-6:] != "events"]:
        url = address(name, site, run, other)  # type: ignore[arg-type]
        answer = client.get(url)
        if answer.status_code != 200 or "html" not in answer.headers.get("Content-Type", ""):
            continue
        page = Buttons(url)
        page.feed(answer.content.decode())
        for action, on in page.found:
            role = needed(action)
            seen += role in ROLES
            if on and role in ROLES and ROLES.index(who) < ROLES.index(role):
                wrong.append(f"{url}: a button to {action} is on, it needs {role}")
    assert wrong == []
    assert seen > 10


def test_an_administrator_finds_people_and_audit_and_others_do_not(site: Cluster) -> None:
    client = Client()
    client.force_login(person("me", "operator"))
    assert "/people/" not in client.get("/runs/").content.decode()
    client.force_login(person("chief", "administrator"))
    page = client.get("/runs/").content.decode()
    assert '"/people/"' in page
    assert '"/audit/"' in page
