"""A server that was taken over answers with markup, terminal sequences, broken UTF-8 and too much.

Every fact, line of output, sentence and audit entry has it; every page and every address of the API
is asked; nothing is a tag, and nothing reaches a terminal as more than text.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from django.conf import settings
from django.http.response import HttpResponseBase
from django.test import Client
from django.utils import timezone

from clusterpanel import audit
from clusterpanel.plain import OneLine
from nodes.domain.facts_json import to_json
from nodes.domain.observation import NodeFacts, Unknown
from nodes.domain.text import say
from nodes.models import Cluster, Observation
from nodes.transport.base import Command, Output
from operations.models import Run
from operations.runtime import journal
from operations.runtime.lines import LONGEST_CHUNK
from tests.builders import HOSTS, well
from tests.fakes.scripted import ScriptedTransport
from tests.people.doors import API, PAGES, QUERIES
from tests.people.made import at_the_keyboard, person
from tests.people.test_every_door import address
from tests.web import sites
from tests.web.made import HOSTILE, happened, made_plan, made_run, printed

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

SAID = HOSTILE.decode() + "\u202egnp \x9b31m \x00 \ufffd </script><img src=x onerror=alert(1)>"
MARKUP = ("<script>alert", "<b>red", "<img src=x", "onerror=alert(1)>")
TERMINAL = ("\x1b", "\x07", "\x9b", "\x00")
STREAMS = {"run-events", "dashboard-events"}
ELSEWHERE = {"logout", "password-set", "sign-in-code", "adopt", "settings-take", "recovery"}


def spoilt(value: Any) -> Any:
    """The same facts with what the server says in place of every word."""
    if isinstance(value, str):
        return SAID
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if field.name != "host"]
        return dataclasses.replace(value, **{name: spoilt(getattr(value, name)) for name in names})
    if isinstance(value, Mapping):
        return {key: spoilt(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(spoilt(each) for each in value)
    return value


def hostile_facts(host: str) -> NodeFacts:
    found: NodeFacts = spoilt(well(host))
    return found


def unknown_facts(host: str) -> NodeFacts:
    answer = Unknown(say("The server answered: %(words)s", words=SAID), SAID)
    names = ("galera", "env", "mount", "units", "hostname", "gluster_peers", "gluster_volumes")
    changes: Any = dict.fromkeys(names, answer)
    return dataclasses.replace(well(host), **changes)


@pytest.fixture
def site() -> Cluster:
    site = sites.installed()
    for facts in (hostile_facts(HOSTS[0]), unknown_facts(HOSTS[1])):
        dated = dataclasses.replace(facts, taken_at=timezone.now().timestamp())
        Observation.objects.filter(cluster=site, host=facts.host).update(facts=to_json(dated))
    return site


@pytest.fixture
def run(site: Cluster) -> Run:
    sentence = say("“One” on %(node)s: %(said)s", node=HOSTS[0], said=SAID)
    run = made_run("failed", ["succeeded", "failed", "pending"], cluster=site, sentence=sentence)
    step = run.plan.steps[1].key
    printed(run, step, HOSTILE + b"error: \xff\xfe\xc3( " + SAID.encode() + b"\n")
    happened(run, type="node", node=HOSTS[0], state="silent", text=sentence.to_json())
    run.steps.filter(key=step).update(sentence=sentence.to_json())
    audit.record(who=SAID, action="run.end", subject=SAID, detail={"sentence": SAID, SAID: [SAID]})
    return run


@pytest.fixture
def chief() -> Client:
    client = Client()
    client.force_login(at_the_keyboard(person("chief", "administrator")))
    return client


class Taken(ScriptedTransport):
    """Whatever is asked, it says the same."""

    alive = True

    def run(self, command: Command) -> Output:
        mark = b"\n--clusterpanel-- identity\n"
        return Output(0, mark + SAID.encode() + b"\xff" + mark + b"x" * 300_000, SAID.encode())


@pytest.fixture(autouse=True)
def _taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodes.transport.pool.connect", lambda target, **_: Taken(target))
    monkeypatch.setattr("nodes.transport.servers.scan_host_key", lambda *_: [])
    monkeypatch.setattr("clusterpanel.health._broker_answers", lambda: True)
    monkeypatch.setattr("operations.views.plan.services.plan_preview", lambda **_: made_plan())


def is_text(content: str, *, name: str) -> None:
    found = [piece for piece in MARKUP if piece in content]
    assert found == [], name


def body(answer: HttpResponseBase) -> str:
    if answer.streaming:
        return b"".join(answer.streaming_content).decode(errors="replace")  # type: ignore[attr-defined]
    return answer.content.decode(errors="replace")  # type: ignore[attr-defined]


def test_no_page_takes_it_for_markup(site: Cluster, run: Run, chief: Client) -> None:
    other = person("somebody", "viewer")
    other.api_tokens.create(digest="x")
    seen = 0
    for name in sorted(name for name, rules in PAGES.items() if "GET" in rules):
        if name in STREAMS | ELSEWHERE:
            continue
        answer = chief.get(address(name, site, run, other) + QUERIES.get(name, ""))
        assert answer.status_code < 500, name
        if "html" in answer.headers.get("Content-Type", ""):
            is_text(body(answer), name=name)
            seen += "alert(" in body(answer)
    assert seen >= 5  # it was there, as text


def test_the_api_tells_it_as_a_string(site: Cluster, run: Run, chief: Client) -> None:
    for path, rules in API.items():
        if "GET" not in rules or path.endswith("/events"):
            continue
        url = "/api/v1" + path.format(cluster_id=site.pk, run_id=run.pk) + QUERIES.get(path, "")
        answer = chief.get(url)
        assert answer.status_code in (200, 409, 502), (path, body(answer))
        if path.endswith("log.txt"):
            assert answer.headers["Content-Type"].startswith("text/plain")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "attachment" in answer.headers["Content-Disposition"]
            continue
        assert answer.headers["Content-Type"].startswith("application/json")
        json.loads(body(answer))
        assert not [sign for sign in TERMINAL if sign in body(answer)], path


def test_the_raw_answers_are_text_and_not_endless(site: Cluster, chief: Client) -> None:
    answer = chief.post(f"/clusters/{site.pk}/nodes/{HOSTS[0]}/raw/")
    text = body(answer)
    assert answer.status_code == 200
    is_text(text, name="raw")
    assert "alert(" in text
    assert "200000 more characters are not shown" in text.replace(",", "").replace("\xa0", "")
    assert len(text) < 300_000


def test_an_export_of_the_audit_is_text(site: Cluster, run: Run, chief: Client) -> None:
    for kind in ("csv", "json"):
        answer = chief.post("/audit/export/", {"format": kind})
        assert "attachment" in answer.headers["Content-Disposition"]
        assert not [sign for sign in TERMINAL if sign in body(answer)], kind


def test_a_name_with_a_line_end_forges_no_line_of_the_log() -> None:
    told = logging.getLogger("clusterpanel").makeRecord(
        *("audit", logging.INFO, "audit.py", 1, "audit %s %s", (7, "x\n2026-11-26 audit 8"), None)
    )
    plain: Any = settings.LOGGING["formatters"]["plain"]  # type: ignore[index]
    line = OneLine(plain["format"], style=plain["style"]).format(told)
    assert line.endswith("audit 7 x\u240a2026-11-26 audit 8")
    try:
        raise ValueError(SAID)
    except ValueError:
        told.exc_info = sys.exc_info()
    assert "\n    Traceback" in OneLine(plain["format"], style=plain["style"]).format(told)


def test_a_hundred_megabytes_in_one_line(site: Cluster, run: Run, chief: Client) -> None:
    """In the journal to the byte, in rows; a page gets a piece and the length of the rest."""
    step, size = run.plan.steps[1].key, 100_000_000
    before = run.next_line
    piece = b"y" * 4_000_000
    for _ in range(size // len(piece)):
        printed(run, step, piece, attempt=2)
    run.refresh_from_db()
    assert sum(map(len, journal.log_bytes(run.pk, step, 2))) == size
    answer = chief.get(f"/runs/{run.pk}/log/?limit=500&after={before - 1}")
    lines = json.loads(body(answer))["lines"]
    assert lines
    assert max(len(line["text"]) for line in lines) <= 4000
    assert max(line.get("cut", 0) for line in lines) <= LONGEST_CHUNK
    assert len(body(answer)) < 5_000_000
    assert chief.get(f"/runs/{run.pk}/").status_code == 200
