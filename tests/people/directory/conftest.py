"""A directory of each kind on loopback, and a panel that people come in to by it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import environ
import pytest

from clusterpanel.people.directory import configured, oidc
from tests.people.directory.certificates import Authority
from tests.people.directory.directory import BIND_DN, BIND_PASSWORD, LDIF, Ports
from tests.people.directory.provider import CLIENT, SECRET, Provider


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def ldap_ports(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    ldif = tmp_path_factory.mktemp("ldap") / "people.ldif"
    ldif.write_text(LDIF)
    certificate = authority.certificate()
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("ldap_server.py"))]
    command += [str(ldif), str(certificate.file), str(certificate.key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        secure, plain = server.stdout.readline().split()
        yield Ports(int(secure), int(plain))
        server.terminate()


@pytest.fixture
def by_ldap(
    ldap_ports: Ports, authority: Authority, settings: Any
) -> Callable[..., configured.Ldap]:
    """The panel asks the LDAP server; what is said differently stands in the words."""

    def use(**words: str) -> configured.Ldap:
        told = {
            "LDAP_URI": f"ldaps://127.0.0.1:{ldap_ports.secure}",
            "LDAP_NAME": "Corp",
            "LDAP_CA_FILE": str(authority.file),
            "LDAP_BIND_DN": BIND_DN,
            "LDAP_BIND_PASSWORD": BIND_PASSWORD,
            "LDAP_USER_BASE": "ou=people,dc=corp",
            "LDAP_VIEWER_GROUPS": "cn=all,ou=groups,dc=corp",
            "LDAP_OPERATOR_GROUPS": "cn=night shift,ou=groups,dc=corp; cn=ops,ou=groups,dc=corp",
            "LDAP_ADMINISTRATOR_GROUPS": "cn=chiefs,ou=groups,dc=corp",
            **words,
        }
        config = configured.ldap(env_of(told))
        assert config is not None
        settings.LDAP = config
        return config

    use()
    return use


@pytest.fixture(scope="session")
def provider_certificate(authority: Authority) -> Any:
    return authority.certificate("127.0.0.1")


@pytest.fixture
def provider(provider_certificate: Any) -> Iterator[Provider]:
    oidc._metadata.cache_clear()  # another one may have had this port a minute ago
    made = Provider(provider_certificate)
    yield made
    made.stop()


@pytest.fixture
def by_oidc(provider: Provider, authority: Authority, settings: Any) -> Callable[..., Any]:
    """The panel sends people to the provider; what is said differently stands in the words."""

    def use(**words: str) -> configured.Oidc:
        told = {
            "OIDC_ISSUER": provider.issuer,
            "OIDC_NAME": "Corp ID",
            "OIDC_CLIENT_ID": CLIENT,
            "OIDC_CLIENT_SECRET": SECRET,
            "OIDC_CA_FILE": str(authority.file),
            "OIDC_OPERATOR_VALUES": "ops",
            "OIDC_ADMINISTRATOR_VALUES": "chiefs",
            **words,
        }
        config = configured.oidc(env_of(told))
        assert config is not None
        settings.OIDC = config
        return config

    use()
    return use


def env_of(words: dict[str, str]) -> environ.Env:
    """An environment with these variables and no other."""
    env = environ.Env()
    env.ENVIRON = words
    return env


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    found = tmp_path / "secret"
    found.write_text("from a file\n")
    found.chmod(0o600)
    return found
