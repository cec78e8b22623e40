"""Situations in words, so that a golden case is a few lines of data.

A node is a list of words, `"stopped; marker"`; each bends what was read from a node that is well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from nodes.domain.observation import (
    ClusterFacts,
    EnvFacts,
    GlusterBrick,
    GlusterVolume,
    Grastate,
    MountFacts,
    NodeFacts,
    PageFacts,
    Sample,
    Transfer,
    Unknown,
)
from nodes.domain.peers import GALERA_KEY, PRIMARY_KEY
from nodes.domain.text import say
from tests.fakes.facts import HOSTS, NOW, SETTINGS, UUID, galera, node, silent, stopped, volume

OTHER_UUID = "deadbeef-0000-11f1-8000-000000000002"
GIB = 1024**3
LATE = Unknown(say("The server did not answer this in time."))
NO_CONF = "18446744073709551615"


def _units(facts: NodeFacts, **changes: str) -> NodeFacts:
    assert not isinstance(facts.units, Unknown)
    names = {name.replace("_", "."): state for name, state in changes.items()}
    return replace(facts, units={**facts.units, **names})


def _galera(facts: NodeFacts, raw: Mapping[str, str] | None = None, **changes: Any) -> NodeFacts:
    status = facts.galera
    assert not isinstance(status, Unknown)
    return replace(facts, galera=replace(status, raw={**status.raw, **(raw or {})}, **changes))


def _peers(facts: NodeFacts, name: str, **changes: Any) -> NodeFacts:
    assert not isinstance(facts.gluster_peers, Unknown)
    bent = (replace(p, **changes) if name in ("", p.hostname) else p for p in facts.gluster_peers)
    return replace(facts, gluster_peers=tuple(bent))


def _mount(facts: NodeFacts, **changes: Any) -> NodeFacts:
    assert isinstance(facts.mount, MountFacts)
    return replace(facts, mount=replace(facts.mount, **changes))


def _env(facts: NodeFacts, primary: str = "") -> NodeFacts:
    keys: dict[str, str | None] = {**SETTINGS.as_env(), PRIMARY_KEY: primary}
    env = EnvFacts(True, "1" * 64, keys, {PRIMARY_KEY: 12}, 1_800_000_000.0)
    return replace(facts, env=env)


def _lists(facts: NodeFacts, hosts: str) -> NodeFacts:
    keys = {**SETTINGS.as_env(), GALERA_KEY: hosts}
    return replace(facts, env=EnvFacts(True, "2" * 64, keys))


def _disk(facts: NodeFacts, used: str) -> NodeFacts:
    size = 100 * GIB
    free = {"/var/lib/mysql": (100 - int(used)) * GIB}
    return replace(
        facts, disk_free=free, extra={**facts.extra, "disk_total": dict.fromkeys(free, size)}
    )


def _joiner(facts: NodeFacts) -> NodeFacts:
    """Receives everything: the server runs, the unit starts, and SQL is not there yet."""
    down = _units(stopped(facts.host), mariadb="activating")
    transfer = Transfer("SST", "joiner", "rsync", "", bytes=4 * GIB)
    return replace(down, mysqld_running=True, transfer=transfer)


def _donor(facts: NodeFacts) -> NodeFacts:
    giving = _galera(facts, local_state=2, local_state_comment="Donor/Desynced")
    return replace(giving, transfer=Transfer("SST", "donor", "rsync", "n3:4444", bytes=10 * GIB))


WORDS: Mapping[str, Callable[..., NodeFacts]] = {
    "well": lambda f: f,
    "silent": lambda f: silent(f.host),
    "stopped": lambda f: stopped(f.host, grastate=Grastate(True, UUID, 22, False)),
    "crashed": lambda f: _units(stopped(f.host), mariadb="failed"),
    "fresh": lambda f: stopped(f.host, grastate=Grastate(present=False)),
    "foreign": lambda f: replace(f, grastate=Grastate(True, OTHER_UUID, 900, False)),
    "process-left": lambda f: replace(stopped(f.host), mysqld_running=True),
    "starting": lambda f: replace(
        _units(stopped(f.host), mariadb="activating"), mysqld_running=True
    ),
    "joiner": _joiner,
    "donor": _donor,
    "joined": lambda f: _galera(f, local_state=3, local_state_comment="Joined", ready=False),
    "size": lambda f, n: _galera(f, cluster_size=int(n)),
    "half": lambda f, conf, n: _galera(f, {"wsrep_cluster_conf_id": conf}, cluster_size=int(n)),
    "other-uuid": lambda f: _galera(f, cluster_uuid=OTHER_UUID, cluster_size=1),
    "non-primary": lambda f: _galera(
        f,
        {"wsrep_cluster_conf_id": NO_CONF},
        cluster_status="non-Primary",
        cluster_size=1,
        local_state=0,
        local_state_comment="Initialized",
        ready=False,
    ),
    "standalone": lambda f: replace(
        f, galera=galera(wsrep_on=False, cluster_status="", ready=False)
    ),
    "not-ready": lambda f: _galera(f, ready=False),
    "sql-unknown": lambda f: replace(f, galera=LATE),
    "desync": lambda f: _galera(
        f, {"wsrep_desync": "ON"}, local_state=2, local_state_comment="Donor/Desynced"
    ),
    "rejects": lambda f: _galera(f, {"wsrep_reject_queries": "ALL"}),
    "read-only": lambda f: _galera(f, {"read_only": "ON"}),
    "queue": lambda f, n: _galera(f, {"wsrep_local_recv_queue": n}),
    "marker": lambda f: replace(f, bootstrap_marker="_WSREP_NEW_CLUSTER=--wsrep-new-cluster"),
    "marker-file": lambda f: replace(f, bootstrap_marker="/run/mysqld/wsrep-new-cluster"),
    "socket": lambda f: _units(f, mariadb_socket="active"),
    "unmounted": lambda f: _mount(f, mounted=False, fstype="", source="", answers=False),
    "dead-mount": lambda f: _mount(f, answers=False, why="hangs"),
    "mount-unknown": lambda f: replace(f, mount=LATE),
    "glusterd-unknown": lambda f: replace(f, gluster_peers=LATE, gluster_volumes=LATE),
    "glusterd-down": lambda f: replace(
        _units(f, glusterd="inactive"), gluster_peers=LATE, gluster_volumes=LATE
    ),
    "no-gluster": lambda f: replace(f, gluster_peers=(), gluster_volumes=()),
    "alone": lambda f: _peers(f, "", connected=False),
    "rejects-peer": lambda f, n: _peers(f, n, state=6, state_text="Peer Rejected"),
    "lost-peer": lambda f, n: _peers(f, n, connected=False),
    "primary-is": _env,
    "lists-are": _lists,
    "address": lambda f, address: replace(f, addresses=(address,)),
    "env-unknown": lambda f: replace(f, env=LATE),
    "clock": lambda f, s: replace(f, clock_offset_s=float(s)),
    "disk": _disk,
    "page-down": lambda f: replace(f, page=PageFacts(f"https://{f.host}/", 0, "refused")),
    "page-502": lambda f: replace(f, page=PageFacts(f"https://{f.host}/", 502)),
    "version": lambda f, v: replace(f, versions={"mariadb": v, "gluster": "10.3"}),
    "old": lambda f, s: replace(f, taken_at=NOW - float(s)),
    "gluster-old": lambda f, s: replace(f, read_at={**f.read_at, "gluster": NOW - float(s)}),
}


def facts(case: Mapping[str, Any]) -> ClusterFacts:
    """The observation that a case describes: `all` for the nodes it does not name, `volume`,
    `samples`."""
    nodes = tuple(_node(host, case) for host in HOSTS)
    return ClusterFacts(nodes, {h: _samples(h, case.get("samples", {})) for h in HOSTS})


def _node(host: str, case: Mapping[str, Any]) -> NodeFacts:
    found = node(host)
    if "volume" in case:
        found = replace(found, gluster_volumes=(_volume(**case["volume"]),))
    for words in str(case.get(host, case.get("all", "well"))).split(";"):
        word, *arguments = words.split()
        found = WORDS[word](found, *arguments)
    return found


def _volume(
    bricks: str = "up up up",
    heal: tuple[int, ...] = (0, 0, 0),
    split: tuple[int, ...] = (0, 0, 0),
    arbiter: bool = False,
    **changes: Any,
) -> GlusterVolume:
    online = {"up": True, "down": False, "?": None}
    made = tuple(
        GlusterBrick(
            f"{host}:/b",
            f"u-{host}",
            arbiter and host == HOSTS[-1],
            online[state],
            None if online[state] is None else heal[place],
            split[place],
        )
        for place, (host, state) in enumerate(zip(HOSTS, bricks.split(), strict=False))
    )
    return volume(bricks=made, arbiters=int(arbiter), **changes)


def _samples(host: str, told: Mapping[str, Any]) -> tuple[Sample, ...]:
    """`paused`: part of the time; `heal`: counts, one every five minutes until now; `received`:
    bytes of the joiner's data half a minute ago."""
    if host == told.get("host", host) and "paused" in told:
        ticks = range(-60, 1, 10)
        return tuple(Sample(NOW + t, paused_ns=int((t + 60) * told["paused"] * 1e9)) for t in ticks)
    if "heal" in told:
        counts = list(told["heal"])
        begin = NOW - 300 * (len(counts) - 1)
        return tuple(Sample(begin + 300 * i, heal_pending=n) for i, n in enumerate(counts))
    if host == told.get("host") and "received" in told:
        return (Sample(NOW - 30, transfer_bytes=told["received"]),)
    return ()
