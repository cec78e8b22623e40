"""A token or the browser's session with its CSRF token; everyone else gets 401 in our shape."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from clusterpanel.models import ApiToken
from tests.api.conftest import Api, token_of
from tests.operations.office import Office


@pytest.mark.parametrize(
    "path",
    ["/clusters", "/runs", "/audit", "/runs/x/events", "/runs/x/log.txt", "/clusters/1/status"],
)
def test_a_stranger_is_told_how_to_come_in(stranger: Api, path: str) -> None:
    assert stranger.refused("GET", path, None, 401) == "unauthenticated"


def test_a_wrong_token_is_a_stranger(stranger: Api) -> None:
    stranger.token = "wrong"
    assert stranger.refused("GET", "/clusters", None, 401) == "unauthenticated"


def test_a_token_opens_and_only_its_hash_is_kept(api: Api, office: Office) -> None:
    assert api.get("/clusters")[0]["name"] == "Office"
    kept = ApiToken.objects.get()
    assert api.token not in kept.digest
    assert kept.last_used_at is not None


def test_a_token_of_somebody_who_left_does_not_open(api: Api, office: Office) -> None:
    office.admin.is_active = False
    office.admin.save()
    assert api.refused("GET", "/clusters", None, 401) == "unauthenticated"


def test_tokens_are_revoked_together(
    api: Api, office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    from django.core.management import call_command

    token_of(office.admin, capsys)
    call_command("panel_token", "ivanov", "--revoke")
    assert api.refused("GET", "/clusters", None, 401) == "unauthenticated"


def test_a_session_reads_but_writes_only_with_the_csrf_token(office: Office) -> None:
    browser = Api(Client(enforce_csrf_checks=True))
    browser.client.force_login(office.admin)
    assert browser.get("/clusters")
    body = {"procedure": "backup_database"}
    path = f"/clusters/{office.cluster.pk}/plans"
    assert browser.refused("POST", path, body, 403) == "csrf"
    browser.client.get("/sign-in/")
    token = browser.client.cookies["csrftoken"].value
    assert browser.raw("POST", path, body, **{"X-CSRFToken": token}).status_code == 200


def test_a_token_needs_no_csrf_token(api: Api, office: Office) -> None:
    api.client = Client(enforce_csrf_checks=True)
    assert api.post(f"/clusters/{office.cluster.pk}/plans", {"procedure": "backup_database"})


def test_an_unknown_address_is_an_answer_too(api: Api) -> None:
    for method, path in (("GET", "/nowhere"), ("POST", "/nowhere"), ("GET", "/clusters/999")):
        assert api.refused(method, path, None, 404) == "not_found"
    assert api.refused("GET", "/runs/none", None, 404) == "not_found"
    assert api.refused("GET", "/runs/none/events", None, 404) == "not_found"


def test_the_description_is_served_and_no_page_from_elsewhere(stranger: Api) -> None:
    described = json.loads(stranger.raw("GET", "/openapi.json").content)
    assert "/api/v1/clusters/{cluster_id}/plans" in described["paths"]
    assert stranger.raw("GET", "/docs").status_code == 404


def test_metrics_need_a_sign_in(api: Api, stranger: Api, office: Office) -> None:
    assert stranger.client.get("/metrics").status_code == 401
    run = office.start()
    seen = api.client.get("/metrics", headers={"authorization": f"Bearer {api.token}"})
    assert b'clusterpanel_runs{state="waiting"} 1' in seen.content
    assert run.state == "waiting"
