"""Whether files are replicated: mounts, healing, split brain, number of copies."""

from __future__ import annotations

from collections.abc import Iterator

from nodes.domain.actions import command, look, procedure, wait
from nodes.domain.find_gluster import anybody
from nodes.domain.observation import GlusterVolume, MountFacts, NodeFacts, Unknown
from nodes.domain.rates import heal_is_stuck
from nodes.domain.text import Text, say
from nodes.domain.verdict import Finding
from nodes.domain.view import View


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
    return _dead_mount(node) if mount.mounted else _unmounted(node)


def _dead_mount(node: NodeFacts) -> Finding:
    return Finding(
        f"mount_dead:{node.host}",
        "warning",
        "degraded",
        say("The storage of %(host)s is mounted but does not answer.", host=node.host),
        say("Users who work on this server wait or get errors."),
        procedure("remount_storage", _again(node), node.host, by_hand=_remount(node)),
        node.host,
    )


def _unmounted(node: NodeFacts) -> Finding:
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
        procedure("remount_storage", _again(node), node.host, by_hand=_mount_line(node)),
        node.host,
    )


def _again(node: NodeFacts) -> Text:
    return say("Mount the storage of %(host)s again.", host=node.host)


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
                    anybody(view),
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
            anybody(view),
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
    mounts,
    split_brain_files,
    healing,
    too_few_copies,
)
