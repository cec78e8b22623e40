"""Every secret that the panel can hold is planted; it does everything it can; then everything that is
left behind is searched for them, in clear and encoded.

What must stand somewhere is an exception with its reason; an exception that is not needed any more
fails the test. `MARK` is no secret and must be found wherever we look: so the search really looks.
The memory of web, workers and scheduler is not searched: they use the secrets, so they hold them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from django.urls import get_resolver, reverse

from chaos.sites import Simulated
from clusterpanel import procfs
from tests.e2e import keepers
from tests.e2e.canary import Piece, Secret, files, hits, memory, rows
from tests.e2e.keepers import MARK, Maria, Planted
from tests.e2e.onlookers import Answers, Browser, ProcessList, Script
from tests.e2e.panel import Panel
from tests.people.doors import API, PAGES, QUERIES
from tests.people.test_every_door import patterns

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="the list of processes is read from /proc"),
]
ENV_FILE = r"servers:.*/backend/\.env(\.clusterpanel-\d+)?"


@dataclass(frozen=True)
class Exception_:
    """`secret` may stand in `where`, both as patterns."""

    secret: str
    where: str
    why: str


EXCEPTIONS = (
    Exception_("field key", "home:keys/field_key", "it is that file, mode 0600"),
    Exception_("secret key", "home:keys/secret_key", "it is that file, mode 0600"),
    Exception_(
        "first password", "home:admin-password", "shown again at each start until it is changed"
    ),
    Exception_("first password", "terminal:start", "printed for whoever starts the panel"),
    Exception_("link to set a password", "terminal:person add", "printed for root, once"),
    Exception_("second factor as shown", "answer:GET /account/factor/ 200", "shown once"),
    Exception_("recovery code", "answer:POST /account/factor/ 200", "shown once"),
    Exception_("API token", "answer:POST /account/tokens/ 200", "shown once"),
    Exception_("dpiui2's .*", ENV_FILE, "dpiui2's own file; the copies have its owner and mode"),
)


class Scene:
    """The panel and its servers, and what is known of both."""

    def __init__(self, folder: Path) -> None:
        self.home, self.servers = folder / "home", folder / "servers"
        self.planted, self.answers, self.said = Planted(), Answers(), list[Piece]()
        self.key = keepers.key_files(self.home, self.planted)
        self.site = Simulated.create(self.servers / "one", 7)
        keepers.in_env_files(self.site, self.planted)
        env = {"SIMULATED_NODES": str(self.servers), "PASSWORD_FRESH_MIN": "0"}
        env |= {"OBSERVE_EVERY_S": "5", "GLUSTER_EVERY_S": "15"}  # little work for a busy machine
        self.panel = Panel(self.home, "--workers", "1", env=env)
        self.planted.add("first password", self.panel.password)

    def left_behind(self) -> Iterator[Piece]:
        """On disks, in the database's values, in Redis."""
        yield from files(self.home, "home")
        yield from files(self.servers, "servers")
        yield from rows(self.home / "panel.sqlite3")
        yield from self.in_redis()
        yield Piece("terminal:start", self.panel.log.read_bytes())

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(f"unix://{self.home}/broker/broker.sock")

    def in_redis(self) -> Iterator[Piece]:
        client = self.redis()
        for key in client.scan_iter():
            yield Piece("redis:key", key + b"\n" + (client.dump(key) or b""))
        client.close()

    def broker_pid(self) -> int:
        services = json.loads((self.home / "processes.json").read_text())["services"]
        pid, started = services["broker"]
        process = procfs.read(pid)
        assert process
        assert process.started == started
        return int(pid)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = Scene(tmp_path_factory.mktemp("canary"))
    yield made
    made.panel.stop()


@pytest.fixture(scope="module")
def processes(scene: Scene) -> ProcessList:
    """Everything that happens, with somebody who watches the list of processes."""
    with ProcessList() as watched:
        with_the_mark()
        maria = Maria(scene.panel, scene.answers, scene.planted)
        maria.comes()
        maria.sees_a_second_factor()
        scene.said += scene.left_behind()  # now, while it waits for its first code
        maria.sets_it_up()
        maria.changes_her_password()
        maria.fails_to_sign_in()
        script = maria.makes_a_token()
        cluster = keepers.adds_the_cluster(script, scene.site, scene.planted)
        keepers.installs_everything(script, cluster)
        scene.planted.add("monitor password", keepers.monitor_password(scene.home, scene.key))
        keepers.fails(script, scene.site, cluster)
        typed_while_it_is_broken(scene, maria.browser, script, cluster)
        looks_at_everything(scene, maria.browser, script, cluster)
        at_the_console(scene)
    assert watched.looks > 50
    return watched


def with_the_mark() -> None:
    """A process as a careless one would be."""
    env = {**os.environ, "CANARY": MARK}
    subprocess.run([sys.executable, "-c", "import time; time.sleep(1)", MARK], env=env, check=True)


def typed_while_it_is_broken(scene: Scene, browser: Browser, script: Script, cluster: int) -> None:
    """Secrets in requests that end in an error page."""
    password = scene.planted.add("password that met an error", keepers.word("error"))
    form = {"ssh_username": "root", "ssh_port": "22", "ssh_password": password}
    key = keepers.ssh_key(scene.planted, "SSH key that met an error")
    hosts = list(scene.site.hosts)
    body = {"name": "x", "galera_peer_hosts": hosts, "cluster_fs_peer_hosts": hosts}
    body |= {"cluster_primary_host": hosts[0]}
    ssh = {"private_key": key, "password": password}
    page = f"/clusters/{cluster}/install/access/"
    with keepers.broken_audit(scene.home):
        assert browser.post(page, **form, ssh_private_key=key)[0] == 500
        assert script.raw("POST", "/clusters", {**body, "ssh": ssh})[0] == 500
        wrong = Browser(scene.panel, scene.answers)
        assert wrong.post("/sign-in/", username="maria", password=password)[0] == 500
    assert "Traceback" in (scene.home / "log/web.log").read_text()


def looks_at_everything(scene: Scene, browser: Browser, script: Script, cluster: int) -> None:
    """Every page and every address of the API that can be read."""
    run = script.get("/runs")[0]
    words = {"cluster_id": cluster, "run_id": run["id"], "host": scene.site.hosts[0]}
    words |= {"number": 1, "step": "access", "procedure": "backup_database", "user_id": 2}
    words |= {"uidb64": "MQ", "token": "none", "verb": "sign-out", "token_id": 1}
    for path in pages(words):
        assert browser.get(path)[0] < 500, path
    browser.listen(f"/runs/{run['id']}/events", 3)
    browser.listen(f"/clusters/{cluster}/events", 6)
    browser.post(f"/clusters/{cluster}/nodes/{words['host']}/raw/")
    for kind in ("csv", "jsonl"):
        assert browser.post("/audit/export/", format=kind)[0] == 200
    for each in script.get("/runs"):
        script.raw("GET", f"/runs/{each['id']}/log.txt")
    for path, rules in API.items():
        if "GET" in rules and not path.endswith("/events"):
            status, raw = script.raw("GET", path.format(**words) + QUERIES.get(path, ""))
            assert status < 500, (path, raw)


def pages(words: dict[str, object]) -> Iterator[str]:
    """The address of every page that is read; not streams, and not a second factor set up anew."""
    for pattern in patterns(get_resolver().url_patterns):
        name = str(pattern.name)
        if "GET" in PAGES[name] and not name.endswith("-events") and name != "account-factor":
            named = {key: words[key] for key in pattern.pattern.converters}
            yield reverse(name, kwargs=named) + QUERIES.get(name, "")


def at_the_console(scene: Scene) -> None:
    """What support asks for; a rotation encrypts everything anew."""
    for command in (("verify_audit",), ("person", "list"), ("check", "--deploy"), ("rotate_keys",)):
        said = scene.panel.manage(*command)
        scene.said.append(Piece(f"terminal:{' '.join(command)}", said.encode()))


def left_over(found: Iterator[tuple[str, str, str]], used: set[Exception_]) -> set[str]:
    """What no exception allows; fills `used` with those that allowed something."""
    wrong = set()
    for secret, form, where in found:
        allowing = {
            each
            for each in EXCEPTIONS
            if re.fullmatch(each.secret, secret) and re.fullmatch(each.where, where)
        }
        used |= allowing
        if not allowing:
            wrong.add(f"{secret} ({form}) in {where}")
    return wrong


def test_no_secret_is_left_in_clear(scene: Scene, processes: ProcessList) -> None:
    used: set[Exception_] = set()
    everything = [*scene.said, *scene.left_behind(), *scene.answers.pieces, *processes.pieces()]
    found = hits(everything, scene.planted.all())
    assert sorted(left_over(found, used)) == []
    assert [each for each in EXCEPTIONS if each not in used] == []


def test_what_the_panel_leaves_is_really_searched(scene: Scene, processes: ProcessList) -> None:
    """A word that is no secret, and was given to everybody, is found in each of these places."""
    client = scene.redis()
    client.set("canary", MARK)
    client.publish("canary", MARK)
    everything = [*scene.left_behind(), *scene.answers.pieces, *processes.pieces()]
    places = {where for _, _, where in hits(everything, [Secret("mark", MARK.encode())])}
    client.delete("canary")
    for wanted in (
        *(r"home:panel\.sqlite3(-wal)?", "home:broker/.*aof", r"home:log/web\.log", "redis:key"),
        *(r"row:nodes_cluster\.name", r"row:clusterpanel_auditentry\.subject"),
        *("process:command line", "process:environment"),
        r"servers:.*/backups/.*\.tar\.gz unpacked/.*",
        *("answer:GET /metrics 200", "answer:GET /audit/ 200", "answer:POST /audit/export/ 200"),
        *("answer:GET /api/v1/audit 200", "answer:GET /runs/"),
    ):
        assert any(re.match(wanted, place) for place in places), wanted


def test_the_brokers_memory_holds_no_secret(scene: Scene, processes: ProcessList) -> None:
    """As a core of it would be read. What was sent to it long ago is there, too."""
    client = scene.redis()
    client.set("canary", MARK)
    client.delete("canary")
    client.close()
    try:
        pieces = list(memory(scene.broker_pid(), "memory:broker"))
    except PermissionError as refused:
        pytest.skip(f"the memory of the broker may not be read here: {refused}")
    assert sum(len(piece.data) for piece in pieces) > 1_000_000
    assert [found for _, _, found in hits(pieces, [Secret("mark", MARK.encode())])]
    assert sorted(left_over(hits(pieces, scene.planted.all()), set())) == []


def test_files_with_secrets_are_their_owners(scene: Scene, processes: ProcessList) -> None:
    assert (scene.home.stat().st_mode & 0o777) == 0o700
    for name in ("keys/field_key", "keys/secret_key", "admin-password"):
        assert (scene.home / name).stat().st_mode & 0o777 == 0o600, name
    copies = list(scene.servers.rglob(".env*"))
    assert len(copies) >= 6
    assert {path.stat().st_mode & 0o777 for path in copies} == {0o640}
