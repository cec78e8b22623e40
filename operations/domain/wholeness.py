"""Whether both layers are whole, which a rolling restart asks before each server.

"Synced + Primary + size N + bricks up + heal 0" on all, and the storage answers everywhere; `but`
is the server whose turn it is: it may be away already when its step is run again.
"""

from __future__ import annotations

from nodes.domain.observation import MountFacts, NodeFacts, Unknown
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from nodes.domain.view import View
from operations.domain.known import unknown
from operations.domain.safety import database_quiet, healing, known_bricks, marked


def not_whole(view: View, but: str = "") -> Refusal | None:
    """The first thing that is not as it must be; None when everything is."""
    return _database(view, but) or _storage(view, but)


def _database(view: View, but: str) -> Refusal | None:
    if refusal := database_quiet(view):
        return refusal
    for member in view.galera:
        if refusal := unknown(member.node, "bootstrap_marker") or marked(member.node):
            return refusal
        if not member.member and member.host != but:
            why, fix = member.reason, say("Bring %(host)s back first.", host=member.host)
            return Refusal("member_missing", why, fix, {"node": member.host})
    return _size(view, but)


def _size(view: View, but: str) -> Refusal | None:
    away = [m for m in view.galera if m.host == but and not m.member]
    expected = len(view.galera) - len(away)
    if view.size == expected:
        return None
    why = say(
        "The database cluster has %(size)s members, expected %(expected)s.",
        size=view.size,
        expected=expected,
    )
    fix = say("Find out which servers are in it: SHOW STATUS LIKE 'wsrep_incoming_addresses'")
    return Refusal("cluster_size", why, fix, {"size": view.size, "expected": expected})


def _storage(view: View, but: str) -> Refusal | None:
    if not view.storage:
        return None
    bricks = known_bricks(view)
    if isinstance(bricks, Refusal):
        return bricks
    for brick in bricks:
        if not brick.online and view.owner(brick) != but:
            why = say("The brick %(name)s does not run.", name=brick.name)
            fix = say("Start GlusterFS on that server: Operations, or its card on the dashboard.")
            return Refusal("brick_down", why, fix, {"brick": brick.name})
    away = any(view.owner(b) == but and not b.online for b in bricks)
    if not away and (refusal := healing(bricks)):
        return refusal
    others = [node for node in view.storage if node.host != but] if bricks else []
    return next((r for node in others if (r := _peers(node, but) or _mount(node))), None)


def _peers(node: NodeFacts, but: str) -> Refusal | None:
    if refusal := unknown(node, "gluster_peers"):
        return refusal
    assert not isinstance(node.gluster_peers, Unknown)
    lost = [peer for peer in node.gluster_peers if not peer.well and not but]
    if not lost:
        return None
    why = say("%(host)s does not see its peer %(peer)s.", host=node.host, peer=lost[0].hostname)
    fix = say("See that glusterd runs there and that port 24007 is open between all servers.")
    return Refusal("peer_lost", why, fix, {"node": node.host, "peer": lost[0].hostname})


def _mount(node: NodeFacts) -> Refusal | None:
    if refusal := unknown(node, "mount"):
        return refusal
    assert isinstance(node.mount, MountFacts)
    if node.mount.mounted and node.mount.answers:
        return None
    why = say("The storage of %(host)s is not mounted or does not answer.", host=node.host)
    fix = say("Mount the storage of %(host)s again first.", host=node.host)
    return Refusal("mount_dead", why, fix, {"node": node.host})
