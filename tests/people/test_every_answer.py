"""What every answer carries, whoever asks for what; and what is never read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.http.response import HttpResponseBase
from django.test import Client

from clusterpanel.api import digest
from clusterpanel.celery import app as celery
from clusterpanel.models import ApiToken
from nodes.models import Cluster
from operations.models import Run
from tests.people.doors import API, PAGES, QUERIES
from tests.people.made import PASSWORD, person
from tests.people.test_every_door import _no_server_answers, address, other, run, site

__all__ = ["_no_server_answers", "other", "run", "site"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person("ann", "administrator"))
    return client


@pytest.fixture
def answers(
    ann: Client, site: Cluster, run: Run, other: User
) -> Iterator[tuple[str, HttpResponseBase]]:
    """Of each address that is read, and of some that nobody has."""
    words = {"cluster_id": site.pk, "run_id": run.pk, "step": run.plan.steps[1].key}
    urls = [address(name, site, run, other) for name, rules in PAGES.items() if "GET" in rules]
    urls += [
        f"/api/v1{path}".format(**words) + QUERIES.get(path, "")
        for path, rules in API.items()
        if "GET" in rules
    ]
    urls += ["/nowhere/", "/api/v1/nowhere", "/static/nothing.js", "/.git/config", "/manage.py"]
    return ((url, ann.get(url, headers={"origin": "https://evil.example"})) for url in urls)


def test_headers(answers: Iterator[tuple[str, HttpResponseBase]]) -> None:
    wrong, seen = [], 0
    for url, answer in answers:
        seen += 1
        kept, kind = answer.headers.get("Cache-Control", ""), answer.headers.get("Content-Type", "")
        if not ("no-store" in kept or "event-stream" in kind):
            wrong.append(f"{url}: may be kept ({kept})")
        if answer.status_code != 302 and not kind:
            wrong.append(f"{url}: has no type")
        if kind.startswith("text/") and "event-stream" not in kind and "charset=" not in kind:
            wrong.append(f"{url}: {kind} without a character set")
        if "default-src 'none'" not in answer.headers.get("Content-Security-Policy", ""):
            wrong.append(f"{url}: has no policy")
        if answer.headers.get("X-Content-Type-Options") != "nosniff":
            wrong.append(f"{url}: may be sniffed")
        if [name for name in answer.headers if name.lower().startswith("access-control-")]:
            wrong.append(f"{url}: lets other sites read it")
        if {"Server", "X-Powered-By"} & set(answer.headers):
            wrong.append(f"{url}: names what it runs on")
        saved = answer.headers.get("Content-Disposition", "").startswith("attachment")
        if "/api/" in url and kind.startswith("application/json") and not saved:
            wrong.append(f"{url}: is opened and not saved")
    assert wrong == []
    assert seen > 60


def test_nothing_of_the_folder_is_served(ann: Client) -> None:
    for path in (
        *("/.git/config", "/manage.py", "/static/", "/static/js/", "/static/js/.app.js.swp"),
        *("/static/../manage.py", "/static/%2e%2e/manage.py", "/static/js/app.js.bak"),
    ):
        assert ann.get(path).status_code == 404, path
    # What lies in the folder is served, so nothing else may lie there.
    kinds = {path.suffix for path in (settings.BASE_DIR / "static").rglob("*") if path.is_file()}
    assert kinds == {".css", ".js", ".svg"}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""]
)
def test_a_body_that_does_not_call_itself_json_is_not_read(
    kind: str, ann: Client, site: Cluster
) -> None:
    body = json.dumps({"page_url": "https://{host}/"})
    url = f"/api/v1/clusters/{site.pk}/page-url"
    answer = ann.generic("PUT", url, body, content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "not_json")
    site.refresh_from_db()
    assert site.page_url == ""
    charset = "application/json; charset=utf-8"
    assert ann.generic("PUT", url, body, content_type=charset).status_code == 200


def test_the_name_of_a_site_opens_nothing(site: Cluster) -> None:
    """Neither `Origin` nor a header of a proxy is a sign-in."""
    claims = {
        "origin": "http://testserver",
        "x-forwarded-user": "ann",
        "remote-user": "ann",
        "x-forwarded-for": "127.0.0.1",
    }
    person("ann", "administrator")
    assert Client(headers=claims).get("/api/v1/clusters").status_code == 401
    assert Client(headers=claims).get("/people/").status_code == 302


def test_a_field_that_nobody_asked_for_changes_nothing(ann: Client, site: Cluster) -> None:
    """Names of columns, sent along with a form and with a body."""
    more = {"is_superuser": "1", "is_active": "", "epoch": "7", "user_id": "1", "id": "1"}
    ann.post("/people/", {"name": "eve", "role": "viewer", **more})
    eve = User.objects.get(username="eve")
    assert (eve.is_superuser, eve.is_active, eve.person.epoch) == (False, True, 0)
    body = json.dumps({"page_url": "https://{host}/", "ssh_username": "eve"})
    url = f"/api/v1/clusters/{site.pk}/page-url"
    answer = ann.generic("PUT", url, body, content_type="application/json")
    assert answer.status_code == 422
    assert "ssh_username" in answer.json()["field"]


@pytest.mark.parametrize("digits", ["9" * 30, "9" * 5000, "-1", "٣"])
def test_a_number_of_any_size_is_no_error(digits: str, ann: Client) -> None:
    for url in (
        *(f"/clusters/{digits[:40]}/", f"/people/{digits[:40]}/", f"/audit/?before={digits}"),
        *(f"/api/v1/clusters/{digits[:40]}", f"/api/v1/audit?before={digits[:40]}"),
        f"/api/v1/runs?cluster={digits[:40]}",
    ):
        assert ann.get(url).status_code < 500, url
    for words in ({"days": digits}, {"days": "3", "cluster": digits}):
        sent = {"name": "n", "role": "viewer", **words}
        assert ann.post("/account/tokens/", sent).status_code < 500, words


def test_a_name_twice_is_one_value_and_never_the_address(ann: Client) -> None:
    """Of two the last one counts, and what stands in the address is no field of the form."""
    twice = "name=first&name=second&role=viewer&role=operator"
    kind = "application/x-www-form-urlencoded"
    ann.generic("POST", "/people/?name=third&role=administrator", twice, content_type=kind)
    assert User.objects.get(username="second").person.role == "operator"
    assert not User.objects.filter(username__in=["first", "third"]).exists()


def test_a_token_in_the_address_opens_nothing() -> None:
    chief = person("chief", "administrator")
    ApiToken.objects.create(user=chief, digest=digest("text"))
    for name in ("token", "access_token", "sessionid", "Authorization"):
        assert Client().get(f"/api/v1/clusters?{name}=text").status_code == 401


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "https:///evil"]
)
def test_the_way_on_stays_in_the_panel(elsewhere: str) -> None:
    person("ann", "viewer", PASSWORD)
    words = {"username": "ann", "password": PASSWORD, "next": elsewhere}
    client = Client()
    assert client.post("/sign-in/", words)["Location"] == "/"
    answer = client.post("/i18n/setlang/", {"language": "ru", "next": elsewhere})
    assert answer["Location"] == "/"


def test_when_the_rule_itself_fails_nothing_is_done(
    ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("clusterpanel.people.rules.standing", broken)
    assert ann.post("/people/", {"name": "eve", "role": "viewer"}).status_code == 500
    assert not User.objects.filter(username="eve").exists()


def test_what_travels_between_the_parts_is_json() -> None:
    """Nothing that could make objects: no pickle from Redis, none in a session."""
    assert set(celery.conf.accept_content) == {"json"}
    assert celery.conf.task_serializer == "json"
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
    forbidden = re.compile(r"^\s*(import|from) (pickle|marshal|shelve|dill|yaml)\b", re.M)
    packages = ("clusterpanel", "nodes", "operations")
    sources = [path for each in packages for path in (settings.BASE_DIR / each).rglob("*.py")]
    assert len(sources) > 200
    assert [path.name for path in sources if forbidden.search(path.read_text())] == []
