"""A session: made anew at each sign-in, never told, listed for its owner, ended one by one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from clusterpanel.models import AuditEntry
from clusterpanel.people import open_sessions
from clusterpanel.people.tasks import forget_ended_sessions
from tests.people.made import PASSWORD, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return person("ann", "viewer", PASSWORD)


def signed_in(address: str = "127.0.0.1", agent: str = "Firefox", name: str = "ann") -> Client:
    client = Client(REMOTE_ADDR=address, headers={"user-agent": agent})
    client.post("/sign-in/", {"username": name, "password": PASSWORD})
    return client


def key(client: Client) -> str:
    return client.cookies["sessionid"].value


def page(client: Client) -> str:
    return client.get("/account/").content.decode()


def test_the_sign_in_makes_a_new_one_that_nobody_guesses(ann: User) -> None:
    client = Client()
    session = client.session
    session["a stranger's"] = True
    session.save()
    before = str(session.session_key)
    client.cookies["sessionid"] = before
    client.post("/sign-in/", {"username": "ann", "password": PASSWORD})
    assert key(client) != before
    stranger = Client()
    stranger.cookies["sessionid"] = before
    assert stranger.get("/account/").status_code == 302
    assert len(key(client)) == 32  # of 36 letters: 165 bits
    assert key(client) != key(signed_in())


def test_signing_out_ends_it_on_the_server(ann: User) -> None:
    client = signed_in()
    kept = key(client)
    client.post("/sign-out/")
    again = Client()
    again.cookies["sessionid"] = kept
    assert again.get("/account/").status_code == 302


def test_all_are_listed_with_their_place_and_none_of_somebody_else(ann: User) -> None:
    person("bob", "viewer", PASSWORD)
    signed_in("10.1.1.1", "Chrome <b>1</b>")
    signed_in("10.9.9.9", "Bob's", "bob")
    shown = page(signed_in("10.1.1.2", "Safari"))
    assert "10.1.1.1" in shown
    assert "Chrome &lt;b&gt;1&lt;/b&gt;" in shown
    assert "10.1.1.2" in shown
    assert "this one" in shown
    assert "10.9.9.9" not in shown


def test_no_page_tells_the_key_of_a_session(ann: User) -> None:
    one, other = signed_in(), signed_in()
    shown = page(one)
    assert key(one) not in shown
    assert key(other) not in shown
    assert key(one) not in str(list(AuditEntry.objects.values()))


def test_one_is_ended_and_the_others_go_on(ann: User) -> None:
    here, lost, other = signed_in(), signed_in(), signed_in()
    url = f"/account/sessions/{open_sessions.id_of(lost.session)}/end/"
    assert here.post(url)["Location"] == "/account/"
    assert lost.get("/account/").status_code == 302
    assert other.get("/account/").status_code == 200
    assert AuditEntry.objects.filter(who="ann", action="session.end").exists()
    assert "over already" in here.post(url).content.decode()


def test_the_password_is_asked_for_once_more(ann: User) -> None:
    here, other = signed_in(), signed_in()
    session = here.session
    session["password_at"] = (timezone.now() - timedelta(hours=1)).timestamp()
    session.save()
    url = f"/account/sessions/{open_sessions.id_of(other.session)}/end/"
    assert "asks for your password" in here.post(url).content.decode()
    assert other.get("/account/").status_code == 200
    here.post(url, {"password": PASSWORD})
    assert other.get("/account/").status_code == 302


def test_somebody_elses_is_not_ended(ann: User) -> None:
    person("bob", "administrator", PASSWORD)
    hers = signed_in()
    url = f"/account/sessions/{open_sessions.id_of(hers.session)}/end/"
    assert "over already" in signed_in(name="bob").post(url).content.decode()
    assert hers.get("/account/").status_code == 200


def test_what_was_ended_everywhere_is_not_listed(ann: User, settings: Any) -> None:
    signed_in("10.1.1.1").post("/account/sign-out/")
    assert "10.1.1.1" not in page(signed_in("10.1.1.2"))


def test_under_a_new_secret_key_it_is_listed_as_long_as_it_opens(ann: User, settings: Any) -> None:
    signed_in("10.1.1.1")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]
    assert "10.1.1.1" in page(signed_in("10.1.1.2"))


def test_what_is_over_is_forgotten(ann: User) -> None:
    signed_in()
    Session.objects.update(expire_date=timezone.now())
    new = signed_in()
    Client().post("/sign-in/", {"username": "ann", "password": "guess"})
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(days=2))
    forget_ended_sessions()
    assert Session.objects.count() == 1
    assert new.get("/account/").status_code == 200
    assert not AccessAttempt.objects.exists()
