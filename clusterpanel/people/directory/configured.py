"""Settings of the two directories, from the environment; and what is wrong with them, by name.

Nothing here asks anybody: `manage.py panel` refuses to start while there is a problem (checks.py).
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from clusterpanel.people.roles import Role

# Signed with a private key and checked with a public one: no "none", and nothing that a public key
# could be taken for the secret of.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
ANSWER_S = 4  # seconds until a directory that is silent counts as away; never more than five


class Problem(NamedTuple):
    setting: str
    why: str
    fix: str


@dataclass(frozen=True)
class Grants:
    """Which groups, or which values of a claim, give which role."""

    viewer: tuple[str, ...]
    operator: tuple[str, ...]
    administrator: tuple[str, ...]

    def role(self, has: Iterable[str], same: Callable[[str], str] = str) -> Role | None:
        """The highest role that something in `has` gives; None: nobody who comes in here.

        `same` makes equal what only is spelt differently.
        """
        mine = {same(each) for each in has}
        for role in reversed(Role):
            if mine & {same(each) for each in getattr(self, str(role))}:
                return role
        return None

    def is_empty(self) -> bool:
        return not (self.viewer or self.operator or self.administrator)


@dataclass(frozen=True)
class Secret:
    """A password: given itself, or as the name of a file that only its owner may read."""

    value: str = field(repr=False)
    file: str

    def __bool__(self) -> bool:
        return bool(self.value or self.file)

    def read(self) -> str:
        """Raises OSError when the file cannot be read. Read anew each time, so it may be changed."""
        return Path(self.file).read_text().strip() if self.file else self.value


@dataclass(frozen=True)
class Ldap:
    """`ldaps://` is encrypted from the first byte, `ldap://` from StartTLS on, before any password."""

    uri: str
    name: str  # how it is called in sentences
    ca_file: str
    unencrypted: bool
    bind_dn: str
    bind_password: Secret
    user_base: str
    user_filter: str
    name_attribute: str
    id_attribute: str
    group_attribute: str
    group_base: str
    group_filter: str
    grants: Grants


@dataclass(frozen=True)
class Oidc:
    """The three endpoints are asked from the issuer when they are empty."""

    issuer: str
    name: str
    client_id: str
    client_secret: Secret
    ca_file: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    scopes: str
    algorithms: tuple[str, ...]
    name_claim: str
    role_claim: str
    factor_methods: tuple[str, ...]
    grants: Grants


def ldap(env: Any) -> Ldap | None:
    """None: no LDAP. With one setting alone it is meant, and `ldap_problems` says what is missing."""
    text = _reader(env, "LDAP")
    found = Ldap(
        uri=text("URI"),
        name=text("NAME") or "LDAP",
        ca_file=text("CA_FILE"),
        unencrypted=env.bool("LDAP_SEND_PASSWORDS_UNENCRYPTED", default=False),
        bind_dn=text("BIND_DN"),
        bind_password=Secret(text("BIND_PASSWORD"), text("BIND_PASSWORD_FILE")),
        user_base=text("USER_BASE"),
        user_filter=text("USER_FILTER") or "(uid={name})",
        name_attribute=text("NAME_ATTRIBUTE") or "uid",
        id_attribute=text("ID_ATTRIBUTE") or "entryUUID",
        group_attribute=text("GROUP_ATTRIBUTE") or "memberOf",
        group_base=text("GROUP_BASE"),
        group_filter=text("GROUP_FILTER") or "(member={dn})",
        grants=_grants(text, "GROUPS"),
    )
    meant = found.uri or found.bind_dn or found.bind_password or found.user_base
    return found if meant or not found.grants.is_empty() else None


def oidc(env: Any) -> Oidc | None:
    """None: no OpenID Connect. With one setting alone it is meant, as with `ldap`."""
    text = _reader(env, "OIDC")
    found = Oidc(
        issuer=text("ISSUER"),
        name=text("NAME") or "OpenID Connect",
        client_id=text("CLIENT_ID"),
        client_secret=Secret(text("CLIENT_SECRET"), text("CLIENT_SECRET_FILE")),
        ca_file=text("CA_FILE"),
        authorization_endpoint=text("AUTHORIZATION_ENDPOINT"),
        token_endpoint=text("TOKEN_ENDPOINT"),
        jwks_uri=text("JWKS_URI"),
        scopes=text("SCOPES") or "openid profile",
        algorithms=tuple(text("ALGORITHMS").split()) or ("RS256",),
        name_claim=text("NAME_CLAIM") or "preferred_username",
        role_claim=text("ROLE_CLAIM") or "groups",
        factor_methods=tuple(text("SECOND_FACTOR_METHODS").split()),
        grants=_grants(text, "VALUES"),
    )
    meant = found.issuer or found.client_id or found.client_secret
    return found if meant or not found.grants.is_empty() else None


def ldap_problems(found: Ldap) -> Iterator[Problem]:
    yield from _missing("LDAP", {"URI": found.uri, "USER_BASE": found.user_base})
    yield from _grants_problems("LDAP", "GROUPS", found.grants)
    yield from _secret_problems("LDAP_BIND_PASSWORD", found.bind_password)
    yield from _file_problems("LDAP_CA_FILE", found.ca_file)
    if bool(found.bind_dn) != bool(found.bind_password):
        lacks = "LDAP_BIND_PASSWORD_FILE" if found.bind_dn else "LDAP_BIND_DN"
        yield Problem(lacks, "is missing", "Set both, or neither to search without a name.")
    scheme, host = urlsplit(found.uri).scheme, _host(found.uri)
    if found.uri and (scheme not in ("ldap", "ldaps") or not host):
        yield Problem("LDAP_URI", "is no address", "Write ldaps://HOST or ldap://HOST (StartTLS).")
    if scheme == "ldaps" and found.unencrypted:
        why = "contradicts LDAP_URI, which is encrypted"
        yield Problem("LDAP_SEND_PASSWORDS_UNENCRYPTED", why, "Remove it.")
    for setting, text, word in (
        ("LDAP_USER_FILTER", found.user_filter, ("{name}",)),
        ("LDAP_GROUP_FILTER", found.group_filter, ("{dn}", "{name}")),
    ):
        if not any(each in text for each in word) or not text.startswith("("):
            fix = f"Write it in parentheses, with {' or '.join(word)} for who signs in."
            yield Problem(setting, "is no filter for one person", fix)


def oidc_problems(found: Oidc) -> Iterator[Problem]:
    known = {"ISSUER": found.issuer, "CLIENT_ID": found.client_id}
    yield from _missing("OIDC", known)
    if not found.client_secret:
        yield from _missing("OIDC", {"CLIENT_SECRET_FILE": ""})
    yield from _grants_problems("OIDC", "VALUES", found.grants)
    yield from _secret_problems("OIDC_CLIENT_SECRET", found.client_secret)
    yield from _file_problems("OIDC_CA_FILE", found.ca_file)
    endpoints = {
        "OIDC_AUTHORIZATION_ENDPOINT": found.authorization_endpoint,
        "OIDC_TOKEN_ENDPOINT": found.token_endpoint,
        "OIDC_JWKS_URI": found.jwks_uri,
    }
    for setting, url in {"OIDC_ISSUER": found.issuer, **endpoints}.items():
        if url and (urlsplit(url).scheme != "https" or not _host(url)):
            yield Problem(setting, "is no address with https://", "Only https is used.")
        if not url and setting in endpoints and any(endpoints.values()):
            yield Problem(setting, "is missing", "Set all three endpoints, or none of them.")
    for name in found.algorithms:
        if name not in ALGORITHMS:
            fix = f"Choose of {', '.join(ALGORITHMS)}."
            yield Problem("OIDC_ALGORITHMS", f"has “{name[:20]}”, which is not accepted", fix)
    if "openid" not in found.scopes.split():
        yield Problem("OIDC_SCOPES", "lacks openid", "Without it nobody is named.")


def _reader(env: Any, prefix: str) -> Callable[[str], str]:
    return lambda name: env.str(f"{prefix}_{name}", default="").strip()


def _grants(text: Callable[[str], str], suffix: str) -> Grants:
    """Semicolons stand between them: the names of groups are full of commas."""

    def listed(role: Role) -> tuple[str, ...]:
        parts = text(f"{role.upper()}_{suffix}").split(";")
        return tuple(part.strip() for part in parts if part.strip())

    return Grants(*(listed(role) for role in Role))


def _grants_problems(prefix: str, suffix: str, grants: Grants) -> Iterator[Problem]:
    if grants.is_empty():
        fix = f"Set it, {prefix}_OPERATOR_{suffix} or {prefix}_VIEWER_{suffix}: without one nobody comes in."
        yield Problem(f"{prefix}_ADMINISTRATOR_{suffix}", "is missing", fix)


def _missing(prefix: str, known: dict[str, str]) -> Iterator[Problem]:
    for name, value in known.items():
        if not value:
            fix = f"Set it, or remove every setting that begins with {prefix}_."
            yield Problem(f"{prefix}_{name}", "is missing", fix)


def _secret_problems(setting: str, secret: Secret) -> Iterator[Problem]:
    if secret.value and secret.file:
        yield Problem(setting, f"and {setting}_FILE are both set", "Remove one of them.")
    yield from _file_problems(f"{setting}_FILE", secret.file)
    file = Path(secret.file) if secret.file else None
    if file and file.is_file() and stat.S_IMODE(file.stat().st_mode) & 0o077:
        why = f"names {file}, which others may read"
        yield Problem(f"{setting}_FILE", why, f"Run chmod 600 {file}")


def _file_problems(setting: str, path: str) -> Iterator[Problem]:
    if not path:
        return
    try:
        empty = not Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        yield Problem(setting, f"names {path}, which cannot be read: {error}", "Correct the path.")
        return
    if empty:
        yield Problem(setting, f"names {path}, which is empty", "Put the content into it.")


def _host(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        return (parts.hostname or "") if parts.port != 0 else ""
    except ValueError:  # the port is no number
        return ""
