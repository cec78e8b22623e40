"""Real and simulated servers with the same handles, and what is compared of an observation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol

from nodes.domain.observation import GaleraFacts, GlusterVolume, MountFacts, NodeFacts, Unknown
from nodes.probes import gluster
from nodes.probes.sweep import Sweep
from nodes.simulation import events
from nodes.simulation.cluster import SimulatedCluster
from nodes.simulation.machine import due
from nodes.transport import simulated, ssh
from nodes.transport.base import (
    Output,
    PinnedKey,
    Target,
    Transport,
    TransportError,
    Unreachable,
    script,
)
from tests.lab_fixture import lab_tool

APP = "/var/www/html/dpiui2"
Seen = dict[str, dict[str, Any]]  # host → field → value


class Side(Protocol):
    hosts: tuple[str, ...]

    def connect(self, target: Target) -> Transport: ...
    def target(self, host: str) -> Target: ...
    def kill_databases(self, *hosts: str) -> None: ...
    def power_cut(self, *hosts: str) -> None: ...
    def power_off(self, host: str) -> None: ...
    def power_on(self, host: str) -> None: ...
    def partition(self, host: str) -> None: ...
    def rejoin(self, host: str) -> None: ...


def run(side: Side, host: str, text: str, *args: str) -> Output:
    return side.connect(side.target(host)).run(script(text, *args, timeout_s=300))


def at_once(acts: Iterable[Callable[[], object]]) -> None:
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(act) for act in acts]:
            done.result()


class Simulated:
    def __init__(self, cluster: SimulatedCluster) -> None:
        self.cluster = cluster
        self.hosts = cluster.world.hosts

    def target(self, host: str) -> Target:
        return Target(host, 22, "root", (simulated.host_key(self.cluster, host),), password="x")

    def connect(self, target: Target) -> Transport:
        return simulated.connect(self.cluster, target)

    def kill_databases(self, *hosts: str) -> None:
        self.cluster.happen(*(events.KillDatabase(host) for host in hosts))
        self.cluster.happen(*(events.ResetFailed(host, "mariadb.service") for host in hosts))

    def power_cut(self, *hosts: str) -> None:
        self.cluster.power_cut(*hosts)

    def power_off(self, host: str) -> None:
        self.cluster.power_off(host)

    def power_on(self, host: str) -> None:
        self.cluster.power_on(host)
        while not self.cluster.node(host).up:
            time.sleep(0.05)

    def partition(self, host: str) -> None:
        self.cluster.partition(host)

    def rejoin(self, host: str) -> None:
        self.cluster.rejoin(host)

    def rest(self) -> None:
        """Until nothing is under way any more."""
        while next(due(self.cluster.world), None) is not None:
            time.sleep(0.1)


class Real:
    """Lab servers; the stand-in's background work is off, since it writes rows of its own."""

    def __init__(self, lab: dict[str, Any]) -> None:
        self._lab = lab
        self.hosts = tuple(node["address"] for node in lab["nodes"])
        self._names = {node["address"]: node["name"] for node in lab["nodes"]}
        self._open: dict[str, Transport] = {}
        self._keys: dict[str, PinnedKey] = {}

    def target(self, host: str) -> Target:
        if host not in self._keys:
            self._keys[host] = ssh.scan_host_key(host, 22)[0]
        return Target(host, 22, "root", (self._keys[host],), password=self._lab["root_password"])

    def connect(self, target: Target) -> Transport:
        kept = self._open.get(target.host)
        if kept is None or not getattr(kept, "alive", True):
            self._open[target.host] = ssh.connect(target)
        return self._open[target.host]

    def kill_databases(self, *hosts: str) -> None:
        words = (
            "systemctl kill -s KILL mariadb; systemctl stop mariadb; systemctl reset-failed mariadb"
        )
        at_once([lambda host=host: run(self, host, words) for host in hosts])  # type: ignore[misc]

    def _tool(self, verb: str, host: str) -> None:
        lab_tool(self._lab["name"], verb, self._names[host])

    def _forget(self, host: str) -> None:
        with suppress(TransportError, KeyError):
            self._open.pop(host).close()

    def power_cut(self, *hosts: str) -> None:
        for host in hosts:
            self._tool("crash", host)
            self._forget(host)

    def power_off(self, host: str) -> None:
        self._tool("poweroff", host)
        self._forget(host)

    def power_on(self, host: str) -> None:
        self._tool("boot", host)

    def partition(self, host: str) -> None:
        self._tool("partition", host)

    def rejoin(self, host: str) -> None:
        self._tool("rejoin", host)


class Looker:
    """Sweeps one side. UUIDs are told by the order in which they were first seen."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._uuids: dict[str, str] = {}
        self._boots: dict[str, list[str]] = {}

    def look(self) -> Seen:
        targets = [self._side.target(host) for host in self._side.hosts]
        facts = Sweep(targets, APP, full_s=30).run(self._connect, deadline_s=30)
        facts = gluster.whole(self._connect, facts, targets, 30)
        return {node.host: self._fields(node) for node in facts.nodes}

    def _connect(self, target: Target) -> Transport:
        try:
            return self._side.connect(target)
        except OSError as error:  # pragma: no cover
            raise Unreachable(*_words(str(error))) from error

    def _uuid(self, uuid: str) -> str:
        if not uuid.strip("0-"):
            return uuid
        return self._uuids.setdefault(uuid, f"history {len(self._uuids) + 1}")

    def _boot(self, node: NodeFacts) -> int:
        seen = self._boots.setdefault(node.host, [])
        if str(node.boot_id) not in seen:
            seen.append(str(node.boot_id))
        return seen.index(str(node.boot_id)) + 1

    def _fields(self, node: NodeFacts) -> dict[str, Any]:
        if node.ssh is not True:
            return {"ssh": "no answer"}
        assert not isinstance(node.units, Unknown)
        stopped = node.mysqld_running is False
        return {
            "ssh": True,
            "root": node.is_root,
            "boot": self._boot(node),
            "hostname": node.hostname,
            "addresses": node.addresses,
            "units": dict(node.units),
            "starts at boot": node.extra["enabled"],
            "mariadbd runs": node.mysqld_running,
            "databases": _known(node.databases),
            "galera": self._galera(node.galera),
            "grastate": self._grastate(node),
            "left behind": node.extra["traces"],
            "bootstrap marker": node.bootstrap_marker,
            "recovers to": self._recovery(node.host) if stopped else "runs",
            "env": _known(node.env, lambda env: dict(env.keys)),
            "scripts": _known(node.scripts),
            "peers": _known(node.gluster_peers, _peers),
            "volumes": _known(node.gluster_volumes, lambda found: [_volume(v) for v in found]),
            "mount": _known(node.mount, _mount),
            "disks": _known(node.disk_free, sorted),
            "versions": _known(node.versions, lambda found: {k: bool(v) for k, v in found.items()}),
        }

    def _galera(self, galera: GaleraFacts | Unknown) -> dict[str, Any] | str:
        if isinstance(galera, Unknown):
            return "unknown"
        raw = galera.raw
        return {
            "wsrep_on": galera.wsrep_on,
            "status": galera.cluster_status,
            "size": galera.cluster_size,
            "uuid": self._uuid(galera.cluster_uuid),
            "own uuid": self._uuid(raw.get("wsrep_local_state_uuid", "")),
            "state": f"{galera.local_state} {galera.local_state_comment}",
            "ready": galera.ready,
            "connected": raw.get("wsrep_connected"),
            "conf_id": raw.get("wsrep_cluster_conf_id"),
            "last_committed": raw.get("wsrep_last_committed"),
            "address": raw.get("wsrep_cluster_address"),
            "incoming": sorted(raw.get("wsrep_incoming_addresses", "").split(",")),
            "evs_state": raw.get("wsrep_evs_state"),
            "read_only": raw.get("read_only"),
            "desync": raw.get("wsrep_desync"),
        }

    def _grastate(self, node: NodeFacts) -> dict[str, Any] | str:
        state = node.grastate
        if isinstance(state, Unknown):
            return "unknown"
        return {
            "present": state.present,
            "uuid": self._uuid(state.uuid),
            "seqno": state.seqno,
            "safe_to_bootstrap": state.safe_to_bootstrap,
        }

    def _recovery(self, host: str) -> list[Any]:
        done = run(self._side, host, "galera_recovery")
        uuid, _, seqno = done.text.strip().partition("=")[2].partition(":")
        return [done.exit_code, self._uuid(uuid), seqno]


def _words(why: str) -> tuple[Any, Any]:
    from nodes.domain.text import say

    return say("%(why)s", why=why), say("-")


def _known(value: Any, show: Callable[[Any], Any] = lambda found: dict(found)) -> Any:
    return "unknown" if isinstance(value, Unknown) else show(value)


def _peers(found: Any) -> list[list[Any]]:
    return sorted([p.hostname, p.connected, p.state, p.state_text] for p in found)


def _volume(volume: GlusterVolume) -> dict[str, Any]:
    """How many entries wait for healing is told by the crawl of a daemon, every ten minutes."""
    return {
        "name": volume.name,
        "started": volume.started,
        "replica": volume.replica,
        "arbiters": volume.arbiters,
        "bricks": [
            [b.name, b.arbiter, b.online, b.heal_pending is not None] for b in volume.bricks
        ],
    }


def _mount(mount: MountFacts) -> dict[str, Any]:
    return {
        "mounted": mount.mounted,
        "fstype": mount.fstype,
        "source": mount.source,
        "answers": mount.answers,
        "exists": mount.exists,
    }
