"""A panel that holds a planted secret everywhere it can hold one, and people who use it."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pyotp
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from chaos.sites import Simulated
from tests.e2e import steps
from tests.e2e.canary import Piece, Secret
from tests.e2e.onlookers import Answers, Browser, Script
from tests.e2e.panel import Panel, found, wait_for

APP = "/var/www/html/dpiui2"
MARK = f"Marker-{secrets.token_hex(8)}"  # no secret: what must be found wherever we look
_CODES = re.compile(r"\b(?:[2-9b-z]{4}-){5}[2-9b-z]{4}\b")


def word(name: str) -> str:
    """Long enough to be found by nothing but itself, and with what needs quotes everywhere."""
    return f"{name}-{secrets.token_hex(6)} 'q\" &<%+$\\é"


class Planted:
    """All secrets by name. Some are made by the panel and learned as its people learn them."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}

    def add(self, name: str, value: str | bytes) -> str:
        self._values[name] = value.encode() if isinstance(value, str) else value
        return value if isinstance(value, str) else ""

    def all(self) -> list[Secret]:
        return [Secret(name, value) for name, value in self._values.items()]

    def names(self) -> set[str]:
        return set(self._values)


def key_files(home: Path, planted: Planted) -> str:
    """The panel's own keys, made before its first start; returns the one that encrypts."""
    folder = home / "keys"
    folder.mkdir(mode=0o700, parents=True)
    home.chmod(0o700)
    made = {"field_key": Fernet.generate_key().decode(), "secret_key": secrets.token_urlsafe(50)}
    for name, value in made.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(value)
        planted.add(name.replace("_", " "), value)
    return made["field_key"]


def ssh_key(planted: Planted, name: str, phrase: str = "") -> str:
    """A private key; in the list with its 32 bytes, and with a line of the file that has them."""
    key = Ed25519PrivateKey.generate()
    lock: KeySerializationEncryption = NoEncryption()
    if phrase:
        lock = BestAvailableEncryption(planted.add(f"passphrase of the {name}", phrase).encode())
    text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, lock).decode()
    planted.add(f"{name}, its bytes", key.private_bytes_raw())
    planted.add(f"{name}, a line", text.splitlines()[4])
    return text


def in_env_files(site: Simulated, planted: Planted) -> None:
    """dpiui2's own secrets on its servers, as the vendor's installer leaves them."""
    database = planted.add("dpiui2's database password", f"db-{secrets.token_hex(8)}")
    app = planted.add("dpiui2's key", f"base64:{secrets.token_urlsafe(32)}")
    for host in site.hosts:
        path = site.cluster.root(host) / APP.lstrip("/") / "backend/.env"
        kept = [
            line
            for line in path.read_text().splitlines()
            if not line.startswith(("DB_PASSWORD=", "APP_KEY="))
        ]
        path.write_text("\n".join([f"APP_KEY={app}", f"DB_PASSWORD='{database}'", *kept, ""]))
        path.chmod(0o640)
        (path.parent / "storage/app/planted.txt").write_text(f"{MARK}\n")


class Maria:
    """An administrator, from the link that makes her account to her second factor."""

    def __init__(self, panel: Panel, answers: Answers, planted: Planted) -> None:
        self.panel, self.answers, self.planted = panel, answers, planted
        self.browser = Browser(panel, answers)
        self.password = planted.add("password", word("first"))
        self._factor = ""

    def comes(self) -> None:
        said = self.panel.manage("person", "add", "maria", "administrator")
        self.answers.pieces.append(Piece("terminal:person add", said.encode()))
        link = found(re.compile(r"(/password/\S+)"), said)
        self.planted.add("link to set a password", link.rstrip("/").rsplit("/", 1)[-1])
        self.browser.get(link)
        form = re.sub(r"[^/]+/$", "set-password/", link)
        typed = {"new_password1": self.password, "new_password2": self.password}
        assert self.browser.post(form, **typed)[0] == 302
        self.signs_in()

    def signs_in(self) -> None:
        """The cookies of each sign-in are secrets."""
        answer = self.browser.post("/sign-in/", username="maria", password=self.password)
        assert answer[0] == 302, answer
        if self._factor:
            code = pyotp.TOTP(self._factor).now()
            assert self.browser.post("/sign-in/code/", code=code)[0] == 302
        self._keeps_cookies()

    def _keeps_cookies(self) -> None:
        assert self.browser.get("/account/")[0] == 200
        for name in ("sessionid", "csrftoken"):
            number = sum(known.startswith(name) for known in self.planted.names())
            self.planted.add(f"{name} {number}", self.browser.cookie(name))

    def sees_a_second_factor(self) -> None:
        _, page = self.browser.get("/account/factor/")
        shown = found(re.compile(r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})"), page)
        self.planted.add("second factor as shown", shown)
        self._factor = self.planted.add("second factor", shown.replace(" ", ""))

    def sets_it_up(self) -> None:
        code = pyotp.TOTP(self._factor).now()
        status, page = self.browser.post("/account/factor/", code=code, password=self.password)
        codes = _CODES.findall(page)
        assert (status, len(codes)) == (200, 10), page
        self.planted.add("recovery code", codes[0])
        self.planted.add("recovery code as kept", codes[0].replace("-", ""))

    def changes_her_password(self) -> None:
        new = self.planted.add("another password", word("second"))
        answer = self.browser.post("/account/password/", old=self.password, new=new)
        assert answer[0] == 302, answer
        self.password = new
        self._keeps_cookies()

    def makes_a_token(self) -> Script:
        """With the right to override, which asks for her password."""
        wrong = self.planted.add("wrong password at an override", word("wrong-override"))
        form = {"name": "canary", "role": "administrator", "days": "9", "overrides": "on"}
        assert self.browser.post("/account/tokens/", **form, password=wrong)[0] == 422
        status, page = self.browser.post("/account/tokens/", **form, password=self.password)
        assert status == 200, page
        token = found(re.compile(r"[>\"]([A-Za-z0-9_-]{43})[<\"]"), page)
        self.planted.add("API token", token)
        return Script(self.panel.port, token, self.answers)

    def fails_to_sign_in(self) -> None:
        stranger = Browser(self.panel, self.answers)
        wrong = self.planted.add("wrong password", word("wrong"))
        assert stranger.post("/sign-in/", username="maria", password=wrong)[0] == 200
        assert stranger.post("/sign-in/", username="nobody", password=wrong)[0] == 200


def adds_the_cluster(script: Script, site: Simulated, planted: Planted) -> int:
    """By key and password; keys that are no good first."""
    body = {
        "name": MARK,
        "galera_peer_hosts": list(site.hosts),
        "cluster_fs_peer_hosts": list(site.hosts),
        "cluster_primary_host": site.hosts[0],
    }
    password = planted.add("SSH password", word("ssh"))
    for bad in (
        ssh_key(planted, "SSH key with a passphrase", word("phrase")),
        planted.add("damaged SSH key", f"-----BEGIN OPENSSH PRIVATE KEY-----\n{word('damaged')}"),
    ):
        script.post("/clusters", {**body, "ssh": {"private_key": bad, "password": password}}, 422)
    ssh = {"private_key": ssh_key(planted, "SSH key"), "password": password}
    cluster = int(script.post("/clusters", {**body, "ssh": ssh}, 201)["id"])
    nodes = [{"address": h, "host_key_sha256": k} for h, k in site.fingerprints.items()]
    steps.trust_all(script, cluster, {"nodes": nodes})
    return cluster


def installs_everything(script: Script, cluster: int) -> None:
    script.post(f"/clusters/{cluster}/checks")
    for procedure in (
        *("apply_settings", "backup_database", "backup_storage", "install_galera"),
        *("install_glusterfs", "create_monitor_account"),
    ):
        plans(script, cluster, procedure)
        answers = steps.confirm_all(script, cluster, procedure)
        steps.run_to_success(script, cluster, procedure, answers)


def plans(script: Script, cluster: int, procedure: str) -> None:
    """Wait until every server answers: a busy machine is slow, not wrong."""
    asked = {"procedure": procedure, "params": {}}

    def possible() -> bool:
        return script.call("POST", f"/clusters/{cluster}/plans", asked)[0] == 200

    wait_for(possible, 120, f"{procedure} cannot be planned")


def fails(script: Script, site: Simulated, cluster: int) -> None:
    """A run that comes to a bad end, of a command that says more than it should."""
    dump = site.cluster.root(site.hosts[0]) / "usr/local/sbin/mariadb-dump"
    whole = dump.read_text()
    dump.write_text("#!/bin/sh\nenv >&2; cat /proc/$PPID/cmdline >&2; exit 2\n")
    plans(script, cluster, "backup_database")
    run = script.start(cluster, "backup_database", {})
    assert script.finished(run)["state"] in ("failed", "interrupted")
    dump.write_text(whole)


@contextmanager
def broken_audit(home: Path) -> Iterator[None]:
    """Whatever writes to the audit ends in an error page, and in a traceback in the log."""
    _sql(home, "ALTER TABLE clusterpanel_auditentry RENAME TO aside")
    try:
        yield
    finally:
        _sql(home, "ALTER TABLE aside RENAME TO clusterpanel_auditentry")


def _sql(home: Path, words: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(home / "panel.sqlite3", timeout=20)) as books:
        found = books.execute(words).fetchall()
        books.commit()
        return found


def monitor_password(home: Path, key: str) -> str:
    ((token,),) = _sql(home, "SELECT monitor_password FROM nodes_cluster")
    return Fernet(key).decrypt(token.encode()).decode()
