"""The API as a script uses it: JSON in, JSON out, a bearer token."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client

from tests.operations.office import Office, make_office


@dataclass
class Api:
    client: Client
    token: str = ""

    def raw(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        if self.token:
            headers.setdefault("authorization", f"Bearer {self.token}")
        data = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
        response = self.client.generic(
            method, f"/api/v1{path}", data, content_type="application/json", headers=headers
        )
        assert isinstance(response, HttpResponse)
        return response

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        response = self.raw(method, path, body)
        return response.status_code, json.loads(response.content)

    def get(self, path: str) -> Any:
        status, answer = self.call("GET", path)
        assert status == 200, answer
        return answer

    def post(self, path: str, body: Any = None, expect: int = 200) -> Any:
        status, answer = self.call("POST", path, body)
        assert status == expect, answer
        return answer

    def refused(self, method: str, path: str, body: Any, status: int = 409) -> str:
        """The code of the "no", after a look at its shape."""
        found, answer = self.call(method, path, body)
        assert found == status, answer
        assert {"code", "why", "fix", "evidence"} <= set(answer)
        assert answer["why"]
        assert answer["fix"]
        return str(answer["code"])


def token_of(user: User, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    call_command("panel_token", user.username)
    return capsys.readouterr().out.strip()


@pytest.fixture
def office(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Office:
    return make_office(monkeypatch.setattr)


@pytest.fixture
def api(office: Office, capsys: pytest.CaptureFixture[str]) -> Api:
    return Api(Client(), token_of(office.admin, capsys))


@pytest.fixture
def stranger(office: Office) -> Api:
    return Api(Client())
