"""Asking an LDAP server: who is this, is the password right, and which groups does he belong to.

Three questions of the ldap3 library: find the one entry, bind as it, read the groups. The password
travels only after TLS, to the server that was named and to no other (no referral is followed).
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import ldap3
from django.views.decorators.debug import sensitive_variables
from ldap3.core.exceptions import LDAPException, LDAPInvalidDnError
from ldap3.core.results import RESULT_BUSY, RESULT_SUCCESS, RESULT_UNAVAILABLE
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import parse_dn

from clusterpanel.people.directory.configured import ANSWER_S, Ldap
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import say


@dataclass(frozen=True)
class Found:
    """`subject` stays the same when the name changes; `groups` as the server writes them."""

    subject: str
    name: str
    groups: frozenset[str]


class _Verified(ldap3.Tls):
    """ldap3 would check the certificate's name by itself, with a function that Python gave up."""

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        context = ssl.create_default_context(cafile=self.ca_certs_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        connection.socket = context.wrap_socket(
            connection.socket, server_hostname=connection.server.host
        )


@sensitive_variables("password")
def ask(config: Ldap, login: str, password: str) -> Found | None:
    """None when there is no such person, or the password is wrong.

    Raises Refused (directory_away) when the server does not answer within seconds, its certificate
    is not trusted, or it does not let the panel search.
    """
    if not password:  # a bind without one succeeds at many servers, as nobody
        return None
    try:
        with _connected(config, config.bind_dn, config.bind_password.read()) as service:
            if service is None:
                raise Refused(_away(config, "LDAP_BIND_DN and its password are not accepted"))
            entry = _entry(config, service, login)
            if entry is None:
                return None
            with _connected(config, entry["dn"], password) as person:
                if person is None:
                    return None
            return _found(config, service, entry, login)
    except (LDAPException, OSError) as error:
        raise Refused(_away(config, str(error)[:200])) from None


@contextmanager
def _connected(config: Ldap, dn: str, password: str) -> Iterator[Any]:
    """A connection that was let in as `dn`; None when it was not. Without a `dn`: as nobody."""
    connection = _connection(config, dn, password)
    try:
        connection.open()
        if not connection.server.ssl and not config.unencrypted:
            connection.start_tls()  # raises when the server cannot
        connection.bind()
        if connection.result["result"] in (RESULT_BUSY, RESULT_UNAVAILABLE):
            raise Refused(_away(config, connection.result["description"]))
        yield connection if connection.result["result"] == RESULT_SUCCESS else None
    finally:
        with suppress(LDAPException, OSError):  # it may be why we are here
            connection.unbind()
        if connection.socket is not None:  # ldap3 leaves it open when nobody answered there
            connection.socket.close()


def _connection(config: Ldap, dn: str, password: str) -> Any:
    """Not open yet."""
    uri = urlsplit(config.uri)
    secure = uri.scheme == "ldaps"
    server = ldap3.Server(
        uri.hostname,
        port=uri.port or (636 if secure else 389),
        use_ssl=secure,
        tls=_Verified(validate=ssl.CERT_REQUIRED, ca_certs_file=config.ca_file or None),
        get_info=ldap3.NONE,
        connect_timeout=ANSWER_S,
    )
    words: dict[str, Any] = {"authentication": ldap3.ANONYMOUS}
    if dn:
        words = {"user": dn, "password": password, "authentication": ldap3.SIMPLE}
    return ldap3.Connection(
        server, **words, auto_referrals=False, read_only=True, receive_timeout=ANSWER_S
    )


def _entry(config: Ldap, service: Any, login: str) -> Any:
    """The one entry that the filter finds; two are as good as none."""
    wanted = config.user_filter.replace("{name}", escape_filter_chars(login))
    attributes = [config.id_attribute, config.name_attribute, config.group_attribute]
    found = list(_search(config, service, config.user_base, wanted, attributes))
    return found[0] if len(found) == 1 else None


def _found(config: Ldap, service: Any, entry: Any, login: str) -> Found:
    subject = _values(entry, config.id_attribute)
    name = _values(entry, config.name_attribute)
    if len(subject) != 1 or not name:
        lacks = config.name_attribute if len(subject) == 1 else config.id_attribute
        why = say("%(name)s has no single %(what)s of you.", name=config.name, what=lacks)
        fix = say("Ask an administrator of the panel: a setting names this attribute.")
        raise Refused(Refusal("attribute_missing", why, fix, {"detail": f"{login}: {lacks}"}))
    groups = _values(entry, config.group_attribute)
    if config.group_base:
        wanted = config.group_filter.replace("{dn}", escape_filter_chars(entry["dn"]))
        wanted = wanted.replace("{name}", escape_filter_chars(name[0]))
        groups = [each["dn"] for each in _search(config, service, config.group_base, wanted, [])]
    typed = [each for each in name if each.lower() == login.lower()]  # of several names
    return Found(subject[0], (typed or name)[0], frozenset(groups))


def _search(config: Ldap, service: Any, base: str, wanted: str, attributes: list[str]) -> Any:
    service.search(base, wanted, attributes=attributes or ["1.1"], time_limit=ANSWER_S)
    if service.result["result"] != RESULT_SUCCESS:
        raise Refused(_away(config, f"{base}: {service.result['description']}"))
    return (each for each in service.response if each["type"] == "searchResEntry")


def _values(entry: Any, attribute: str) -> list[str]:
    raw = {key.lower(): value for key, value in entry["raw_attributes"].items()}
    return [_text(value) for value in raw.get(attribute.lower(), [])]


def _text(value: bytes) -> str:
    """Active Directory's objectGUID is sixteen bytes and no text."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return value.hex()
    return text if text.isprintable() else value.hex()


def same_group(dn: str) -> str:
    """Equal for names that an LDAP server takes for the same: case and blanks do not count."""
    try:
        parts = parse_dn(dn, strip=True)
    except LDAPInvalidDnError:
        return dn.strip().lower()
    return ",".join(f"{name.strip()}={value.strip()}".lower() for name, value, _ in parts)


def _away(config: Ldap, detail: str) -> Refusal:
    why = say("%(name)s cannot be asked at the moment.", name=config.name)
    fix = say("Try again later. Who has a password of this panel itself can sign in all the same.")
    return Refusal("directory_away", why, fix, {"detail": detail})
