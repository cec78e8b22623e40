"""Whatever is asked of the API, by whomever: an answer that its own description knows, never an error.

`FUZZ=10000 python -m pytest -s tests/api/test_no_request_breaks_it.py` sends as many requests for
each role and prints what came back.
"""

from __future__ import annotations

import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import got_request_exception
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.anything import operations_of, requests
from tests.api.premises import ROLES, Premises, closed_doors, furnished, keys_of
from tests.people.doors import API

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(3600)]

REQUESTS = int(os.environ.get("FUZZ", "0")) or 250
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
# Read again after every change that was taken: the parts that it can have spoiled.
_PARTS = ("", "/settings/history", "/status")


@pytest.fixture
def premises(monkeypatch: pytest.MonkeyPatch) -> Premises:
    closed_doors(monkeypatch.setattr)
    return furnished()


@pytest.fixture
def application(premises: Premises, monkeypatch: pytest.MonkeyPatch) -> WSGIHandler:
    """The panel as a server has it; only that a request must not close this test's own connection."""
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
    return get_wsgi_application()


@pytest.fixture
def schema(application: WSGIHandler) -> BaseSchema:
    """As a stranger gets it, by the address that everybody gets it from."""
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)


@pytest.fixture
def broken() -> Iterator[list[str]]:
    """Tracebacks of the requests that broke something."""
    found: list[str] = []

    def note(**_: Any) -> None:
        found.append(traceback.format_exc())

    got_request_exception.connect(note)
    yield found
    got_request_exception.disconnect(note)


@pytest.mark.parametrize("role", ROLES)
def test_no_request_breaks_it(
    role: str,
    schema: BaseSchema,
    premises: Premises,
    application: WSGIHandler,
    broken: list[str],
) -> None:
    keys, seen, wrong = keys_of(role), Counter[tuple[str, int]](), dict[str, str]()
    reader = Client(headers=keys["token"]["headers"])
    operations = operations_of(schema)
    assert set(operations) == set(_labels())

    def knock(asked: tuple[str, Case]) -> None:
        door, case = asked
        broken.clear()
        with transaction.atomic():  # the next one finds everything as it was
            answer = case.call(app=application, **keys[door])
            seen[case.operation.label, answer.status_code] += 1
            if told := "".join(broken) or unlike_its_description(case, answer):
                wrong.setdefault(case.operation.label, f"{door}: {case.as_curl_command()}\n{told}")
            if case.method != "GET" and answer.status_code < 300:
                read_again(case, reader)
            transaction.set_rollback(True)

    for operation in operations.values():
        _often(2, requests([operation], premises, sorted(keys)))(knock)
    _often(REQUESTS, requests(list(operations.values()), premises, sorted(keys)))(knock)
    _print(role, seen)
    assert not wrong, "\n\n".join(wrong.values())
    assert seen.total() >= REQUESTS
    assert _succeeded(seen) * 5 > seen.total(), "hardly a request met what is there"


def unlike_its_description(case: Case, answer: Response) -> str:
    """A method that no operation has is another address: a part of the path was empty."""
    if answer.status_code == 405:
        return ""
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as group:
        return "\n".join(str(failure) for failure in group.exceptions)
    return ""


def _often(times: int, asked: st.SearchStrategy[Any]) -> Callable[[Callable[[Any], None]], None]:
    """A request is not made smaller when it broke something: the first one tells enough."""
    profile = settings(
        max_examples=times,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize="FUZZ" not in os.environ,  # the same every time; FUZZ looks for new ones
    )
    return lambda knock: profile(given(asked)(knock))()


def read_again(case: Case, reader: Client) -> None:
    """What was taken can be read."""
    cluster = (case.path_parameters or {}).get("cluster_id", 0)
    for path in ("/clusters", *(f"/clusters/{cluster}{part}" for part in _PARTS)):
        answer = reader.get(f"/api/v1{path}")
        assert answer.status_code in (200, 404), (case.as_curl_command(), path, answer.content)


def _labels() -> Iterator[str]:
    for path, rules in API.items():
        if path != "/openapi.json" and not path.endswith("/events"):
            yield from (f"{method} /api/v1{path}" for method in rules)


def _succeeded(seen: Counter[tuple[str, int]]) -> int:
    return sum(count for (_, status), count in seen.items() if status < 300)


def _print(role: str, seen: Counter[tuple[str, int]]) -> None:
    by_status = Counter[int]()
    for (_, status), count in seen.items():
        by_status[status] += count
    told = ", ".join(f"{count} × {status}" for status, count in sorted(by_status.items()))
    print(f"\n{role}: {seen.total()} requests: {told}")
    good = {label for label, status in seen if status < 300}
    if never := sorted({label for label, _ in seen} - good):
        print(f"never more than refused: {', '.join(never)}")
