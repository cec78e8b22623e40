"""Half a directory is refused at the start, by the name of the setting."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clusterpanel.people.directory import configured
from clusterpanel.people.directory.configured import Grants
from clusterpanel.people.directory.ldap import same_group
from clusterpanel.people.roles import Role
from tests.people.directory.conftest import env_of

ROOT = Path(__file__).resolve().parents[3]
LDAP = {
    "LDAP_URI": "ldaps://ldap.corp.example",
    "LDAP_USER_BASE": "dc=corp",
    "LDAP_OPERATOR_GROUPS": "cn=ops,dc=corp",
}
OIDC = {
    "OIDC_ISSUER": "https://id.corp.example",
    "OIDC_CLIENT_ID": "panel",
    "OIDC_CLIENT_SECRET": "secret",
    "OIDC_OPERATOR_VALUES": "ops",
}


def ldap_settings(**words: str) -> set[str]:
    """The settings that are named when LDAP is told like this."""
    found = configured.ldap(env_of({**LDAP, **words}))
    assert found is not None
    return {problem.setting for problem in configured.ldap_problems(found)}


def oidc_settings(**words: str) -> set[str]:
    found = configured.oidc(env_of({**OIDC, **words}))
    assert found is not None
    return {problem.setting for problem in configured.oidc_problems(found)}


def test_whole_ones_are_whole() -> None:
    assert ldap_settings() == set()
    assert oidc_settings() == set()
    assert configured.ldap(env_of({})) is None
    assert configured.oidc(env_of({})) is None


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ({"LDAP_URI": ""}, {"LDAP_URI"}),
        ({"LDAP_URI": "ldap.corp.example"}, {"LDAP_URI"}),
        ({"LDAP_URI": "http://ldap.corp.example"}, {"LDAP_URI"}),
        ({"LDAP_URI": "ldaps://host:port"}, {"LDAP_URI"}),
        ({"LDAP_USER_BASE": ""}, {"LDAP_USER_BASE"}),
        ({"LDAP_OPERATOR_GROUPS": " ; "}, {"LDAP_ADMINISTRATOR_GROUPS"}),
        ({"LDAP_BIND_DN": "cn=panel"}, {"LDAP_BIND_PASSWORD_FILE"}),
        ({"LDAP_BIND_PASSWORD": "x"}, {"LDAP_BIND_DN"}),
        ({"LDAP_USER_FILTER": "(uid=*)"}, {"LDAP_USER_FILTER"}),
        ({"LDAP_USER_FILTER": "uid={name}"}, {"LDAP_USER_FILTER"}),
        ({"LDAP_GROUP_FILTER": "(member=*)"}, {"LDAP_GROUP_FILTER"}),
        ({"LDAP_CA_FILE": "/nowhere"}, {"LDAP_CA_FILE"}),
        ({"LDAP_SEND_PASSWORDS_UNENCRYPTED": "1"}, {"LDAP_SEND_PASSWORDS_UNENCRYPTED"}),
    ],
)
def test_what_is_wrong_with_ldap_is_named(words: dict[str, str], named: set[str]) -> None:
    assert ldap_settings(**words) == named


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ({"OIDC_ISSUER": ""}, {"OIDC_ISSUER"}),
        ({"OIDC_ISSUER": "http://id.corp.example"}, {"OIDC_ISSUER"}),
        ({"OIDC_CLIENT_ID": ""}, {"OIDC_CLIENT_ID"}),
        ({"OIDC_CLIENT_SECRET": ""}, {"OIDC_CLIENT_SECRET_FILE"}),
        ({"OIDC_OPERATOR_VALUES": ""}, {"OIDC_ADMINISTRATOR_VALUES"}),
        ({"OIDC_ALGORITHMS": "none"}, {"OIDC_ALGORITHMS"}),
        ({"OIDC_ALGORITHMS": "RS256 HS256"}, {"OIDC_ALGORITHMS"}),
        ({"OIDC_SCOPES": "profile"}, {"OIDC_SCOPES"}),
        (
            {"OIDC_JWKS_URI": "https://id.corp.example/keys"},
            {"OIDC_AUTHORIZATION_ENDPOINT", "OIDC_TOKEN_ENDPOINT"},
        ),
    ],
)
def test_what_is_wrong_with_oidc_is_named(words: dict[str, str], named: set[str]) -> None:
    assert oidc_settings(**words) == named


def test_a_secret_in_a_file_is_for_its_owner_alone(secret_file: Path) -> None:
    words = {"LDAP_BIND_DN": "cn=panel", "LDAP_BIND_PASSWORD_FILE": str(secret_file)}
    assert ldap_settings(**words) == set()
    found: Any = configured.ldap(env_of({**LDAP, **words}))
    assert found.bind_password.read() == "from a file"
    assert ldap_settings(**words, LDAP_BIND_PASSWORD="x") == {"LDAP_BIND_PASSWORD"}
    secret_file.chmod(0o640)
    assert ldap_settings(**words) == {"LDAP_BIND_PASSWORD_FILE"}
    secret_file.unlink()
    assert ldap_settings(**words) == {"LDAP_BIND_PASSWORD_FILE"}


def test_no_secret_is_printed_with_its_settings() -> None:
    words = {"LDAP_BIND_DN": "cn=panel", "LDAP_BIND_PASSWORD": "hunter2"}
    assert "hunter2" not in repr(configured.ldap(env_of({**LDAP, **words})))


def test_the_highest_role_counts_and_groups_are_equal_as_ldap_means_it() -> None:
    grants = Grants(("cn=all,dc=corp",), (), ("CN=Chiefs, DC=corp",))
    assert grants.role(["cn=all,dc=corp", "cn=chiefs,dc=corp"], same_group) is Role.ADMINISTRATOR
    assert grants.role(["cn=ALL,dc=corp"], same_group) is Role.VIEWER
    assert grants.role(["cn=chiefs,dc=corp,dc=evil"], same_group) is None
    assert grants.role([], same_group) is None


@pytest.mark.parametrize(
    ("words", "named"),
    [({"LDAP_URI": "ldaps://x"}, "LDAP_USER_BASE"), ({"OIDC_CLIENT_ID": "x"}, "OIDC_ISSUER")],
)
def test_the_panel_does_not_start_with_half_of_it(
    tmp_path: Path, words: dict[str, str], named: str
) -> None:
    env = {**os.environ, "PANEL_HOME": str(tmp_path), **words}
    command = [sys.executable, "manage.py", "panel"]
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert ran.returncode != 0
    assert f"{named} is missing" in ran.stderr


def test_an_unencrypted_way_is_warned_of(tmp_path: Path) -> None:
    words = {**LDAP, "LDAP_URI": "ldap://x", "LDAP_SEND_PASSWORDS_UNENCRYPTED": "yes"}
    env = {**os.environ, "PANEL_HOME": str(tmp_path), **words}
    command = [sys.executable, "manage.py", "check"]
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert "reads every password" in ran.stderr
