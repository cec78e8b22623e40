"""`gluster`: peers, volumes, healing, as text and as XML.

The exit code is 0 also for many refusals in XML, as the real one does: `opRet` decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nodes.simulation import events, glusterfs
from nodes.simulation.skin.commands import gluster_print as show
from nodes.simulation.skin.commands.shell import Shell
from nodes.simulation.world import Reply

_MODES = ("--mode=script", "--xml", "--nolog")


def gluster(shell: Shell, argv: list[str]) -> int:
    if "--version" in argv:
        shell.out("glusterfs 10.3\nSimulated\n")
        return 0
    xml = "--xml" in argv
    words = [shell.path(word) for word in argv if word not in _MODES]
    world = shell.world()
    if world.nodes[shell.host].daemon is None:
        shell.out(glusterfs.NO_DAEMON + "\n")
        return 1
    for start in (2, 3):
        act = _COMMANDS.get(tuple(words[:start]))
        if act is not None:
            return act(shell, words[start:], xml)
    shell.out("unrecognized command\n")
    return 1


def _said(shell: Shell, reply: Reply, xml: bool) -> int:
    if xml:
        shell.out(show.result(reply))
        return reply.exit_code
    return shell.answer(reply)


def _peer_status(shell: Shell, words: list[str], xml: bool) -> int:
    world = shell.world()
    shell.out((show.peers_xml if xml else show.peers_text)(world, shell.host))
    return 0


def _pool_list(shell: Shell, words: list[str], xml: bool) -> int:
    shell.out(show.pool_text(shell.world(), shell.host))
    return 0


def _probe(shell: Shell, words: list[str], xml: bool) -> int:
    asked = words[0]
    nodes = shell.world().nodes.values()
    found = (node.host for node in nodes if asked in (node.host, node.name, node.address))
    peer = next(found, asked)
    return _said(shell, shell.happen(events.ProbePeer(shell.host, peer)), xml)


def _volume_info(shell: Shell, words: list[str], xml: bool) -> int:
    world = shell.world()
    volumes = [v for v in world.volumes.values() if glusterfs.knows(world, shell.host, v)]
    if words and words[0] != "all":
        volumes = [volume for volume in volumes if volume.name == words[0]]
        if not volumes:
            return _said(shell, _absent(words[0]), xml)
    shell.out((show.info_xml if xml else show.info_text)(world, volumes))
    return 0


def _volume_list(shell: Shell, words: list[str], xml: bool) -> int:
    world = shell.world()
    names = [v.name for v in world.volumes.values() if glusterfs.knows(world, shell.host, v)]
    shell.out("".join(f"{name}\n" for name in names) or "No volumes present in cluster\n")
    return 0


def _absent(name: str) -> Reply:
    return Reply(1, "", f"Volume {name} does not exist\n")


def _volume_status(shell: Shell, words: list[str], xml: bool) -> int:
    world = shell.world()
    names = [word for word in words if word not in ("all", "detail")]
    known = [v for v in world.volumes.values() if glusterfs.knows(world, shell.host, v)]
    volumes = [volume for volume in known if volume.name in (names or [volume.name])]
    if names and not volumes:
        return _said(shell, _absent(names[0]), xml)
    for volume in volumes:
        if names and not volume.started:
            return _said(shell, Reply(1, "", f"Volume {volume.name} is not started\n"), xml)
    started = [volume for volume in volumes if volume.started]
    if xml:
        shell.out(show.status_xml(world, shell.host, started, daemons="detail" not in words))
    else:
        shell.out(show.status_text(world, shell.host, started))
    return 0


def _volume_create(shell: Shell, words: list[str], xml: bool) -> int:
    name, rest = words[0], words[1:]
    numbers = {"replica": 1, "arbiter": 0}
    bricks: list[tuple[str, str]] = []
    while rest:
        word = rest.pop(0)
        if word in numbers:
            numbers[word] = int(rest.pop(0))
        elif ":" in word:
            host, _, path = word.partition(":")
            bricks.append((host, path))
    replica = numbers["replica"]
    if numbers["arbiter"] and replica == 2:
        replica = 3
    event = events.CreateVolume(shell.host, name, tuple(bricks), replica, numbers["arbiter"])
    return _said(shell, shell.happen(event), xml)


def _volume_start(shell: Shell, words: list[str], xml: bool) -> int:
    event = events.StartVolume(shell.host, words[0], force="force" in words)
    return _said(shell, shell.happen(event), xml)


def _volume_stop(shell: Shell, words: list[str], xml: bool) -> int:
    return _said(shell, shell.happen(events.StopVolume(shell.host, words[0])), xml)


def _volume_heal(shell: Shell, words: list[str], xml: bool) -> int:
    world = shell.world()
    volume = world.volumes.get(words[0])
    if volume is None:
        return _said(shell, _absent(words[0]), xml)
    if len(words) == 1 or words[1] == "full":
        return _said(shell, Reply(0, "Launching heal operation: success\n"), xml)
    shell.out((show.heal_xml if xml else show.heal_text)(world, shell.host, volume))
    return 0


_COMMANDS: Mapping[tuple[str, ...], Callable[[Shell, list[str], bool], int]] = {
    ("peer", "status"): _peer_status,
    ("peer", "probe"): _probe,
    ("pool", "list"): _pool_list,
    ("volume", "info"): _volume_info,
    ("volume", "list"): _volume_list,
    ("volume", "status"): _volume_status,
    ("volume", "create"): _volume_create,
    ("volume", "start"): _volume_start,
    ("volume", "stop"): _volume_stop,
    ("volume", "heal"): _volume_heal,
}
