"""What may be a password, and how it is kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import global_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, make_password
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from clusterpanel.people import services
from tests.people.made import PASSWORD, person

pytestmark = pytest.mark.django_db
LONG = "ж " * 63 + "жж"  # 128 characters, 191 bytes


@pytest.fixture
def ann() -> User:
    return person("ann", "viewer", PASSWORD)


@pytest.mark.parametrize(
    "password",
    [
        "all in small letters",
        "ONLYCAPITALSHERE",
        "パスワードは長い文章がいい",
        "🐘🐘🦭 three animals",
        "пароль из обычных слов",
        "~!@#$%^&*()_+{}",
        LONG,
        "x" * 32 + "y" * 32,
    ],
)
def test_any_character_may_stand_in_it_and_none_must(password: str, ann: User) -> None:
    validate_password(password, ann)
    services.password_change(by=ann, old=PASSWORD, new=password)
    client = Client()
    client.post("/sign-in/", {"username": "ann", "password": password})
    assert client.get("/account/").status_code == 200


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("elevenchars", "at least 12 characters"),
        ("a          b", "at least 12 characters"),
        (LONG + "x", "at most 128 characters"),
        ("qwerty123456", "too common"),
        ("telechargement", "too common"),
        ("annabel-lee!", "too similar"),
        ("839204756102", "entirely numeric"),
    ],
)
def test_what_is_refused_says_why(password: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        validate_password(password, User(username="annabel-lee"))


def test_nothing_is_cut_off(ann: User) -> None:
    services.password_change(by=ann, old=PASSWORD, new=LONG)
    client = Client()
    client.post("/sign-in/", {"username": "ann", "password": LONG[:-1]})
    assert client.get("/account/").status_code == 302


def test_the_page_of_the_link_has_the_same_rules() -> None:
    eve = services.person_add(by=None, name="eve", role="viewer")
    client = Client()
    form = client.get(services.person_password_link(by=None, user=eve))["Location"]
    for bad in ("short", "telechargement", "x" * 129):
        answer = client.post(form, {"new_password1": bad, "new_password2": bad})
        assert answer.status_code == 200
        assert not User.objects.get(username="eve").has_usable_password()


def test_the_old_one_is_asked_for_and_neither_is_shown_again(ann: User) -> None:
    client = Client()
    client.post("/sign-in/", {"username": "ann", "password": PASSWORD})
    new = "quite another sentence"
    page = client.post("/account/password/", {"old": "wrong-guess-here", "new": new}).content
    assert b"The password is wrong." in page
    assert new.encode() not in page
    assert b"wrong-guess-here" not in page
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_it_is_kept_salted_and_slow(settings: Any) -> None:
    """The tests themselves hash quickly; this is about the panel, which leaves Django's own choice."""
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    kept = [make_password(PASSWORD) for _ in range(2)]
    (kind, rounds, salt, _), (_, _, other, _) = (each.split("$") for each in kept)
    assert (kind, int(rounds) >= 310_000) == ("pbkdf2_sha256", True)
    assert salt != other
    assert PBKDF2PasswordHasher.salt_entropy >= 128
    assert check_password(PASSWORD, kept[0])
