"""What became of somebody's sign-in while he was away is told when he is back."""

from __future__ import annotations

import time

import pyotp
import pytest
from django.contrib.auth.models import User
from django.test import Client

from clusterpanel.people import second_factor, services
from tests.people.made import PASSWORD, at_the_keyboard, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    """She was here once."""
    person("ann", "viewer", PASSWORD)
    told()
    return User.objects.get(username="ann")


@pytest.fixture
def chief() -> User:
    return at_the_keyboard(person("chief", "administrator"))


def told(password: str = PASSWORD) -> str:
    client = Client()
    client.post("/sign-in/", {"username": "ann", "password": password})
    return client.get("/account/").content.decode()


def test_nothing_happened(ann: User) -> None:
    assert "Since your last sign-in" not in told()


def test_wrong_passwords_are_counted_with_their_addresses(ann: User) -> None:
    for name, address in (("ann", "10.1.1.1"), ("ANN", "10.1.1.1"), ("ann", "10.1.1.2")):
        guess = {"username": name, "password": "guess"}
        Client(REMOTE_ADDR=address).post("/sign-in/", guess)
    assert "was given 3 times, from 10.1.1.1, 10.1.1.2." in told()
    assert "was given" not in told()  # once


def test_what_an_administrator_changed(ann: User, chief: User) -> None:
    services.person_role_set(by=chief, user=ann, role="operator")
    services.person_factor_remove(by=chief, user=ann)
    path = services.person_password_link(by=chief, user=ann)
    client = Client()
    words = {"new_password1": "quite another one", "new_password2": "quite another one"}
    client.post(client.get(path)["Location"], words)
    page = told("quite another one")
    for sentence in (
        "the role was changed",
        "the second factor was removed",
        "a link to set the password was made",
        "the password was set by a link",
    ):
        assert sentence in page
    assert "by chief" in page


def test_what_was_done_in_her_name_elsewhere(ann: User) -> None:
    thief = Client(REMOTE_ADDR="10.6.6.6")
    thief.post("/sign-in/", {"username": "ann", "password": PASSWORD})
    new = "the thief's own sentence"
    thief.post("/account/password/", {"old": PASSWORD, "new": new})
    assert "the password was changed" in told(new)


def test_a_code_that_is_used_twice(ann: User) -> None:
    """It is refused, in the audit, and told to whom it belongs."""
    secret = second_factor.new_secret()
    second_factor.set_up(ann.person, secret, int(time.time()) // 30 - 2)
    code = pyotp.TOTP(secret).now()
    for address in ("127.0.0.1", "10.6.6.6"):
        client = Client(REMOTE_ADDR=address)
        client.post("/sign-in/", {"username": "ann", "password": PASSWORD})
        client.post("/sign-in/code/", {"code": code})
    second_factor.remove(ann.person)
    assert "was given 1 times, from 10.6.6.6." in told()
