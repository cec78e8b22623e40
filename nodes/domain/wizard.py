"""Where an installation stands, read from what is true now: nothing is remembered page by page.

A person who comes back days later sees the truth, not how far they had clicked. Pure: everything
that is known comes in as `Known`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nodes.domain import tally
from nodes.domain.observation import (
    ClusterFacts,
    EnvFacts,
    GaleraFacts,
    MountFacts,
    NodeFacts,
    Unknown,
)
from nodes.domain.peers import PeerSettings
from nodes.domain.text import Text, say

STEPS = ("nodes", "access", "checks", "settings", "backup", "galera", "gluster", "verify")
TITLES = {
    "nodes": say("Nodes"),
    "access": say("Access"),
    "checks": say("Checks"),
    "settings": say("Write settings"),
    "backup": say("Backups"),
    "galera": say("Install Galera"),
    "gluster": say("Install GlusterFS"),
    "verify": say("Verify"),
}
PROCEDURES = {
    "settings": ("apply_settings",),
    "backup": ("backup_database", "backup_storage", "verify_backup"),
    "galera": ("install_galera",),
    "gluster": ("install_glusterfs",),
    "verify": ("create_monitor_account",),
}


@dataclass(frozen=True)
class Known:
    """Everything the steps are judged by. `checks` counts cells by state, plus "missing"."""

    settings: PeerSettings
    facts: ClusterFacts | None = None
    has_secret: bool = False
    pinned: frozenset[str] = frozenset()
    checks: Mapping[str, int] = field(default_factory=dict)
    backups: frozenset[str] = frozenset()  # kinds with a usable backup
    last_states: Mapping[str, str] = field(default_factory=dict)  # procedure -> state of newest run
    active: str = ""  # procedure of the active run


@dataclass(frozen=True)
class StepStand:
    """One step and what is still missing. done, working, needs, failed, unknown, waiting, or
    attention: it was done, and what it did is no longer true."""

    key: str
    title: Text
    state: str
    missing: tuple[Text, ...] = ()

    @property
    def done(self) -> bool:
        return self.state == "done"


def steps(known: Known) -> tuple[StepStand, ...]:
    """All steps in order. A step after the first unfinished one waits, unless it is done already."""
    stands: list[StepStand] = []
    for key in STEPS:
        missing = _MISSING[key](known)
        blocked = any(not before.done for before in stands)
        stands.append(StepStand(key, TITLES[key], _state(key, known, missing, blocked), missing))
    return tuple(stands)


def first_open(stands: tuple[StepStand, ...]) -> str:
    """Where a person goes on: the first step that is not done."""
    return next((stand.key for stand in stands if not stand.done), STEPS[-1])


def _state(key: str, known: Known, missing: tuple[Text, ...], blocked: bool) -> str:
    procedures = PROCEDURES.get(key, ())
    if known.active in procedures:
        return "working"
    if not missing:
        return "done"
    if blocked:
        return "waiting"
    if key in ("settings", "galera", "gluster") and _nothing_known(known):
        return "unknown"
    return _unfinished(key, {known.last_states.get(name, "") for name in procedures})


def _unfinished(key: str, last: set[str]) -> str:
    """What to call a step that could be done now and is not."""
    if key in ("backup", "verify"):
        return "needs"  # several ways lead there; one failed run says little
    if last & {"failed", "interrupted"}:
        return "failed"
    return "attention" if "succeeded" in last else "needs"  # done once, and no longer true


def _nothing_known(known: Known) -> bool:
    nodes = known.facts.nodes if known.facts else ()
    return not any(node.ssh is True for node in nodes)


def _nodes(known: Known) -> tuple[Text, ...]:
    return ()


def _access(known: Known) -> tuple[Text, ...]:
    missing = [
        say("The host key of %(host)s was not accepted yet.", host=host)
        for host in known.settings.hosts
        if host not in known.pinned
    ]
    if not known.has_secret:
        missing.insert(0, say("A private key or a password is not stored yet."))
    return tuple(missing)


def _checks(known: Known) -> tuple[Text, ...]:
    count = known.checks.get
    if not any(known.checks.values()):
        return (say("The checks were not run yet."),)
    found = []
    if count("failed"):
        found.append(say("Checks that failed: %(count)s.", count=count("failed")))
    if count("unknown"):
        found.append(say("Checks without an answer: %(count)s.", count=count("unknown")))
    if count("missing"):
        found.append(say("Checks that were not run yet: %(count)s.", count=count("missing")))
    return tuple(found)


def _settings(known: Known) -> tuple[Text, ...]:
    found = (_env_problem(host, known) for host in known.settings.hosts)
    return tuple(problem for problem in found if problem)


def _env_problem(host: str, known: Known) -> Text | None:
    node = tally.node_of(known.facts, host)
    env = node.env if node else Unknown(say("not observed"))
    if isinstance(env, Unknown):
        return say("What the .env of %(host)s says is not known.", host=host)
    return None if env_agrees(env, known.settings) else _env_differs(host)


def _env_differs(host: str) -> Text:
    return say("The .env of %(host)s does not have these settings yet.", host=host)


def env_agrees(env: EnvFacts, settings: PeerSettings) -> bool:
    return env.present and all(env.keys.get(k) == v for k, v in settings.as_env().items())


def _backup(known: Known) -> tuple[Text, ...]:
    """A backup is asked for as long as the step that needs it has not been done."""
    found = []
    if "database" not in known.backups and _galera(known):
        found.append(say("There is no verified backup of the database."))
    if "storage" not in known.backups and _gluster(known):
        found.append(say("There is no verified backup of the storage directory."))
    return tuple(found)


def _galera(known: Known) -> tuple[Text, ...]:
    hosts = known.settings.galera_peer_hosts
    nodes = {host: tally.node_of(known.facts, host) for host in hosts}
    found = [p for host, node in nodes.items() if (p := _galera_problem(host, node, len(hosts)))]
    uuids = {
        n.galera.cluster_uuid for n in nodes.values() if n and isinstance(n.galera, GaleraFacts)
    }
    if not found and len(uuids) > 1:
        found.append(say("The servers are in different Galera clusters."))
    return tuple(found)


def _galera_problem(host: str, node: NodeFacts | None, size: int) -> Text | None:
    galera = node.galera if node else Unknown(say("not observed"))
    if isinstance(galera, Unknown):
        if node and node.mysqld_running is False:
            return say("MariaDB does not run on %(host)s.", host=host)
        return say("The Galera state of %(host)s is not known.", host=host)
    if not galera.wsrep_on:
        return say("%(host)s is not in a Galera cluster.", host=host)
    if not galera.synced:
        return say("%(host)s is not Synced.", host=host)
    if galera.cluster_size != size:
        return say(
            "%(host)s sees %(found)s of %(wanted)s members.",
            host=host,
            found=galera.cluster_size,
            wanted=size,
        )
    return None


def _gluster(known: Known) -> tuple[Text, ...]:
    hosts = known.settings.cluster_fs_peer_hosts
    volumes = tally.known_volumes(known.facts)
    if volumes is None:
        return (say("The GlusterFS state is not known."),)
    if not volumes:
        return (say("There is no GlusterFS volume yet."),)
    found = [say("Volume %(name)s is not well.", name=v.name) for v in volumes if not v.well]
    for host in hosts:
        found += _gluster_node(host, tally.node_of(known.facts, host), len(hosts))
    return tuple(found)


def _gluster_node(host: str, node: NodeFacts | None, size: int) -> list[Text]:
    if node is None or isinstance(node.mount, Unknown) or isinstance(node.gluster_peers, Unknown):
        return [say("The GlusterFS state of %(host)s is not known.", host=host)]
    found = []
    if sum(peer.well for peer in node.gluster_peers) < size - 1:
        found.append(say("%(host)s is not connected to every peer.", host=host))
    if not mounted(node.mount):
        found.append(say("The storage directory is not mounted on %(host)s.", host=host))
    return found


def mounted(mount: MountFacts) -> bool:
    return mount.mounted and mount.fstype == "fuse.glusterfs" and mount.answers


def _verify(known: Known) -> tuple[Text, ...]:
    return (*_settings(known), *_galera(known), *_gluster(known))


_MISSING: dict[str, Callable[[Known], tuple[Text, ...]]] = {
    "nodes": _nodes,
    "access": _access,
    "checks": _checks,
    "settings": _settings,
    "backup": _backup,
    "galera": _galera,
    "gluster": _gluster,
    "verify": _verify,
}
