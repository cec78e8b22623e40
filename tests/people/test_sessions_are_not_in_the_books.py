"""What the database has of a session opens none, and tells nothing of what is in it."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.contrib.sessions.models import Session
from django.test import Client

from clusterpanel.people.sessions import SessionStore, kept
from tests.people.made import PASSWORD, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    person("maria", "administrator", PASSWORD)
    client = Client(HTTP_HOST="localhost")
    assert client.post("/sign-in/", {"username": "maria", "password": PASSWORD}).status_code == 302
    return client


def cookie(client: Client) -> str:
    return client.cookies["sessionid"].value


def test_a_row_is_known_by_a_digest_and_says_nothing(client: Client) -> None:
    client.get("/account/factor/")
    secret = SessionStore(cookie(client))["factor_secret"]
    row = Session.objects.get()
    assert row.session_key == kept(cookie(client)) != cookie(client)
    assert secret
    assert row.get_decoded() == {}  # what Django alone can read of it
    assert secret not in row.session_data


def test_whoever_has_the_row_is_not_signed_in(client: Client) -> None:
    thief = Client()
    thief.cookies["sessionid"] = Session.objects.get().session_key
    assert thief.get("/account/").status_code == 302
    assert client.get("/account/").status_code == 200


def test_signing_out_removes_the_row(client: Client) -> None:
    client.post("/sign-out/")
    assert not Session.objects.filter(pk=kept(cookie(client))).exists()
    assert client.get("/account/").status_code == 302


def test_a_session_that_ended_is_none(client: Client) -> None:
    Session.objects.update(expire_date="2020-01-01T00:00:00Z")
    assert client.get("/account/").status_code == 302


def test_another_cookie_each_time_somebody_signs_in(client: Client) -> None:
    first = cookie(client)
    client.post("/sign-out/")
    client.post("/sign-in/", {"username": "maria", "password": PASSWORD})
    assert cookie(client) != first
    assert Session.objects.get().session_key == kept(cookie(client))


def test_it_lives_through_a_new_key_and_ends_with_the_old_one(
    client: Client, settings: object
) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))

    def keys(*found: str) -> None:
        settings.FIELD_KEYS = list(found)  # type: ignore[attr-defined]

    keys(old)
    client.post("/sign-in/", {"username": "maria", "password": PASSWORD})
    keys(new, old)
    assert client.get("/account/").status_code == 200
    keys(new)
    assert client.get("/account/").status_code == 302


async def test_the_async_half_finds_the_same(transactional_db: None) -> None:
    session = SessionStore()
    await session.aset("what", "this")
    await session.asave()
    key = session.session_key
    assert key
    assert await SessionStore().aexists(key)
    assert await SessionStore(key).aget("what") == "this"
    await SessionStore().adelete(key)
    assert not await SessionStore().aexists(key)
