"""How the gluster command line prints what the model knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from nodes.simulation.glusterfs import connected, pending
from nodes.simulation.world import Reply, Volume, World

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_GONE = "Transport endpoint is not connected"


def _document(body: str, *, code: int = 0, why: str = "") -> str:
    said = f"<opErrstr>{escape(why)}</opErrstr>" if why else "<opErrstr/>"
    head = f"<opRet>{code}</opRet><opErrno>0</opErrno>{said}"
    return f"{_HEAD}<cliOutput>{head}{body}</cliOutput>\n"


def result(reply: Reply) -> str:
    """Of a command that changed something, or would not."""
    if reply.exit_code:
        return _document("", code=-1, why=reply.stderr.strip())
    return _document(f"<output>{escape(reply.stdout.strip())}</output>")


def host_uuid(world: World, host: str) -> str:
    return world.name("peer", world.nodes[host].number)


def called(world: World, host: str, peer: str) -> str:
    return world.nodes[host].pool.called.get(peer, peer)


def peers_xml(world: World, host: str) -> str:
    rows = []
    for peer in world.nodes[host].pool.peers:
        names = f"<hostname>{called(world, host, peer)}</hostname>"
        rows.append(
            f"<peer><uuid>{host_uuid(world, peer)}</uuid>{names}<hostnames>{names}</hostnames>"
            f"<connected>{int(connected(world, host, peer))}</connected><state>3</state>"
            "<stateStr>Peer in Cluster</stateStr></peer>"
        )
    return _document(f"<peerStatus>{''.join(rows)}</peerStatus>")


def peers_text(world: World, host: str) -> str:
    peers = world.nodes[host].pool.peers
    text = f"Number of Peers: {len(peers)}\n"
    for peer in peers:
        word = "Connected" if connected(world, host, peer) else "Disconnected"
        text += f"\nHostname: {called(world, host, peer)}\nUuid: {host_uuid(world, peer)}\n"
        text += f"State: Peer in Cluster ({word})\n"
    return text


def pool_text(world: World, host: str) -> str:
    rows = ["UUID\t\t\t\t\tHostname\tState"]
    for peer in (*world.nodes[host].pool.peers, host):
        word = "Connected" if connected(world, host, peer) else "Disconnected"
        name = "localhost" if peer == host else called(world, host, peer)
        rows.append(f"{host_uuid(world, peer)}\t{name}\t{word} ")
    return "\n".join(rows) + "\n"


def _arbiter(volume: Volume, index: int) -> bool:
    return bool(volume.arbiters) and index % volume.replica == volume.replica - 1


def info_xml(world: World, volumes: Sequence[Volume]) -> str:
    body = "".join(_info_one(world, volume) for volume in volumes)
    return _document(f"<volInfo><volumes>{body}<count>{len(volumes)}</count></volumes></volInfo>")


def _info_one(world: World, volume: Volume) -> str:
    bricks = "".join(
        f'<brick uuid="{host_uuid(world, host)}">{host}:{path}<name>{host}:{path}</name>'
        f"<hostUuid>{host_uuid(world, host)}</hostUuid>"
        f"<isArbiter>{int(_arbiter(volume, index))}</isArbiter></brick>"
        for index, (host, path) in enumerate(volume.bricks)
    )
    state = "<status>1</status><statusStr>Started</statusStr>"
    if not volume.started:
        state = "<status>0</status><statusStr>Created</statusStr>"
    return (
        f"<volume><name>{volume.name}</name><id>{world.name('volume', volume.number)}</id>{state}"
        f"<snapshotCount>0</snapshotCount><brickCount>{len(volume.bricks)}</brickCount>"
        f"<distCount>1</distCount><replicaCount>{volume.replica}</replicaCount>"
        f"<arbiterCount>{volume.arbiters}</arbiterCount><type>2</type><typeStr>Replicate</typeStr>"
        f"<transport>0</transport><bricks>{bricks}</bricks><optCount>0</optCount></volume>"
    )


def info_text(world: World, volumes: Sequence[Volume]) -> str:
    return "".join(_info_words(world, volume) for volume in volumes) or "No volumes present\n"


def _info_words(world: World, volume: Volume) -> str:
    data = len(volume.bricks) - volume.arbiters
    shape = f"1 x ({data} + {volume.arbiters})" if volume.arbiters else f"1 x {data}"
    rows = [
        " ",
        f"Volume Name: {volume.name}",
        "Type: Replicate",
        f"Volume ID: {world.name('volume', volume.number)}",
        f"Status: {'Started' if volume.started else 'Created'}",
        "Snapshot Count: 0",
        f"Number of Bricks: {shape} = {len(volume.bricks)}",
        "Transport-type: tcp",
        "Bricks:",
    ]
    for index, (host, path) in enumerate(volume.bricks):
        mark = " (arbiter)" if _arbiter(volume, index) else ""
        rows.append(f"Brick{index + 1}: {host}:{path}{mark}")
    return "\n".join(rows) + "\n"


def _answering(world: World, host: str, volume: Volume) -> Iterable[tuple[str, str, bool]]:
    """Host, path and whether its brick runs; a daemon that does not answer is left out."""
    for peer, path in volume.bricks:
        if peer == host or connected(world, host, peer):
            yield peer, path, volume.name in world.nodes[peer].bricks


def status_xml(world: World, host: str, volumes: Sequence[Volume], *, daemons: bool = False) -> str:
    """`daemons`: with the self-heal daemons, which `detail` leaves out."""
    body = "".join(_status_one(world, host, volume, daemons) for volume in volumes)
    return _document(f"<volStatus><volumes>{body}</volumes></volStatus>")


def _status_one(world: World, host: str, volume: Volume, daemons: bool) -> str:
    rows = ""
    for peer, path, online in _answering(world, host, volume):
        port = "49152" if online else "N/A"
        rows += (
            f"<node><hostname>{peer}</hostname><path>{path}</path>"
            f"<peerid>{host_uuid(world, peer)}</peerid><status>{int(online)}</status>"
            f"<port>{port}</port><ports><tcp>{port}</tcp><rdma>N/A</rdma></ports>"
            f"<pid>{'90000003' if online else '-1'}</pid></node>"
        )
    for peer, _, _ in _answering(world, host, volume) if daemons else ():
        path = "localhost" if peer == host else peer
        rows += (
            f"<node><hostname>Self-heal Daemon</hostname><path>{path}</path>"
            f"<peerid>{host_uuid(world, peer)}</peerid><status>1</status><port>N/A</port>"
            "<ports><tcp>N/A</tcp><rdma>N/A</rdma></ports><pid>90000004</pid></node>"
        )
    count = rows.count("<node>")
    head = f"<volName>{volume.name}</volName><nodeCount>{count}</nodeCount>"
    return f"<volume>{head}{rows}<tasks/></volume>"


def status_text(world: World, host: str, volumes: Sequence[Volume]) -> str:
    text = ""
    for volume in volumes:
        text += f"Status of volume: {volume.name}\n"
        for peer, path, online in _answering(world, host, volume):
            text += "-" * 78 + f"\nBrick                : Brick {peer}:{path}\n"
            text += f"TCP Port             : {'49152' if online else 'N/A'}\n"
            text += f"Online               : {'Y' if online else 'N'}\n"
    return text


def heal_xml(world: World, host: str, volume: Volume) -> str:
    """`heal info summary`; of a brick that does not answer the counts are glued into the state."""
    rows = ""
    for peer, path in volume.bricks:
        waiting = _waiting(world, host, volume, peer)
        name = f"<name>{peer}:{path}</name>"
        if waiting is None:
            why = f"Failed to process entries completely. ({_GONE})totalNumberOfEntries0"
            rows += f'<brick hostUuid="-">{name}<status>{why}</status></brick>'
            continue
        rows += (
            f'<brick hostUuid="{host_uuid(world, peer)}">{name}<status>Connected</status>'
            f"<totalNumberOfEntries>{waiting}</totalNumberOfEntries>"
            f"<numberOfEntriesInHealPending>{waiting}</numberOfEntriesInHealPending>"
            "<numberOfEntriesInSplitBrain>0</numberOfEntriesInSplitBrain>"
            "<numberOfEntriesPossiblyHealing>0</numberOfEntriesPossiblyHealing></brick>"
        )
    body = f"<healInfo><bricks>{rows}</bricks></healInfo>"
    return f"{_HEAD}<cliOutput>{body}<opRet>0</opRet><opErrno>0</opErrno><opErrstr/></cliOutput>\n"


def _waiting(world: World, host: str, volume: Volume, peer: str) -> int | None:
    return pending(world, volume, peer) if world.reach(host, peer) else None


def heal_text(world: World, host: str, volume: Volume) -> str:
    text = ""
    for peer, path in volume.bricks:
        waiting = _waiting(world, host, volume, peer)
        state = f"Status: {_GONE}" if waiting is None else "Status: Connected"
        count = "-" if waiting is None else waiting
        text += f"Brick {peer}:{path}\n{state}\nNumber of entries: {count}\n\n"
    return text
