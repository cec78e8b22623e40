"""What is wrong with the replicated files. Rules yield findings; none depends on another."""

from __future__ import annotations

from collections.abc import Iterator

from nodes.domain.actions import command, look, procedure, wait
from nodes.domain.observation import GlusterBrick, GlusterVolume, MountFacts, NodeFacts, Unknown
from nodes.domain.quorum import has_quorum, host_of, online, replica_sets
from nodes.domain.rates import heal_is_stuck
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
                    _anybody(view),
                    say("Start it: `gluster volume start %(name)s`", name=volume.name),
                ),
            )


def _anybody(view: View) -> str:
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
    node = next((n for n in view.storage if n.host == host_of(brick.name)), None)
    return node is None or node.ssh is True


def _without_quorum(
    view: View, volume: GlusterVolume, bricks: tuple[GlusterBrick, ...], up: set[str]
) -> Finding:
    left = [brick for brick in bricks if brick.name in up]
    if left and all(brick.arbiter for brick in left):
        what = say(
            "Only the arbiter of %(name)s is left: it knows the names of files, not what is in"
            " them.",
            name=volume.name,
        )
    else:
        what = say(
            "The storage takes no reads and writes: %(up)s of %(all)s bricks of %(name)s are"
            " online.",
            up=len(left),
            all=len(bricks),
            name=volume.name,
        )
    gone = next(brick for brick in bricks if brick.name not in up)
    return Finding(
        f"no_quorum:{bricks[0].name}",
        "critical",
        "degraded",
        what,
        say("dpiui2 fails on every server with “Transport endpoint is not connected” (ENOTCONN)."),
        _brick_back(view, volume, gone),
        host_of(gone.name),
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
    host = host_of(brick.name)
    node = next((n for n in view.storage if n.host == host), None)
    if node is None or node.ssh is not True:
        return look(say("Bring %(host)s back.", host=host), host)
    if _unit(node) in ("inactive", "failed"):
        line = "systemctl reset-failed glusterd; systemctl start glusterd"
        return command(line, host, say("Start glusterd on %(host)s.", host=host))
    if _alone(node):
        return look(
            say("Bring a second server of the storage back; %(host)s waits for it.", host=host),
            host,
            say("After a boot glusterd starts its bricks only when it has met another server."),
        )
    return command(
        f"gluster volume start {volume.name} force",
        host,
        say(
            "Start the brick again: `gluster volume start %(name)s force`",
            name=volume.name,
        ),
        say("It starts only what is missing; bricks that run are not touched."),
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
    return Finding(
        f"peer:{name}",
        "warning",
        "degraded",
        what,
        say("The volume cannot be changed, and a brick there may be missing for some servers."),
        look(say("Look at %(peer)s.", peer=name), name),
        name,
    )


def mounts(view: View) -> Iterator[Finding]:
    if not view.volumes:
        return
    for node in view.storage:
        if node.ssh is not True:
            continue
        if isinstance(node.mount, Unknown):
            yield Finding(
                f"mount_unknown:{node.host}",
                "warning",
                "unknown",
                say(
                    "Whether the storage of %(host)s is mounted is not known: %(why)s",
                    host=node.host,
                    why=node.mount.why,
                ),
                say("If it is not, files that users upload there stay on that one server."),
                look(say("Look at %(host)s.", host=node.host), node.host),
                node.host,
            )
        elif (problem := _mount(node, node.mount)) is not None:
            yield problem


def _mount(node: NodeFacts, mount: MountFacts) -> Finding | None:
    if mount.mounted and mount.answers:
        return None
    text = say("Mount the storage of %(host)s again.", host=node.host)
    if mount.mounted:
        return Finding(
            f"mount_dead:{node.host}",
            "warning",
            "degraded",
            say("The storage of %(host)s is mounted but does not answer.", host=node.host),
            say("Users who work on this server wait or get errors."),
            procedure("remount_storage", text, node.host, by_hand=_remount(node)),
            node.host,
        )
    return Finding(
        f"unmounted:{node.host}",
        "critical",
        "degraded",
        say(
            "The storage of %(host)s is not mounted: its directory looks normal, but what is written"
            " there stays on this one server.",
            host=node.host,
        ),
        say("Files written there meanwhile are missing on the others, and hidden after mounting."),
        procedure("remount_storage", text, node.host, by_hand=_mount_line(node)),
        node.host,
    )


def _directory(node: NodeFacts) -> str:
    return str(node.extra.get("storage") or "/var/www/html/dpiui2/backend/storage")


def _mount_line(node: NodeFacts) -> str:
    return f"mount {_directory(node)}"


def _remount(node: NodeFacts) -> str:
    return f"umount -l {_directory(node)} && mount {_directory(node)}"


def split_brain_files(view: View) -> Iterator[Finding]:
    for volume in view.volumes or ():
        count = max((brick.split_brain or 0 for brick in volume.bricks), default=0)
        if count:
            yield Finding(
                f"split_brain_files:{volume.name}",
                "critical",
                "degraded",
                say(
                    "%(count)s files of %(name)s are in split brain: their copies contradict each"
                    " other.",
                    count=count,
                    name=volume.name,
                ),
                say("These files cannot be opened until a person chooses a copy of each."),
                command(
                    f"gluster volume heal {volume.name} info split-brain",
                    _anybody(view),
                    say(
                        "List them: `gluster volume heal %(name)s info split-brain`; then choose"
                        " for each by size, time or brick.",
                        name=volume.name,
                    ),
                ),
            )


def healing(view: View) -> Iterator[Finding]:
    """What waits for healing; stuck when it has not become less for a quarter of an hour."""
    for volume in view.volumes or ():
        count = max((brick.heal_pending or 0 for brick in volume.bricks), default=0)
        if not count:
            continue
        if any(heal_is_stuck(view.samples(node.host)) for node in view.storage):
            yield _stuck(view, volume, count)
        else:
            yield Finding(
                f"healing:{volume.name}",
                "notice",
                "busy",
                say("%(count)s files are still being healed.", count=count),
                say("Until then the server that has the newest copies must not be stopped."),
                wait(say("Wait; restart nothing until it is over.")),
            )


def _stuck(view: View, volume: GlusterVolume, count: int) -> Finding:
    return Finding(
        f"heal_stuck:{volume.name}",
        "warning",
        "degraded",
        say(
            "%(count)s files wait for healing, and for a quarter of an hour it has not become less.",
            count=count,
        ),
        say("Something stands in the way: a brick that is down, a full disk, or split brain."),
        command(
            f"gluster volume heal {volume.name}",
            _anybody(view),
            say(
                "Start the healing by hand: `gluster volume heal %(name)s`; then look what is"
                " left: `gluster volume heal %(name)s info`",
                name=volume.name,
            ),
        ),
    )


def too_few_copies(view: View) -> Iterator[Finding]:
    for volume in view.volumes or ():
        if volume.replica == 2 and not volume.arbiters:
            yield Finding(
                f"two_copies:{volume.name}",
                "warning",
                "degraded",
                say("%(name)s has two copies and no arbiter.", name=volume.name),
                say("Two servers cannot tell who is right: data can be lost (the manual says so)."),
                look(say("Add a third server to CLUSTER_FS_PEER_HOSTS.")),
            )


RULES = (
    no_quorum,
    stopped_volume,
    mounts,
    split_brain_files,
    no_volume,
    lone_glusterd,
    bricks_down,
    peers,
    healing,
    too_few_copies,
    not_known,
)
