"""Who there is in the LDAP directory of the tests."""

from __future__ import annotations

from typing import Any, NamedTuple

import ldap3

BIND_DN, BIND_PASSWORD = "cn=panel,dc=corp", "search only"
PASSWORD = "in the directory"


class Ports(NamedTuple):
    """`plain` speaks TLS after StartTLS."""

    secure: int
    plain: int


def _entry(dn: str, **attributes: str | list[str]) -> str:
    lines = [f"dn: {dn}"]
    for name, values in attributes.items():
        for value in [values] if isinstance(values, str) else values:
            lines.append(f"{name}: {value}")
    return "\n".join(lines) + "\n\n"


def dn_of(uid: str) -> str:
    return f"uid={uid},ou=people,dc=corp"


def _person(uid: str, *groups: str, unit: str = "") -> str:
    return _entry(
        f"uid={uid},{unit}ou=people,dc=corp",
        objectClass="inetOrgPerson",
        uid=uid,
        entryUUID=f"uuid-of-{unit}{uid}",
        userPassword=PASSWORD,
        memberOf=[f"cn={group},ou=groups,dc=corp" for group in groups],
    )


LDIF = "".join(
    (
        _entry("dc=corp", objectClass="dcObject", dc="corp"),
        _entry(BIND_DN, objectClass="person", cn="panel", userPassword=BIND_PASSWORD),
        _entry("ou=people,dc=corp", objectClass="organizationalUnit", ou="people"),
        _entry("ou=left,ou=people,dc=corp", objectClass="organizationalUnit", ou="left"),
        _entry("ou=groups,dc=corp", objectClass="organizationalUnit", ou="groups"),
        _entry(
            "cn=listed,ou=groups,dc=corp",
            objectClass="groupOfNames",
            cn="listed",
            member=dn_of("guest"),
        ),
        _person("olga", "all", "Ops"),
        _person("chief", "chiefs", "all"),
        _person("guest"),
        _person("moved", "ops"),
        _person("fired", "ops"),
        _person("again", "ops"),
        _person("twin", "ops"),
        _person("twin", "ops", unit="ou=left,"),
        _person("nameless", "ops").replace("entryUUID: uuid-of-nameless\n", ""),
    )
)


def change(ports: Ports, uid: str, attribute: str, *values: str) -> None:
    """As the keeper of the directory does it."""
    server = ldap3.Server("127.0.0.1", port=ports.plain, get_info=ldap3.NONE)
    with ldap3.Connection(server, BIND_DN, BIND_PASSWORD) as keeper:
        changes: dict[str, Any] = {attribute: [(ldap3.MODIFY_REPLACE, list(values))]}
        keeper.modify(dn_of(uid), changes)
        assert keeper.result["description"] == "success", keeper.result
