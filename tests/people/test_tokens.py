"""API tokens: hashed, scoped to a role and a cluster, ending, revocable; what they do is visible."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from clusterpanel.models import ApiToken, AuditEntry
from clusterpanel.people import services
from nodes.domain.refusal import Refused
from tests.people.made import at_the_keyboard, person
from tests.web import sites
from tests.web.made import made_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return at_the_keyboard(person("ann", "operator"))


def made(ann: User, **words: object) -> tuple[ApiToken, str]:
    known = {"by": ann, "user": ann, "name": "script", "role": "viewer", **words}
    return services.token_create(**known)  # type: ignore[arg-type]


def get(token: str, path: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return Client().get(f"/api/v1{path}", headers=headers).status_code


def post(token: str, path: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return Client().post(f"/api/v1{path}", headers=headers).status_code


def test_only_a_hash_is_kept_and_it_ends(ann: User) -> None:
    _token, text = made(ann)
    assert text not in str(ApiToken.objects.values())
    assert get(text, "/clusters") == 200
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert get(text, "/clusters") == 401


def test_it_may_never_more_than_its_owner(ann: User) -> None:
    with pytest.raises(Refused, match="role_missing"):
        made(ann, role="administrator")
    _token, text = made(ann, role="operator")
    run = made_run("failed", ["succeeded", "failed", "pending"])
    assert post(text, f"/runs/{run.pk}/cancel") == 409  # it is over: the role reached
    services.person_role_set(by=None, user=ann, role="viewer")
    assert post(text, f"/runs/{run.pk}/cancel") == 403


def test_one_of_a_cluster_opens_nothing_else(ann: User) -> None:
    mine, other = sites.made_site("mine"), sites.made_site("other")
    run, foreign = (
        made_run("failed", ["failed"] * 3, cluster=mine),
        made_run("failed", ["failed"] * 3, cluster=other),
    )
    _, text = made(ann, role="operator", scope=mine)
    for path in (f"/clusters/{mine.pk}", f"/runs/{run.pk}", f"/runs?cluster={mine.pk}"):
        assert get(text, path) == 200, path
    for path in (
        f"/clusters/{other.pk}",
        f"/runs/{foreign.pk}",
        f"/runs/{foreign.pk}/events",
        f"/runs?cluster={other.pk}",
        "/runs",
        "/clusters",
        f"/clusters?cluster={mine.pk}",
        "/audit",
    ):
        assert get(text, path) == 403, path
    assert post(text, f"/runs/{foreign.pk}/cancel") == 403
    headers = {"authorization": f"Bearer {text}"}
    assert Client().get("/metrics", headers=headers).status_code == 403


def test_last_use_and_what_it_did_are_shown(ann: User) -> None:
    token, text = made(ann, role="operator")
    run = made_run("waiting")
    run.lease_owner = ""
    run.save()
    assert post(text, f"/runs/{run.pk}/cancel") == 200
    token.refresh_from_db()
    assert token.last_used_at is not None
    entry = AuditEntry.objects.get(action="run.cancel")
    assert (entry.who, entry.detail["from"]["token"]) == ("ann", "script")


def test_it_is_made_shown_once_and_revoked_on_the_page(ann: User) -> None:
    client = Client()
    client.force_login(ann)
    words = {"name": "nightly", "role": "viewer", "days": "30", "cluster": ""}
    page = client.post("/account/tokens/", words).content.decode()
    text = page.split("It is shown only now.")[1].split("<code>")[1].split("</code>")[0]
    assert get(text, "/clusters") == 200
    assert text not in client.get("/account/").content.decode()
    token = ApiToken.objects.get(name="nightly")
    client.post(f"/account/tokens/{token.pk}/revoke/")
    assert get(text, "/clusters") == 401
    assert "Revoked" in client.get("/account/").content.decode()


@pytest.mark.parametrize("days", ["", "0", "731", "x", "-1"])
def test_it_always_ends(ann: User, days: str) -> None:
    client = Client()
    client.force_login(ann)
    answer = client.post("/account/tokens/", {"name": "n", "role": "viewer", "days": days})
    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


def test_somebody_elses_is_not_revoked_by_an_operator(ann: User) -> None:
    token, text = made(ann)
    with pytest.raises(Refused, match="not_yours"):
        services.token_revoke(by=person("bob"), token=token)
    services.token_revoke(by=person("chief", "administrator"), token=token)
    assert get(text, "/clusters") == 401


def test_the_console_makes_lists_and_revokes(ann: User, capsys: pytest.CaptureFixture[str]) -> None:
    site = sites.made_site("mine")
    call_command("panel_token", "ann", "--role", "viewer", "--cluster", "mine", "--days", "3")
    text = capsys.readouterr().out.strip()
    assert get(text, f"/clusters/{site.pk}") == 200
    call_command("panel_token", "ann", "--list")
    assert "viewer  mine" in capsys.readouterr().out
    call_command("panel_token", "ann", "--revoke", str(ApiToken.objects.get().pk))
    assert get(text, f"/clusters/{site.pk}") == 401
