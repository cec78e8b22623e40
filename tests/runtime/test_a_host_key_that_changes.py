"""A server shows another host key in the middle of a run (law 12): real SSH, real jobs, real driver.

Nothing more is asked of that server, no secret is shown to it, no other step begins, and the page,
the journal and the audit say why, with both fingerprints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import paramiko
import pytest

from clusterpanel.models import AuditEntry
from nodes.domain.text import Text
from nodes.models import Cluster, HostKey, SettingsRevision
from nodes.transport import pool
from nodes.transport.keys import fingerprint
from operations.driving import ports_for
from operations.models import Run
from operations.runtime import journal
from operations.runtime.executor import execute
from operations.runtime.ports import Ports
from tests.fakes.local import PLACE
from tests.fakes.sshd import Sshd, pinned, running
from tests.runtime.conftest import HOLDS, events, executing, make_run, resume, states, step, until

pytestmark = pytest.mark.django_db(transaction=True)

ONE, TWO = "127.0.0.1", "127.0.0.2"
ACCEPTED, ANOTHER = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()
WAITS = 'echo begun | tee -a "$0".begun; while [ ! -e go ]; do sleep 0.05; done; echo over'


def nothing(*_: Any) -> None:
    """What these runs do not need of their surroundings."""


@dataclass
class Servers:
    """Two servers with an sshd each. `proven` is called when the effect of a step was recorded."""

    first: Sshd
    second: Sshd
    proven: Callable[..., None] = nothing

    def ports(self, run: Run) -> Ports:
        """Those of a real run, except for where jobs lie and what proves an effect."""
        return replace(
            ports_for(run),
            place=PLACE,
            proof=lambda proof: HOLDS,
            gate=lambda run, step: None,
            record=lambda *given: self.proven(),
            notify=nothing,
            longest_pause_s=0.2,
        )

    def job_began(self, sshd: Sshd, key: str) -> bool:
        assert sshd.home is not None
        return any(key in path.name for path in sshd.home.glob("lib/jobs/*"))

    def turn(self) -> tuple[int, int]:
        """From now on the first server shows another key, and every connection to it breaks."""
        before = len(self.first.asked), self.first.sign_ins
        self.first.keys = [ANOTHER]
        self.first.cut()
        return before


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        homes = [tmp_path / "one", tmp_path / "two"]
        for home in homes:
            home.mkdir()
        first = stack.enter_context(running(ACCEPTED, address=ONE, home=homes[0]))
        second = stack.enter_context(running(ACCEPTED, address=TWO, port=first.port, home=homes[1]))
        yield Servers(first, second)
        pool.close_all()
        for home in homes:
            (home / "go").touch()  # a job outlives its panel, and this test, by design


@pytest.fixture
def site(servers: Servers) -> Cluster:
    site = Cluster.objects.create(name="site", ssh_port=servers.first.port, ssh_password="secret")
    hosts = [ONE, TWO]
    SettingsRevision.objects.create(
        cluster=site,
        number=1,
        galera_peer_hosts=hosts,
        cluster_fs_peer_hosts=hosts,
        cluster_primary_host=ONE,
    )
    key = pinned(ACCEPTED)
    for host in hosts:
        HostKey.objects.create(
            cluster=site, host=host, type=key.type, base64=key.base64, sha256=fingerprint(key)
        )
    return site


def said(run: Run) -> str:
    return str(Text.from_json(run.sentence or {}))


def both_are_named(sentence: str) -> bool:
    wanted = (ONE, fingerprint(pinned(ACCEPTED)), fingerprint(pinned(ANOTHER)))
    return all(word in sentence for word in wanted)


def begun(run: Run) -> bool:
    return b"begun" in b"".join(journal.log_bytes(run.pk, "one", 1))


def test_the_key_changes_while_a_step_runs(servers: Servers, site: Cluster) -> None:
    run = make_run(step("one", ONE, WAITS), step("two", TWO, "echo two"))
    with executing(servers, run):  # type: ignore[arg-type]
        until(lambda: begun(run))
        before = servers.turn()
    assert (run.state, states(run)) == ("interrupted", ["unknown", "pending"])
    assert both_are_named(said(run))
    assert (len(servers.first.asked), servers.first.sign_ins) == before
    assert servers.first.connections > 1  # it was tried, and ended at the key
    assert not servers.job_began(servers.second, "two")
    entry = AuditEntry.objects.get(action="run.end")
    assert (entry.subject, entry.detail["state"]) == (f"run {run.pk}", "interrupted")
    assert both_are_named(entry.detail["sentence"])
    lost = [event for event in events(run, "step") if event["state"] == "unknown"]
    assert both_are_named(str(Text.from_json(lost[-1]["text"])))


def test_the_key_changes_between_two_steps(servers: Servers, site: Cluster) -> None:
    before: list[tuple[int, int]] = []
    servers.proven = lambda: before.append(servers.turn())
    run = make_run(
        step("one", ONE, "echo one", records="backup:database"), step("two", ONE, "echo two")
    )
    execute(run.pk, servers.ports)
    run.refresh_from_db()
    assert states(run)[0] == "succeeded"
    assert run.state != "succeeded"
    assert both_are_named(said(run))
    assert [(len(servers.first.asked), servers.first.sign_ins)] == before
    assert not servers.job_began(servers.first, "two")


def test_when_the_accepted_key_is_back_the_run_goes_on(servers: Servers, site: Cluster) -> None:
    """What the step did meanwhile was not lost, and it is not started again."""
    run = make_run(step("one", ONE, WAITS), step("two", TWO, "echo two"))
    with executing(servers, run):  # type: ignore[arg-type]
        until(lambda: begun(run))
        servers.turn()
    assert servers.first.home is not None
    (servers.first.home / "go").touch()
    servers.first.keys = [ACCEPTED]
    resume(run)
    execute(run.pk, servers.ports)
    run.refresh_from_db()
    assert run.state == "succeeded"
    assert (servers.first.home / "one.begun").read_text() == "begun\n"
