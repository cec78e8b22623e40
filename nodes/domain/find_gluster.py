"""Whether the storage is at work: glusterd, volume, bricks, peers. Rules yield findings."""

from __future__ import annotations

from collections.abc import Iterator

from nodes.domain.actions import command, look, procedure, start_storage
from nodes.domain.observation import GlusterBrick, GlusterVolume, NodeFacts, Unknown
from nodes.domain.quorum import has_quorum, host_of, online, replica_sets
from nodes.domain.text import Text, say
from nodes.domain.verdict import Action, Finding
from nodes.domain.view import View, listed

GLUSTER_STALE_S = 180.0
REJECTED = 6


def not_known(view: View) -> Iterator[Finding]:
    """Nobody could be asked, nobody says which bricks run, or all answers are old."""
    first = next((n for n in view.storage if isinstance(n.gluster_volumes, Unknown)), None)
    if not view.volumes and first is not None:
        assert isinstance(first.gluster_volumes, Unknown)
        yield _unknown(
            say(
                "GlusterFS could not be asked on %(host)s: %(why)s",
                host=first.host,
                why=first.gluster_volumes.why,
            ),
            first.host,
        )
    elif view.volumes and all(b.online is None for v in view.volumes for b in v.bricks):
        yield _unknown(say("Which bricks of GlusterFS run, nobody said in time."))
    elif view.storage and (age := _age(view)) > GLUSTER_STALE_S:
        text = say("GlusterFS was last asked %(seconds)s seconds ago.", seconds=round(age))
        yield _unknown(text)


def _age(view: View) -> float:
    return view.now - max(node.group_read_at("gluster") for node in view.storage)


def _unknown(what: Text, host: str = "") -> Finding:
    return Finding(
        "gluster_unknown",
        "warning",
        "unknown",
        what,
        say("Whether files are replicated now is not known; that is neither well nor broken."),
        look(say("Look there: `systemctl status glusterd`"), host),
        host,
    )


def no_volume(view: View) -> Iterator[Finding]:
    if not view.storage or view.volumes != ():
        return
    if any(isinstance(node.gluster_volumes, Unknown) for node in view.storage):
        return
    if view.galera and all(node.standalone for node in view.galera):
        return
    yield Finding(
        "no_volume",
        "warning",
        "degraded",
        say("GlusterFS has no volume yet."),
        say("Files that users upload stay on the server where they work."),
        procedure("install_glusterfs", say("Install GlusterFS.")),
    )


def _started(view: View) -> list[GlusterVolume]:
    return [volume for volume in view.volumes or () if volume.started]


def stopped_volume(view: View) -> Iterator[Finding]:
    for volume in view.volumes or ():
        if not volume.started:
            yield Finding(
                f"volume_stopped:{volume.name}",
                "critical",
                "degraded",
                say("The GlusterFS volume %(name)s is stopped.", name=volume.name),
                say("dpiui2 cannot read or write its files on any server."),
                command(
                    f"gluster volume start {volume.name}",
                    anybody(view),
                    say("Start it: `gluster volume start %(name)s`", name=volume.name),
                ),
            )


def anybody(view: View) -> str:
    """A reached server that runs glusterd: its command line speaks for the pool."""
    able = (n.host for n in view.storage if _unit(n) == "active")
    return next(able, "")


def _unit(node: NodeFacts) -> str:
    return "" if isinstance(node.units, Unknown) else node.units.get("glusterd", "not-found")


def no_quorum(view: View) -> Iterator[Finding]:
    """Certain: so many bricks are known to be gone that clients are refused."""
    up = online(view.volumes or ()) | {
        b.name for v in _started(view) for b in v.bricks if b.online is None and _may_run(view, b)
    }
    for volume in _started(view):
        for bricks in replica_sets(volume):
            if not has_quorum(bricks, up):
                yield _without_quorum(view, volume, bricks, up)


def _may_run(view: View, brick: GlusterBrick) -> bool:
    """Nobody reported the brick, and its server answers: then what it does is not known."""
    owner = view.owner(brick)
    return not owner or view.node(owner).ssh is True


def _without_quorum(
    view: View, volume: GlusterVolume, bricks: tuple[GlusterBrick, ...], up: set[str]
) -> Finding:
    gone = next(brick for brick in bricks if brick.name not in up)
    return Finding(
        f"no_quorum:{bricks[0].name}",
        "critical",
        "degraded",
        _what_is_left(volume.name, bricks, up),
        say("dpiui2 fails on every server with “Transport endpoint is not connected” (ENOTCONN)."),
        _brick_back(view, volume, gone),
        host_of(gone.name),
    )


def _what_is_left(name: str, bricks: tuple[GlusterBrick, ...], up: set[str]) -> Text:
    left = [brick for brick in bricks if brick.name in up]
    if left and all(brick.arbiter for brick in left):
        return say(
            "Only the arbiter of %(name)s is left: it knows the names of files, not what is in"
            " them.",
            name=name,
        )
    return say(
        "The storage takes no reads and writes: %(up)s of %(all)s bricks of %(name)s are online.",
        up=len(left),
        all=len(bricks),
        name=name,
    )


def bricks_down(view: View) -> Iterator[Finding]:
    volumes = _started(view)
    known = any(brick.online is not None for volume in volumes for brick in volume.bricks)
    for volume in volumes if known else ():
        up = sum(brick.online is True for brick in volume.bricks)
        for brick in volume.bricks:
            if brick.online is True:
                continue
            yield Finding(
                f"brick_down:{brick.name}",
                "warning",
                "degraded",
                say(
                    "%(up)s of %(all)s bricks are known to be online; not %(names)s.",
                    up=up,
                    all=len(volume.bricks),
                    names=brick.name,
                ),
                say("What is written now is missing there until it is back and healed."),
                _brick_back(view, volume, brick),
                host_of(brick.name),
            )


def _brick_back(view: View, volume: GlusterVolume, brick: GlusterBrick) -> Action:
    """A server that is away must come back; a lone glusterd waits for a peer; else start the brick."""
    host = view.owner(brick) or host_of(brick.name)
    node = view.node(host)
    if node.ssh is not True:
        return look(say("Bring %(host)s back.", host=host), host)
    if _unit(node) in ("inactive", "failed"):
        line = "systemctl reset-failed glusterd; systemctl start glusterd"
        return start_storage(host, say("Start glusterd on %(host)s.", host=host), line)
    if _alone(node):
        return look(
            say("Bring a second server of the storage back; %(host)s waits for it.", host=host),
            host,
            say("After a boot glusterd starts its bricks only when it has met another server."),
        )
    return start_storage(
        host,
        say("Start the bricks of %(host)s that are down.", host=host),
        f"gluster volume start {volume.name} force",
        say(
            "`gluster volume start %(name)s force` starts only what is missing; bricks that run are not"
            " touched.",
            name=volume.name,
        ),
    )


def _alone(node: NodeFacts) -> bool:
    peers = node.gluster_peers
    return not isinstance(peers, Unknown) and bool(peers) and not any(p.connected for p in peers)


def lone_glusterd(view: View) -> Iterator[Finding]:
    for node in view.storage:
        if _unit(node) == "active" and _alone(node):
            yield Finding(
                f"glusterd_alone:{node.host}",
                "warning",
                "degraded",
                say("glusterd of %(host)s meets none of the other servers.", host=node.host),
                say("After a boot it starts its bricks only when it has met another server."),
                look(
                    say(
                        "Start glusterd on the other servers, or look at the network of %(host)s.",
                        host=node.host,
                    ),
                    node.host,
                ),
                node.host,
            )


def peers(view: View) -> Iterator[Finding]:
    """One finding for each peer, whoever sees it so; servers that are away are told elsewhere."""
    away = {node.host for node in view.storage if node.ssh is not True}
    seen: dict[str, list[tuple[str, str, int]]] = {}
    for node in view.storage:
        told = () if isinstance(node.gluster_peers, Unknown) or _alone(node) else node.gluster_peers
        for peer in told:
            if not peer.well and peer.hostname not in away:
                state = peer.state_text if peer.connected else "disconnected"
                seen.setdefault(peer.hostname, []).append((node.host, state, peer.state))
    for name, views in sorted(seen.items()):
        yield _peer(name, views)


def _peer(name: str, views: list[tuple[str, str, int]]) -> Finding:
    what = say(
        "glusterd of %(peer)s is “%(state)s” as seen from %(host)s.",
        host=listed(host for host, _, _ in views),
        peer=name,
        state=views[0][1],
    )
    if any(state == REJECTED for _, _, state in views):
        return _rejected(name, what)
    return Finding(
        f"peer:{name}",
        "warning",
        "degraded",
        what,
        say("The volume cannot be changed, and a brick there may be missing for some servers."),
        look(say("Look at %(peer)s.", peer=name), name),
        name,
    )


def _rejected(name: str, what: Text) -> Finding:
    return Finding(
        f"peer_rejected:{name}",
        "warning",
        "degraded",
        what,
        say(
            "Their records of the volume differ, usually after an upgrade of one of them;"
            " changes of the volume fail until they agree."
        ),
        command(
            "systemctl restart glusterd",
            name,
            say("Compare `gluster --version`, then restart glusterd on %(peer)s.", peer=name),
            say("Its bricks go on while glusterd restarts."),
        ),
        name,
    )


RULES = (
    no_quorum,
    stopped_volume,
    no_volume,
    lone_glusterd,
    bricks_down,
    peers,
    not_known,
)
