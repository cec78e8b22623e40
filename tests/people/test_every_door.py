"""Every address × role × method, at the pages and at the API, with a session and with a token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from clusterpanel.api import digest
from clusterpanel.models import ApiToken, AuditEntry
from nodes.domain.text import say
from nodes.models import Cluster
from nodes.transport.base import Unreachable
from operations.api import api
from operations.models import Run
from tests.people.doors import ANYBODY, API, BODIES, FORMS, METHODS, PAGES, QUERIES
from tests.people.made import at_the_keyboard, person
from tests.web import sites
from tests.web.made import made_plan, made_run

pytestmark = pytest.mark.django_db

ROLES = ("viewer", "operator", "administrator")
WHO = ("stranger", *ROLES)
_FORM = "application/x-www-form-urlencoded"
SILENT = Unreachable(say("It did not answer."), say("Switch it on."))


@pytest.fixture(autouse=True)
def _no_server_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise SILENT

    monkeypatch.setattr("nodes.transport.pool.connect", away)
    monkeypatch.setattr("clusterpanel.health._broker_answers", lambda: True)
    monkeypatch.setattr("operations.views.plan.services.plan_preview", lambda **_: made_plan())
    drift = SimpleNamespace(host="10.0.0.11", finding="x", lines=())
    asked = SimpleNamespace(env_difference=lambda *_: [drift], latest_facts=lambda _: None)
    monkeypatch.setattr("nodes.views.settings_confirm.selectors", asked)
    # A stream lets the connection of its request go; here it is the test's own.
    monkeypatch.setattr("clusterpanel.sse.close_old_connections", lambda: None)
    monkeypatch.setattr("operations.stream.close_old_connections", lambda: None)
    monkeypatch.setattr("nodes.transport.servers.scan_host_key", away)


@pytest.fixture
def site() -> Cluster:
    return sites.installed()


@pytest.fixture
def run(site: Cluster) -> Run:
    return made_run("failed", ["succeeded", "failed", "pending"], cluster=site)


@pytest.fixture
def other() -> User:
    """Somebody else, with a token of his own; there is an administrator beside him."""
    person("root", "administrator")
    somebody = person("somebody", "administrator")
    ApiToken.objects.create(user=somebody, digest=digest("somebody's"))
    return somebody


def patterns(found: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for each in found:
        if isinstance(each, URLPattern):
            yield each
        elif each.namespace != "api":
            yield from patterns(each.url_patterns)


def test_every_page_has_a_rule() -> None:
    names = [pattern.name for pattern in patterns(get_resolver().url_patterns)]
    assert set(names) == set(PAGES)
    assert len(names) == len(set(names))


def test_every_address_of_the_api_has_a_rule() -> None:
    described = api.get_openapi_schema()["paths"]
    known = {
        (path, method) for path, rules in API.items() for method in rules if "events" not in path
    }
    found = {
        (path.removeprefix("/api/v1"), method.upper())
        for path, methods in described.items()
        for method in methods
    }
    assert found == {(path, method) for path, method in known if path != "/openapi.json"}


def expected(rules: dict[str, str], method: str, who: str) -> str:
    """yes, no, or "-" where there is no such method."""
    if method not in rules:
        return "-"
    needed = rules[method]
    if needed == ANYBODY:
        return "yes"
    return "yes" if who in ROLES and ROLES.index(who) >= ROLES.index(needed) else "no"


def verdict(answer: HttpResponseBase, who: str) -> str:
    """What the answer says about who may."""
    location = answer.headers.get("Location", "")
    if answer.status_code in (401, 403) or (who == "stranger" and "/sign-in/" in location):
        return "no"
    if answer.status_code == 405:
        return "-"
    return "yes" if answer.status_code < 500 or answer.status_code == 502 else "broken"


def _is_for_anybody(rules: dict[str, str], method: str, answer: HttpResponseBase) -> bool:
    """A redirect to the sign-in is then no refusal: it is where one comes from."""
    return rules.get(method) == ANYBODY and answer.status_code == 302


def address(name: str, site: Cluster, run: Run, other: User) -> str:
    words = {
        "cluster_id": adopting().pk if name == "adopt" else site.pk,
        "run_id": run.pk,
        "host": "10.0.0.11",
        "number": 1,
        "step": "nodes",
        "procedure": "backup_database",
        "user_id": other.pk,
        "verb": "sign-out",
        "token_id": other.api_tokens.get().pk,
        "uidb64": "MQ",
        "token": "none",
        "session": "none",
    }
    pattern = next(p for p in patterns(get_resolver().url_patterns) if p.name == name)
    return reverse(name, kwargs={key: words[key] for key in pattern.pattern.converters})


def adopting() -> Cluster:
    known = Cluster.objects.filter(name="adopted").first()
    return known or sites.made_site("adopted", adopting=True)


def client_of(who: str) -> Client:
    client = Client(raise_request_exception=False)
    if who != "stranger":
        client.force_login(person(f"a-{who}", who))
    return client


@pytest.mark.parametrize("who", WHO)
def test_pages(who: str, site: Cluster, run: Run, other: User) -> None:
    client, wrong = client_of(who), []
    for name, rules in PAGES.items():
        url = address(name, site, run, other)
        for method in METHODS:
            url += QUERIES.get(name, "") if "?" not in url else ""
            answer = knock(client, method, url, urlencode(FORMS.get(name, {})), _FORM)
            wanted = expected(rules, method, who)
            found = "yes" if _is_for_anybody(rules, method, answer) else verdict(answer, who)
            # Whether a method exists is not told to somebody who is not signed in.
            if found != wanted and (who, wanted, found) != ("stranger", "-", "no"):
                wrong.append(f"{method} {url}: {answer.status_code}, expected {wanted}")
    assert wrong == []


def knock(
    client: Client, method: str, url: str, body: str, kind: str, **headers: str
) -> HttpResponseBase:
    """What it changed is undone: the next one finds everything as it was."""
    cookies = client.cookies.output()
    with transaction.atomic():
        answer = client.generic(method, url, body, content_type=kind, headers=headers)
        transaction.set_rollback(True)
    if client.cookies.output() != cookies:
        client.cookies.load(cookies.replace("Set-Cookie: ", ""))
    return answer


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("door", ["session", "token"])
def test_api(door: str, who: str, site: Cluster, run: Run) -> None:
    client = client_of(who) if door == "session" else Client(raise_request_exception=False)
    headers = {"authorization": f"Bearer {token_of(who)}"} if door == "token" else {}
    words, wrong = {"cluster_id": site.pk, "run_id": run.pk, "step": run.plan.steps[1].key}, []
    for path, rules in API.items():
        url = f"/api/v1{path}".format(**words) + QUERIES.get(path, "")
        for method in METHODS:
            body = json.dumps(BODIES.get(path, {})) if method != "GET" else ""
            answer = knock(client, method, url, body, "application/json", **headers)
            wanted = expected(rules, method, who)
            if verdict(answer, who) != wanted and (wanted, answer.status_code) != ("-", 401):
                wrong.append(f"{method} {url}: {answer.status_code}, expected {wanted}")
    assert wrong == []


def token_of(who: str) -> str:
    """An administrator's token of this role: the token's role counts, not his."""
    if who == "stranger":
        return "wrong"
    chief = at_the_keyboard(person(f"chief-{who}", "administrator"))
    ApiToken.objects.create(user=chief, role=who, digest=digest(f"t-{who}"))
    return f"t-{who}"


def test_what_was_refused_is_in_the_audit(site: Cluster) -> None:
    answer = client_of("viewer").post(reverse("checks-run", args=[site.pk]))
    assert answer.status_code == 403
    assert "needs the role operator; yours is viewer" in answer.content.decode()
    entry = AuditEntry.objects.get(action="refused")
    assert (entry.who, entry.subject) == ("a-viewer", "checks_run")
    assert entry.detail["code"] == "role_missing"


def test_no_get_changes_anything(site: Cluster, run: Run, other: User) -> None:
    """Every table as it was, except what belongs to the asking itself: session, newest answers, and
    the plan that was shown."""
    client = client_of("administrator")
    urls = [address(name, site, run, other) for name, rules in PAGES.items() if "GET" in rules]
    before = books()
    for url in urls:
        client.get(url)
        assert books() == before, url


ASIDE = ("django_session", "nodes_observation", "nodes_nodesample", "operations_shownplan")


def books() -> dict[str, list[tuple[object, ...]]]:
    found = {}
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        if table in ASIDE:
            continue
        with connection.cursor() as cursor:
            columns = "id, name" if table == "nodes_cluster" else "*"
            cursor.execute(f"SELECT {columns} FROM {connection.ops.quote_name(table)}")
            found[table] = sorted(cursor.fetchall(), key=repr)
    return found
