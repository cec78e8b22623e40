"""Whether something may be stopped or started now: a refusal with the fact, or None.

Asked before a person can click, again when the run is accepted, and once more when the step is
about to begin (`guards.py`). What nobody knows stands against it (law 9).

Galera counts who leaves in order out of the group, so a clean stop needs one Synced member that
stays (Galera's documentation, "Weighted Quorum": members that left gracefully are not in the sum).
GlusterFS needs more than half of each replica set, and nothing that waits for healing: the newest
copy may be the one that would be stopped.
"""

from __future__ import annotations

from collections.abc import Iterable

from nodes.domain.find_members import foreign
from nodes.domain.observation import GlusterBrick, NodeFacts, Unknown
from nodes.domain.quorum import has_quorum, has_storage, online, replica_sets
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from nodes.domain.view import Member, View, listed
from operations.domain.known import unknown
from operations.domain.power import Target

WAIT = say("Wait until it is over; the page says when.")


def may_stop(view: View, one: Target) -> Refusal | None:
    """Whether the service may be away for a while, and what it serves stays with the others."""
    galera = one.database and one.host in view.settings.galera_peer_hosts
    storage = one.storage and one.host in view.settings.cluster_fs_peer_hosts
    refusal = _database_without(view, one.host) if galera else None
    return refusal or (_storage_without(view, one.host) if storage else None)


def _database_without(view: View, host: str) -> Refusal | None:
    """One that is stopped already is not missed, but its data may be what its next boot replaces."""
    here = next(member for member in view.galera if member.host == host)
    if refusal := database_quiet(view) or _of_another(view, here):
        return refusal
    staying = [m.host for m in view.primary if m.host != host]
    if not here.member or staying:
        return None
    why = say(
        "%(host)s is the only member of the database cluster: without it 0 of %(size)s are left,"
        " and nobody can read or write.",
        host=host,
        size=view.size,
    )
    fix = say("Start another server's database first, or stop the whole cluster in its order.")
    return Refusal("last_member", why, fix, {"node": host, "size": view.size})


def database_quiet(view: View) -> Refusal | None:
    """One cluster with a majority, everybody known, nobody giving or receiving data."""
    for member in view.galera:
        if not member.known and not member.starting:
            return _member_unknown(member)
    return _no_one_cluster(view) or _moving(view.galera) or _apart(view)


def _of_another(view: View, here: Member) -> Refusal | None:
    """It would start at its boot, unasked. A start that is asked for has a gate that names the loss."""
    if not (here.stopped and foreign(view, here)):
        return None
    why = say(
        "The stopped database of %(host)s belongs to another cluster: when it joins this one, its"
        " own data is replaced.",
        host=here.host,
    )
    fix = say("Find out which data is right, and take a backup of it, before it starts.")
    return Refusal("other_history", why, fix, {"node": here.host})


def _apart(view: View) -> Refusal | None:
    """More servers say they are members than the members count: it changes now, or they are apart."""
    if view.size >= len(view.primary):
        return None
    why = say(
        "%(hosts)s say they are members, but they count only %(size)s.",
        hosts=listed(member.host for member in view.primary),
        size=view.size,
    )
    fix = say("Look again in a moment; if it stays so, look at the network between them.")
    return Refusal("cluster_size", why, fix, {"size": view.size})


def _member_unknown(member: Member) -> Refusal:
    node = member.node
    refusal = unknown(node, "ssh", "galera", "units", "mysqld_running")
    if refusal:
        return refusal
    why = say("%(host)s: whether its database runs is not clear.", host=member.host)
    fix = say("Look at it: systemctl status mariadb")
    return Refusal("node_unknown", why, fix, {"node": member.host, "fact": "mysqld_running"})


def _no_one_cluster(view: View) -> Refusal | None:
    if len(view.primary_groups()) > 1:
        groups = "; ".join(listed(group) for group in view.primary_groups())
        why = say("There are two database clusters at once: %(groups)s.", groups=groups)
        fix = say("Decide which one has the right data before anything is stopped or started.")
        return Refusal("two_clusters", why, fix, {"groups": groups})
    if view.without_quorum:
        hosts = listed(member.host for member in view.without_quorum)
        why = say("The database of %(hosts)s has no majority and takes no writes.", hosts=hosts)
        return Refusal("galera_non_primary", why, say("Recover the cluster first."), {"on": hosts})
    if not view.primary:
        why = say("No server is a member of a database cluster now.")
        fix = say("Start the cluster, or install Galera if that was never done.")
        return Refusal("no_cluster", why, fix)
    return None


def _moving(members: Iterable[Member]) -> Refusal | None:
    for member in members:
        if not member.starting and (member.synced or not member.member):
            continue
        state = member.comment or ("starting" if member.starting else "?")
        why = say(
            "%(host)s is “%(state)s”: it gives or receives data, or is not ready.",
            host=member.host,
            state=state,
        )
        return Refusal("galera_busy", why, WAIT, {"node": member.host, "state": state})
    return None


def _storage_without(view: View, host: str) -> Refusal | None:
    """A brick of another server of which nobody knows is counted as down: that is the worst case."""
    volumes = view.volumes
    if volumes is None:
        return no_answer(view)
    bricks = [brick for volume in volumes if volume.started for brick in volume.bricks]
    for brick in bricks:
        owner = view.owner(brick)
        if not owner or (owner == host and brick.online is None):
            return _unclear(say("How the brick %(name)s is, is not known.", name=brick.name))
    up = online(volumes)
    mine = {brick.name for brick in bricks if view.owner(brick) == host}
    if not mine & up:
        return None
    return _without_bricks(view, host, up, up - mine) or healing(bricks)


def no_answer(view: View) -> Refusal:
    first = view.storage[0] if view.storage else view.nodes[0]
    return unknown(first, "ssh", "gluster_volumes") or _unclear(say("GlusterFS did not answer."))


def known_bricks(view: View) -> list[GlusterBrick] | Refusal:
    """The bricks of all started volumes; refuses when nobody knows how one of them is."""
    volumes = view.volumes
    if volumes is None:
        return no_answer(view)
    bricks = [brick for volume in volumes if volume.started for brick in volume.bricks]
    for brick in bricks:
        if brick.online is None or not view.owner(brick):
            return _unclear(say("How the brick %(name)s is, is not known.", name=brick.name))
    return bricks


def _unclear(why: Text) -> Refusal:
    fix = say("Make every server answer, and look again.")
    return Refusal("node_unknown", why, fix, {"fact": "gluster_volumes"})


def healing(bricks: Iterable[GlusterBrick]) -> Refusal | None:
    """What waits for healing, as oVirt asks before it takes a server down: nothing may."""
    for brick in bricks:
        if not brick.online:
            continue
        if brick.heal_pending is None:
            return _unclear(
                say("How much waits for healing on %(name)s is not known.", name=brick.name)
            )
        count = brick.heal_pending + (brick.split_brain or 0)
        if count:
            why = say(
                "%(count)s files wait for healing on %(name)s: their newest copy may be there only.",
                count=count,
                name=brick.name,
            )
            fix = say("Wait until nothing waits any more; gluster volume heal starts it at once.")
            return Refusal("heal_backlog", why, fix, {"brick": brick.name, "entries": count})
    return None


def _without_bricks(view: View, host: str, up: set[str], after: set[str]) -> Refusal | None:
    if has_storage(view.volumes or (), after):
        return None
    for volume in view.volumes or ():
        for bricks in replica_sets(volume) if volume.started else ():
            if not has_quorum(bricks, after):
                return _no_quorum(host, volume.name, bricks, after)
    return None


def _no_quorum(
    host: str, volume: str, bricks: tuple[GlusterBrick, ...], after: set[str]
) -> Refusal:
    left = [brick for brick in bricks if brick.name in after]
    numbers = {"host": host, "volume": volume, "left": len(left), "all": len(bricks)}
    if left and all(brick.arbiter for brick in left):
        why = say(
            "%(host)s has the only data brick of %(volume)s that is up: an arbiter holds names, not"
            " data.",
            host=host,
            volume=volume,
        )
    else:
        why = say(
            "Without %(host)s, %(left)s of %(all)s bricks of %(volume)s are left; GlusterFS needs"
            " %(needed)s, or dpiui2 fails on every server (ENOTCONN).",
            **numbers,
            needed=len(bricks) // 2 + 1,
        )
    fix = say("Bring the bricks of the other servers back first.")
    return Refusal("storage_quorum", why, fix, numbers)


def may_start_database(view: View, host: str) -> Refusal | None:
    """Whether this server may join now: one after another, and only somebody's cluster."""
    here = next(member for member in view.galera if member.host == host)
    return (
        unknown(here.node, "ssh", "bootstrap_marker")
        or marked(here.node)
        or database_quiet(view)
        or _not_stopped(here)
    )


def _not_stopped(here: Member) -> Refusal | None:
    if here.stopped:
        return None
    why = say("The database of %(host)s runs already.", host=here.host)
    return Refusal("already_running", why, say("Nothing has to be started."), {"node": here.host})


def marked(node: NodeFacts) -> Refusal | None:
    """A marker that an interrupted bootstrap left: the next plain start begins a second cluster."""
    if isinstance(node.bootstrap_marker, Unknown) or not node.bootstrap_marker:
        return None
    why = say(
        "A bootstrap marker is left on %(host)s (%(marker)s): its next start begins a second"
        " cluster.",
        host=node.host,
        marker=node.bootstrap_marker,
    )
    fix = say(
        "Take it away: systemctl unset-environment _WSREP_NEW_CLUSTER, or remove the file that is"
        " named."
    )
    return Refusal("bootstrap_marker", why, fix, {"node": node.host})
