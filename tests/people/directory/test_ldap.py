"""People who come in by LDAP, asked from a real server with TLS."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from clusterpanel.api import digest
from clusterpanel.models import ApiToken, AuditEntry
from clusterpanel.people import second_factor, services
from clusterpanel.people.directory import ldap
from clusterpanel.people.directory.configured import ANSWER_S, Ldap
from nodes.domain.refusal import Refused
from tests.people.directory.certificates import Authority
from tests.people.directory.directory import PASSWORD, Ports, change
from tests.people.made import PASSWORD as LOCAL
from tests.people.made import person

pytestmark = pytest.mark.django_db
Use = Callable[..., Ldap]


def sign_in(name: str, password: str = PASSWORD, client: Client | None = None) -> Any:
    client = client or Client()
    answer = client.post("/sign-in/", {"username": name, "password": password})
    answer.panel = client  # type: ignore[attr-defined]
    return answer


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def role(name: str) -> str:
    return str(User.objects.get(username=name).person.role)


def last(action: str) -> AuditEntry:
    return AuditEntry.objects.filter(action=action).order_by("-id")[0]


def test_the_password_of_the_directory_opens_with_the_highest_role(by_ldap: Use) -> None:
    answer = sign_in("olga")
    assert is_in(answer.panel)
    assert role("olga") == "operator"  # of viewer and operator; "Ops" is "ops" for LDAP
    assert last("sign_in").detail["way"] == "ldap"
    assert last("person.arrive").detail["subject"] == "uuid-of-olga"
    assert not User.objects.get(username="olga").has_usable_password()
    age = answer.panel.session.get_expiry_age()
    assert 11 * 3600 < age <= 12 * 3600


def test_over_starttls_as_well(by_ldap: Use, ldap_ports: Ports) -> None:
    by_ldap(LDAP_URI=f"ldap://127.0.0.1:{ldap_ports.plain}")
    assert is_in(sign_in("chief").panel)
    assert role("chief") == "administrator"


def test_groups_are_found_by_their_members_where_a_setting_says_so(by_ldap: Use) -> None:
    by_ldap(LDAP_GROUP_BASE="ou=groups,dc=corp", LDAP_VIEWER_GROUPS="cn=listed,ou=groups,dc=corp")
    assert is_in(sign_in("guest").panel)
    assert role("guest") == "viewer"
    assert sign_in("olga").status_code == 403  # memberOf does not count then


def test_wrong_passwords_count_however_the_name_is_written(by_ldap: Use) -> None:
    for name in ("olga", "Olga", "OLGA", "oLGA"):
        assert "do not match" in sign_in(name, "guess").content.decode()
    assert last("sign_in.failed").detail["way"] == "ldap"
    assert sign_in("olgA", "guess").status_code == 429
    assert sign_in("olga").status_code == 429
    assert "guess" not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("name", ["nobody", "*", "ol*", "olga)(uid=*", "olga\0", "оlga"])
def test_a_name_that_is_none_opens_nothing(by_ldap: Use, name: str) -> None:
    assert not is_in(sign_in(name).panel)
    assert ldap.ask(by_ldap(), name, PASSWORD) is None
    assert User.objects.count() == 0


def test_without_a_password_nobody_is_asked(by_ldap: Use) -> None:
    assert ldap.ask(by_ldap(LDAP_URI="ldaps://127.0.0.1:1"), "olga", "") is None
    assert not is_in(sign_in("olga", "").panel)


def test_two_of_the_same_name_are_nobody(by_ldap: Use) -> None:
    assert not is_in(sign_in("twin").panel)


def test_without_a_group_nobody_comes_in_and_nothing_is_made(by_ldap: Use) -> None:
    answer = sign_in("guest")
    assert answer.status_code == 403
    assert "none of your groups gives a role here" in answer.content.decode()
    assert not is_in(answer.panel)
    assert not User.objects.exists()
    assert last("sign_in.refused").detail["code"] == "no_role"


def test_an_entry_without_its_id_is_a_sentence(by_ldap: Use) -> None:
    answer = sign_in("nameless")
    assert answer.status_code == 403
    assert "no single entryUUID" in answer.content.decode()


def test_another_group_is_another_role_at_the_next_sign_in(by_ldap: Use, ldap_ports: Ports) -> None:
    sign_in("moved")
    assert role("moved") == "operator"
    change(ldap_ports, "moved", "memberOf", "cn=all,ou=groups,dc=corp")
    sign_in("moved")
    assert role("moved") == "viewer"
    assert last("person.role").detail["by"] == "ldap"


def test_no_group_any_more_ends_sessions_and_tokens(by_ldap: Use, ldap_ports: Ports) -> None:
    client = sign_in("fired").panel
    token = {"authorization": f"Bearer {token_of('fired')}"}
    assert client.get("/api/v1/clusters", headers=token).status_code == 200
    change(ldap_ports, "fired", "memberOf")
    assert sign_in("fired").status_code == 403
    assert not is_in(client)
    assert Client().get("/api/v1/clusters", headers=token).status_code == 401
    change(ldap_ports, "fired", "memberOf", "cn=all,ou=groups,dc=corp")
    assert is_in(sign_in("fired").panel)
    assert Client().get("/api/v1/clusters", headers=token).status_code == 200


def token_of(name: str) -> str:
    user = User.objects.get(username=name)
    ApiToken.objects.create(user=user, role="viewer", digest=digest(f"of {name}"))
    return f"of {name}"


def test_a_token_ends_when_its_owner_does_not_come_any_more(by_ldap: Use) -> None:
    sign_in("olga")
    token = {"authorization": f"Bearer {token_of('olga')}"}
    assert Client().get("/api/v1/clusters", headers=token).status_code == 200
    User.objects.update(last_login=timezone.now() - timedelta(days=31))
    assert Client().get("/api/v1/clusters", headers=token).status_code == 401


def test_a_local_name_is_local(by_ldap: Use) -> None:
    person("Olga", "administrator", LOCAL)
    assert not is_in(sign_in("olga").panel)
    assert not is_in(sign_in("Olga").panel)
    assert is_in(sign_in("Olga", LOCAL).panel)
    assert last("sign_in").detail["way"] == "password"
    assert User.objects.count() == 1


def test_somebody_new_of_the_same_name_is_somebody_else(by_ldap: Use, ldap_ports: Ports) -> None:
    sign_in("again")
    change(ldap_ports, "again", "entryUUID", "another")
    assert is_in(sign_in("again").panel)
    assert set(User.objects.values_list("username", flat=True)) == {"again", "again@ldap"}


def test_a_deactivated_person_stays_so(by_ldap: Use) -> None:
    client = sign_in("olga").panel
    services.person_deactivate(by=None, user=User.objects.get(username="olga"))
    assert not is_in(client)
    answer = sign_in("olga")
    assert answer.status_code == 403
    assert "is deactivated" in answer.content.decode()
    assert not is_in(answer.panel)


def test_signing_out_everywhere_and_the_end_of_ldap_end_a_session(
    by_ldap: Use, settings: Any
) -> None:
    client, other = sign_in("olga").panel, sign_in("olga").panel
    other.post("/account/sign-out/")
    assert not is_in(client)
    client = sign_in("olga").panel
    settings.LDAP = None
    assert not is_in(client)


def test_the_second_factor_of_the_panel_is_asked_for(by_ldap: Use) -> None:
    sign_in("olga")
    secret = second_factor.new_secret()
    second_factor.set_up(User.objects.get(username="olga").person, secret, 0)
    answer = sign_in("olga")
    assert answer["Location"] == "/sign-in/code/"
    assert not is_in(answer.panel)
    answer.panel.post("/sign-in/code/", {"code": pyotp.TOTP(secret).now()})
    assert is_in(answer.panel)
    assert last("sign_in").detail["way"] == "ldap"


def test_an_override_asks_the_directory_for_the_password(by_ldap: Use, settings: Any) -> None:
    client = sign_in("chief").panel
    session = client.session
    session["password_at"] = 0
    session.save()
    words = {"name": "t", "role": "viewer", "days": "3"}
    assert "asks for your password" in client.post("/account/tokens/", words).content.decode()
    wrong = client.post("/account/tokens/", {**words, "password": "wrong"})
    assert "password is wrong" in wrong.content.decode()
    assert not ApiToken.objects.exists()
    right = {**words, "password": PASSWORD}
    by_ldap(LDAP_URI="ldaps://127.0.0.1:1")
    assert "cannot be asked" in client.post("/account/tokens/", right).content.decode()
    by_ldap()
    client.post("/account/tokens/", right)
    assert ApiToken.objects.get().name == "t"


def test_a_password_of_the_panel_needs_an_administrators_decision(by_ldap: Use) -> None:
    client = sign_in("olga").panel
    olga = User.objects.get(username="olga")
    assert "not kept by this panel" in client.get("/account/").content.decode()
    words = {"old": PASSWORD, "new": "quite another sentence"}
    assert client.post("/account/password/", words).status_code == 422
    boss = Client()
    boss.force_login(person("boss", "administrator"))
    url = f"/people/{olga.pk}/link/"
    assert "comes in by a directory" in boss.post(url).content.decode()
    page = boss.post(url, {"also_here": "on"}).content.decode()
    path = page.split("http://testserver")[1].split("<")[0].split('"')[0]
    assert last("person.password_link").detail["beside_directory"] is True
    form = client.get(path)["Location"]
    client.post(form, {"new_password1": LOCAL, "new_password2": LOCAL})
    by_ldap(LDAP_URI="ldaps://127.0.0.1:1")
    assert is_in(sign_in("olga", LOCAL).panel)


def test_the_role_is_given_by_the_directory_alone(by_ldap: Use) -> None:
    sign_in("olga")
    user = User.objects.get(username="olga")
    with pytest.raises(Refused, match="role_elsewhere"):
        services.person_role_set(by=None, user=user, role="administrator")


def test_an_administrator_of_the_panels_own_stays(by_ldap: Use) -> None:
    sign_in("chief")
    boss = person("boss", "administrator", LOCAL)
    with pytest.raises(Refused, match="last_administrator"):
        services.person_deactivate(by=None, user=boss)


def test_who_comes_how_is_on_the_pages_of_people(by_ldap: Use) -> None:
    sign_in("olga")
    boss = Client()
    boss.force_login(person("boss", "administrator"))
    assert "LDAP" in boss.get("/people/").content.decode()
    page = boss.get(f"/people/{User.objects.get(username='olga').pk}/").content.decode()
    assert "Comes in by LDAP as “olga”" in page
    assert "Give this role" not in page


@pytest.fixture
def listener() -> Iterator[Callable[[bytes], tuple[int, list[bytes]]]]:
    """A server that answers the first message with these bytes, and keeps what it was sent."""
    opened: list[socket.socket] = []

    def listen(answer: bytes) -> tuple[int, list[bytes]]:
        server, heard = socket.create_server(("127.0.0.1", 0)), list[bytes]()
        opened.append(server)

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                opened.append(client)
                with suppress(OSError):  # who asked is gone
                    heard.append(client.recv(4096))
                    client.sendall(answer)
                    heard.append(client.recv(4096))

        threading.Thread(target=serve, daemon=True).start()
        return server.getsockname()[1], heard

    yield listen
    for each in opened:
        each.close()


def assert_away(answer: Any) -> None:
    assert answer.status_code == 503
    assert "Corp cannot be asked at the moment" in answer.content.decode()
    assert last("sign_in.refused").detail["code"] == "directory_away"
    assert not AuditEntry.objects.filter(action="sign_in.failed").exists()  # nobody guessed


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_a_silent_server_costs_seconds_and_local_people_come_in(
    by_ldap: Use, listener: Any, scheme: str
) -> None:
    port, _ = listener(b"")
    by_ldap(LDAP_URI=f"{scheme}://127.0.0.1:{port}")
    person("boss", "administrator", LOCAL)
    began = time.monotonic()
    assert_away(sign_in("olga"))
    assert time.monotonic() - began < ANSWER_S + 4  # and what a busy machine adds
    assert is_in(sign_in("boss", LOCAL).panel)


def test_a_server_that_is_down_is_a_sentence(by_ldap: Use) -> None:
    by_ldap(LDAP_URI="ldaps://127.0.0.1:1")
    assert_away(sign_in("olga"))


def test_no_password_is_sent_where_tls_is_refused(by_ldap: Use, listener: Any) -> None:
    no_tls = bytes.fromhex("300c02010178070a010204000400")  # ExtendedResponse: protocolError
    port, heard = listener(no_tls)
    by_ldap(LDAP_URI=f"ldap://127.0.0.1:{port}")
    assert_away(sign_in("olga"))
    assert b"1.3.6.1.4.1.1466.20037" in heard[0]
    assert b"search only" not in b"".join(heard)


def test_an_unencrypted_way_is_gone_only_by_its_own_setting(
    by_ldap: Use, ldap_ports: Ports
) -> None:
    by_ldap(
        LDAP_URI=f"ldap://127.0.0.1:{ldap_ports.plain}",
        LDAP_CA_FILE="",
        LDAP_SEND_PASSWORDS_UNENCRYPTED="yes",
    )
    assert is_in(sign_in("olga").panel)


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_a_certificate_by_somebody_else_is_not_believed(
    by_ldap: Use, ldap_ports: Ports, tmp_path: Any, scheme: str
) -> None:
    port = ldap_ports.secure if scheme == "ldaps" else ldap_ports.plain
    uri = f"{scheme}://127.0.0.1:{port}"
    by_ldap(LDAP_URI=uri, LDAP_CA_FILE=str(Authority(tmp_path).file))
    assert_away(sign_in("olga"))
    assert "CERTIFICATE_VERIFY_FAILED" in last("sign_in.refused").detail["detail"]


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_a_certificate_for_another_name_is_not_believed(
    by_ldap: Use, ldap_ports: Ports, scheme: str
) -> None:
    port = ldap_ports.secure if scheme == "ldaps" else ldap_ports.plain
    by_ldap(LDAP_URI=f"{scheme}://localhost:{port}")  # it is for 127.0.0.1
    assert_away(sign_in("olga"))
    assert "mismatch" in last("sign_in.refused").detail["detail"]


def test_a_search_that_is_not_allowed_is_a_sentence(by_ldap: Use) -> None:
    by_ldap(LDAP_BIND_DN="", LDAP_BIND_PASSWORD="")
    assert_away(sign_in("olga"))
    by_ldap(LDAP_BIND_PASSWORD="wrong")
    assert_away(sign_in("olga"))
