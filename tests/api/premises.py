"""What stands in the panel while its API is asked for anything: rows of every kind, recorded servers.

No request reaches another machine: the servers are records of real ones, any other host is away,
and no name is looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from django.test import Client
from django.utils import timezone

from clusterpanel.api import digest
from clusterpanel.models import ApiToken
from nodes import selectors
from nodes.domain.facts_json import to_json
from nodes.domain.refusal import Refused
from nodes.domain.text import say
from nodes.models import Cluster, HostKey, Observation, SettingsRevision
from nodes.transport.base import Command, Output, PinnedKey, Target
from nodes.transport.keys import fingerprint
from operations import services
from operations.models import Backup, Fence, PendingSettings, Run
from tests.fakes import recorded
from tests.fakes.recorded import HOSTS
from tests.fakes.scripted import ScriptedTransport
from tests.people.made import at_the_keyboard, person
from tests.web.made import HOSTILE, happened, made_plan, made_run, printed

KEY = PinnedKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIAaa")
ROLES = ("viewer", "operator", "administrator")


class Recorded(ScriptedTransport):
    """A healthy server of the records; to a question that nobody recorded it answers with an error."""

    alive = True

    def run(self, command: Command) -> Output:
        with suppress(AssertionError):
            return super().run(command)
        return Output(1, b"", b"not recorded")


@dataclass(frozen=True)
class Premises:
    """A cluster in use, one that is being adopted, one with a run that no worker took yet.

    `hashes`: the plan that was shown of each procedure that can be planned now; `drift`: what one
    server's `.env` has otherwise.
    """

    site: Cluster
    adopting: Cluster
    busy: Cluster
    failed: Run
    waiting: Run
    hashes: Mapping[str, str]
    drift: str

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        return (self.site, self.adopting, self.busy)

    @property
    def runs(self) -> tuple[Run, ...]:
        return (self.failed, self.waiting)


def connect(target: Target, timeout_s: float = 8) -> Recorded:
    if target.host not in HOSTS:
        raise recorded.away(target.host)
    return Recorded(target, recorded.transport("healthy", target).answers)


def scan(host: str, port: int) -> list[PinnedKey]:
    if host not in HOSTS:
        raise recorded.away(host)
    return [KEY]


def closed_doors(patch: Callable[[str, object], None]) -> None:
    """`patch` replaces whatever leads to another machine."""
    patch("nodes.transport.pool.connect", connect)
    patch("nodes.transport.servers.connect", connect)
    patch("nodes.transport.servers.scan_host_key", scan)
    patch("nodes.resolve._lookup", lambda name: "")


PLANNED = ("backup_database", "backup_storage", "rolling_restart", "stop_cluster")


def furnished(planned: Sequence[str] = PLANNED) -> Premises:
    """`planned`: procedures whose plan was shown already."""
    site, adopting = _site("Office"), _site("Adopted", adopting=True)
    for cluster, hosts in ((site, HOSTS[:2]), (adopting, HOSTS)):
        _pin(cluster, hosts)
        _seen(cluster)
    failed = _a_failed_run(site)
    _history(site, failed)
    busy = _site("Busy")
    waiting = made_run("waiting", cluster=busy)
    Run.objects.filter(pk=waiting.pk).update(lease_owner="", lease_until=None)
    plans, drift = _plans(site, planned), _drift(site)
    return Premises(site, adopting, busy, failed, waiting, plans, drift)


def _site(name: str, **more: Any) -> Cluster:
    cluster = Cluster.objects.create(name=name, ssh_password="a secret", **more)
    for number, hosts in ((1, (HOSTS[0], HOSTS[2], HOSTS[1])), (2, HOSTS)):
        SettingsRevision.objects.create(
            cluster=cluster,
            number=number,
            galera_peer_hosts=list(hosts),
            cluster_fs_peer_hosts=list(hosts),
            cluster_primary_host=hosts[0],
            why="read",
        )
    return cluster


def _pin(cluster: Cluster, hosts: Sequence[str]) -> None:
    for host in hosts:
        HostKey.objects.create(
            cluster=cluster, host=host, type=KEY.type, base64=KEY.base64, sha256=fingerprint(KEY)
        )


def _seen(site: Cluster) -> None:
    for node in recorded.sweep("healthy").nodes:
        Observation.objects.create(
            cluster=site, host=node.host, taken_at=timezone.now(), facts=to_json(node)
        )


def _drift(site: Cluster) -> str:
    """What the newest look found in the `.env` of the last server is another order than the panel's."""
    row = site.observations.get(host=HOSTS[2])
    row.facts["env"]["keys"] = site.revisions.get(number=1).peers.as_env()
    row.save()
    files = selectors.env_difference(site, selectors.latest_facts(site))
    return next(file.finding for file in files if file.finding)


def _a_failed_run(site: Cluster) -> Run:
    plan = replace(made_plan(), settings_revision=2)
    run = made_run("failed", ["succeeded", "failed", "pending"], cluster=site, plan=plan)
    printed(run, plan.steps[0].key, HOSTILE + b"\xff\xfe\x00" * 50)
    happened(run, type="run", state="failed", cancelling=False, text=say("It failed.").to_json())
    return run


def _history(site: Cluster, run: Run) -> None:
    now = timezone.now()
    for kind in ("database", "storage"):
        Backup.objects.create(
            cluster=site,
            run=run,
            kind=kind,
            node=HOSTS[0],
            path=f"/{kind}.gz",
            bytes=4711,
            sha256="a" * 64,
            verified_at=now,
        )
    PendingSettings.objects.create(cluster=site, host=HOSTS[1], revision=2, run=run)
    told = {"opened_by": "ann", "opened_at": now, "closed_at": now, "evidence": {"read": HOSTS[0]}}
    Fence.objects.create(cluster=site, host=HOSTS[2], run=run, **told)


def _plans(site: Cluster, planned: Sequence[str]) -> dict[str, str]:
    found = {}
    for procedure in planned:
        with suppress(Refused):
            shown = services.plan_preview(cluster=site, procedure=procedure, params={})
            found[procedure] = shown.hash
    return found


def keys_of(role: str) -> dict[str, dict[str, Any]]:
    """What a request of this role carries, by the door that it takes: headers and cookies."""
    user = at_the_keyboard(person(f"a-{role}", role))
    ApiToken.objects.create(user=user, role=role, digest=digest(f"t-{role}"))
    browser = Client()
    browser.force_login(user)
    browser.get("/account/")
    cookies = {name: morsel.value for name, morsel in browser.cookies.items()}
    return {
        "token": {"headers": {"Authorization": f"Bearer t-{role}"}},
        "session": {"headers": {"X-CSRFToken": cookies["csrftoken"]}, "cookies": cookies},
    }
