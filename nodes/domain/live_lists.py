"""What a change of the lists means for a cluster that runs. The lists are its description: writing
them alone moves nothing, and the next start of a service acts by them.

Sources: Galera documentation, "State Snapshot Transfers" (a joiner's data is replaced) and "Quorum
Components"; GlusterFS administrator's guide, "Managing GlusterFS Volumes" (add-brick, remove-brick);
the manual, chapter "Restart nodes" (two GlusterFS nodes lose data).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from nodes.domain import tally
from nodes.domain.observation import ClusterFacts, GaleraFacts, GlusterVolume, Grastate
from nodes.domain.peers import GALERA_KEY, GLUSTER_KEY, PRIMARY_KEY, PeerSettings
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say

CHANGE_PRIMARY = "change_primary"


@dataclass(frozen=True)
class Live:
    """What is installed, as far as runs, an adoption or the newest facts tell."""

    galera: bool = False
    gluster: bool = False

    def __bool__(self) -> bool:
        return self.galera or self.gluster


@dataclass(frozen=True)
class HandWork:
    """One command to be typed as root on `host`."""

    host: str
    command: str


@dataclass(frozen=True)
class Consequence:
    """What one change of a list means, and what makes it true: a procedure, or commands by hand."""

    id: str
    field: str
    what: Text
    procedure: str = ""
    commands: tuple[HandWork, ...] = ()


def live(facts: ClusterFacts | None, succeeded: Collection[str], *, adopted: bool = False) -> Live:
    """`succeeded`: procedures of which a run has succeeded. An adopted cluster is taken as running."""
    nodes = facts.nodes if facts else ()
    galera = any(
        (isinstance(n.galera, GaleraFacts) and n.galera.wsrep_on)
        or (isinstance(n.grastate, Grastate) and n.grastate.present and n.grastate.uuid.strip("0-"))
        for n in nodes
    )
    return Live(
        bool(adopted or galera or "install_galera" in succeeded),
        bool(adopted or tally.known_volumes(facts) or "install_glusterfs" in succeeded),
    )


def primary_refusal(before: PeerSettings, after: PeerSettings, is_live: Live) -> Refusal | None:
    """The primary of an installed cluster is moved by a procedure: old primary first (law 11)."""
    if not is_live or before.cluster_primary_host == after.cluster_primary_host:
        return None
    why = say(
        "%(old)s is the primary of an installed cluster. Only the procedure “change_primary” makes"
        " %(new)s the primary: the old one must stop first, or two servers do the background work.",
        old=before.cluster_primary_host,
        new=after.cluster_primary_host,
    )
    fix = say("Leave the primary as it is here, and start “change_primary”.")
    return Refusal("primary_is_procedure", why, fix, field=PRIMARY_KEY.lower())


def consequences(
    before: PeerSettings, after: PeerSettings, is_live: Live, facts: ClusterFacts | None
) -> tuple[Consequence, ...]:
    """One for each host that comes or goes; a new order moves nothing in a cluster that runs."""
    return (*_galera(before, after, is_live), *_gluster(before, after, is_live, facts))


def _galera(before: PeerSettings, after: PeerSettings, is_live: Live) -> Iterator[Consequence]:
    if not is_live.galera:
        return
    old, new = before.galera_peer_hosts, after.galera_peer_hosts
    for host in new:
        if host not in old:
            yield _joins(host)
    for host in old:
        if host not in new:
            yield _leaves(host, len(new))


def _joins(host: str) -> Consequence:
    what = say(
        "%(host)s joins the running database cluster by a whole transfer (SST): everything in its"
        " own database is lost and replaced by the cluster's. Until it was installed, nothing"
        " happens there.",
        host=host,
    )
    return Consequence(f"galera_add:{host}", GALERA_KEY.lower(), what, "install_galera")


def _leaves(host: str, left: int) -> Consequence:
    what = say(
        "%(host)s stays a member of the running database cluster until its database is stopped"
        " there for good. Then %(left)s servers are left, and %(spare)s of them may crash.",
        host=host,
        left=left,
        spare=max(0, (left - 1) // 2),
    )
    command = HandWork(host, "systemctl disable --now mariadb")
    return Consequence(f"galera_remove:{host}", GALERA_KEY.lower(), what, commands=(command,))


def _gluster(
    before: PeerSettings, after: PeerSettings, is_live: Live, facts: ClusterFacts | None
) -> Iterator[Consequence]:
    if not is_live.gluster:
        return
    old, new = before.cluster_fs_peer_hosts, after.cluster_fs_peer_hosts
    volume = next(iter(tally.known_volumes(facts) or ()), None)
    for host in new:
        if host not in old:
            yield _brick_comes(host, before.cluster_primary_host, volume)
    for host in old:
        if host not in new:
            other = next((h for h in new if h != host), before.cluster_primary_host)
            yield _brick_goes(host, other, volume)


def _brick_comes(host: str, at: str, volume: GlusterVolume | None) -> Consequence:
    what = say(
        "%(host)s gets no brick by being in the list: adding one is a GlusterFS operation, which"
        " copies all files there. Writing the list moves nothing.",
        host=host,
    )
    path = volume.bricks[0].name.rpartition(":")[2] if volume and volume.bricks else "/PATH"
    name, copies = (volume.name, volume.replica) if volume else ("VOLUME", 3)
    add = f"gluster volume add-brick {name} replica {copies + 1} {host}:{path} force"
    commands = HandWork(at, f"gluster peer probe {host}"), HandWork(at, add)
    return Consequence(f"gluster_add:{host}", GLUSTER_KEY.lower(), what, commands=commands)


def _brick_goes(host: str, at: str, volume: GlusterVolume | None) -> Consequence:
    what = say(
        "The brick of %(host)s stays in the running volume: removing it is a GlusterFS operation,"
        " and with fewer than three servers “if you restart any of the 2 nodes, you will lose"
        " data”.",
        host=host,
    )
    mine = [b.name for b in volume.bricks if b.name.startswith(f"{host}:")] if volume else []
    brick = mine[0] if mine else f"{host}:/PATH"
    name, copies = (volume.name, volume.replica) if volume else ("VOLUME", 3)
    remove = f"gluster volume remove-brick {name} replica {max(1, copies - 1)} {brick} force"
    commands = HandWork(at, remove), HandWork(at, f"gluster peer detach {host}")
    return Consequence(f"gluster_remove:{host}", GLUSTER_KEY.lower(), what, commands=commands)


def unaccepted(found: tuple[Consequence, ...], accepted: Collection[str]) -> list[Refusal]:
    """A refusal for each consequence that nobody has confirmed by its id."""
    fix = say("Read what it means for the running cluster, and confirm it.")
    return [
        Refusal("live_list", c.what, fix, {"accept": c.id, **_told(c)}, field=c.field)
        for c in found
        if c.id not in accepted
    ]


def _told(consequence: Consequence) -> dict[str, object]:
    commands = [f"{each.host}: {each.command}" for each in consequence.commands]
    return {"procedure": consequence.procedure, "commands": commands}
