"""Guessing ends in a pause; a second factor is asked for; sessions end when they should."""

from __future__ import annotations

import base64
import math
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from clusterpanel.models import AuditEntry
from clusterpanel.people import second_factor, services
from clusterpanel.people.models import Person, RecoveryCode
from tests.people.made import PASSWORD, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return person("ann", "administrator", PASSWORD)


@pytest.fixture
def secret(ann: User) -> str:
    """Ann's second factor is set up; its newest code counts as used a minute ago."""
    made = second_factor.new_secret()
    second_factor.set_up(ann.person, made, int(time.time()) // 30 - 2)
    return made


def sign_in(client: Client, password: str = PASSWORD, name: str = "ann") -> Any:
    return client.post("/sign-in/", {"username": name, "password": password})


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_five_wrong_passwords_make_a_pause_also_for_the_right_one(ann: User) -> None:
    client = Client()
    for _ in range(5):
        sign_in(client, "guess")
    answer = sign_in(client)
    assert answer.status_code == 429
    assert "too many wrong passwords" in answer.content.decode()
    assert not is_in(client)
    assert "sign_in.paused" in acts()
    services.person_unlock(by=None, user=ann)
    sign_in(client)
    assert is_in(client)


def test_the_pause_is_for_that_address_alone(ann: User) -> None:
    for _ in range(5):
        sign_in(Client(REMOTE_ADDR="10.1.1.1"), "guess")
    elsewhere = Client(REMOTE_ADDR="10.1.1.2")
    sign_in(elsewhere)
    assert is_in(elsewhere)


def test_a_wrong_password_once_more_counts_as_a_wrong_sign_in(ann: User) -> None:
    client = Client()
    sign_in(client)
    for _ in range(5):
        client.post("/account/password/", {"old": "guess", "new": "a new and long one"})
    answer = client.post("/account/password/", {"old": PASSWORD, "new": "a new and long one"})
    assert "too many wrong passwords" in answer.content.decode()


def test_failed_and_good_sign_ins_are_in_the_audit_with_the_address(ann: User) -> None:
    client = Client(REMOTE_ADDR="10.1.1.1")
    sign_in(client, "hunter2-typed")
    sign_in(client)
    client.post("/sign-out/")
    assert acts() == ["sign_in.failed", "sign_in", "sign_out"]
    assert AuditEntry.objects.filter(action="sign_in").get().detail["from"]["address"] == "10.1.1.1"
    assert "hunter2-typed" not in str(list(AuditEntry.objects.values()))


def test_the_second_factor_is_asked_for_before_anybody_is_in(ann: User, secret: str) -> None:
    client = Client()
    assert sign_in(client)["Location"] == "/sign-in/code/"
    assert not is_in(client)
    client.post("/sign-in/code/", {"code": "000000"})
    assert not is_in(client)
    client.post("/sign-in/code/", {"code": pyotp.TOTP(secret).now()})
    assert is_in(client)


def test_a_code_opens_once(ann: User, secret: str) -> None:
    code = pyotp.TOTP(secret).now()
    for expected in (True, False):
        client = Client()
        sign_in(client)
        client.post("/sign-in/code/", {"code": code})
        assert is_in(client) is expected


def test_wrong_codes_make_a_pause(ann: User, secret: str) -> None:
    client = Client()
    sign_in(client)
    answers = [client.post("/sign-in/code/", {"code": "000000"}).status_code for _ in range(6)]
    assert answers[-1] == 429
    assert client.post("/sign-in/code/", {"code": pyotp.TOTP(secret).now()}).status_code == 429


def test_the_code_page_alone_opens_nothing(ann: User, secret: str) -> None:
    client = Client()
    answer = client.post("/sign-in/code/", {"code": pyotp.TOTP(secret).now()})
    assert answer["Location"] == "/sign-in/"
    assert not is_in(client)


def test_a_recovery_code_opens_once(ann: User) -> None:
    codes = second_factor.set_up(ann.person, second_factor.new_secret(), 0)
    assert len(set(codes)) == second_factor.CODES
    for expected in (True, False):
        client = Client()
        sign_in(client)
        client.post("/sign-in/code/", {"code": codes[3].upper()})
        assert is_in(client) is expected


def test_recovery_codes_cannot_be_tried_and_only_their_hash_is_kept(ann: User) -> None:
    codes = second_factor.set_up(ann.person, second_factor.new_secret(), 0)
    letters = {letter for code in codes for letter in code if letter != "-"}
    assert letters <= set(second_factor._ALPHABET)
    assert all(
        len(code.replace("-", "")) * math.log2(len(second_factor._ALPHABET)) >= 112
        for code in codes
    )
    kept = str(list(RecoveryCode.objects.values()))
    assert not [code for code in codes if code in kept or code.replace("-", "") in kept]


@pytest.mark.parametrize(("steps", "opens"), [(-2, False), (-1, True), (0, True), (2, False)])
def test_a_code_lives_half_a_minute_and_one_more(
    steps: int, opens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secret and codes are those of RFC 6238: base32 of 160 bits, HMAC-SHA-1, six digits."""
    secret, now = second_factor.new_secret(), 1_800_000_015
    assert len(secret) * 5 == 160
    monkeypatch.setattr(second_factor, "time", SimpleNamespace(time=lambda: now))
    code = pyotp.TOTP(secret).at(now + steps * second_factor.STEP_S)
    assert (second_factor.step_of(secret, code, newer_than=0) is not None) is opens


def test_the_codes_are_those_of_the_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first and the last row of RFC 6238, appendix B, to six digits."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    for moment, code in ((59, "287082"), (20_000_000_000, "353130")):
        clock = SimpleNamespace(time=lambda at=moment: at)
        monkeypatch.setattr(second_factor, "time", clock)
        assert second_factor.step_of(secret, code, newer_than=0) == moment // 30


def test_a_factor_that_was_lost_is_removed_and_every_session_ends(ann: User, secret: str) -> None:
    client = Client()
    sign_in(client)
    client.post("/sign-in/code/", {"code": pyotp.TOTP(secret).now()})
    assert is_in(client)
    services.person_factor_remove(by=None, user=ann)
    assert not is_in(client)
    sign_in(client)
    assert is_in(client)  # by the password alone, until it is set up anew


def test_it_is_set_up_on_the_page_and_the_secret_is_encrypted(ann: User) -> None:
    client = Client()
    sign_in(client)
    page = client.get("/account/factor/").content.decode()
    secret = client.session["factor_secret"]
    assert "<svg" in page
    code = pyotp.TOTP(secret).now()
    assert client.post("/account/factor/", {"code": "1"}).status_code == 422
    done = client.post("/account/factor/", {"code": code}).content.decode()
    assert "recovery codes" in done
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT second_factor FROM people_person")
        assert secret not in str(cursor.fetchall())


def test_administrators_must_have_it_where_the_setting_says_so(ann: User, settings: Any) -> None:
    settings.SECOND_FACTOR_FOR = "administrators"
    client = Client()
    sign_in(client)
    assert client.get("/")["Location"] == "/account/factor/"
    assert client.get("/api/v1/clusters").status_code == 403
    assert client.get("/account/factor/").status_code == 200
    viewer = Client()
    viewer.force_login(person("eve", "viewer"))
    assert viewer.get("/").status_code == 200


def test_signing_out_everywhere_ends_the_other_sessions_and_this_one(ann: User) -> None:
    one, other = Client(), Client()
    sign_in(one)
    sign_in(other)
    one.post("/account/sign-out/")
    assert not is_in(one)
    assert not is_in(other)
    sign_in(one)
    assert is_in(one)


def test_a_deactivated_person_is_out_at_once(ann: User) -> None:
    client = Client()
    client.force_login(person("eve", "viewer"))
    services.person_deactivate(by=None, user=User.objects.get(username="eve"))
    assert not is_in(client)


def test_a_session_ends_at_its_hour_however_busy_it_is(ann: User, settings: Any) -> None:
    client = Client()
    sign_in(client)
    age = client.session.get_expiry_age()
    assert 0 < age <= settings.SESSION_HOURS * 3600
    session = client.session
    session["anything"] = 1  # as a page does that remembers something
    session.save()
    assert client.session.get_expiry_age() <= age


def test_a_changed_password_ends_the_other_sessions(ann: User) -> None:
    one, other = Client(), Client()
    sign_in(one)
    sign_in(other)
    weak = one.post("/account/password/", {"old": PASSWORD, "new": "short"})
    assert "at least 12 characters" in weak.content.decode()
    one.post("/account/password/", {"old": PASSWORD, "new": "quite another sentence"})
    assert is_in(one)
    assert not is_in(other)


def test_a_link_sets_the_password_once_and_signs_nobody_in(ann: User) -> None:
    eve = services.person_add(by=None, name="eve", role="viewer")
    path = services.person_password_link(by=None, user=eve)
    client = Client()
    form = client.get(path)["Location"]
    words = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    assert client.post(form, words)["Location"] == "/sign-in/"
    assert not is_in(client)
    sign_in(client, name="eve")
    assert is_in(client)
    assert "opens nothing" in Client().get(path).content.decode()


def test_the_last_administrator_stays(ann: User) -> None:
    from nodes.domain.refusal import Refused

    for act in (
        lambda: services.person_deactivate(by=None, user=ann),
        lambda: services.person_role_set(by=None, user=ann, role="viewer"),
    ):
        with pytest.raises(Refused, match="last_administrator"):
            act()
    person("bob", "administrator")
    services.person_role_set(by=None, user=ann, role="viewer")
    assert Person.objects.get(user=ann).role == "viewer"


def test_a_superuser_loses_that_with_another_role() -> None:
    person("bob", "administrator")
    chief = User.objects.create_superuser("chief")
    services.person_role_set(by=None, user=chief, role="viewer")
    chief.refresh_from_db()
    assert not chief.is_superuser


def test_a_role_is_given_only_with_the_password_of_who_gives_it(ann: User) -> None:
    client = Client()
    sign_in(client)
    session = client.session
    session["password_at"] = (timezone.now() - timedelta(hours=1)).timestamp()
    session.save()
    eve = person("eve", "viewer")
    url = f"/people/{eve.pk}/role/"
    asked = client.post(url, {"role": "operator"})
    assert "asks for your password" in asked.content.decode()
    client.post(url, {"role": "operator", "password": PASSWORD})
    assert Person.objects.get(user=eve).role == "operator"
    client.post(url, {"role": "viewer"})  # not asked again so soon
    assert Person.objects.get(user=eve).role == "viewer"
