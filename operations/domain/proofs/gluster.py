"""GlusterFS effects: daemon, peers, volume. The mount has a file of its own.

The gluster command line can exit with 0 and still have failed: `opRet` in its XML decides, and
`LC_ALL=C` keeps its words English. `volume status` leaves out bricks of hosts that are down, so
its rows are joined to the bricks that `volume info` names.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

from nodes.domain.gluster_xml import document
from nodes.domain.text import Text, say
from operations.domain.proofs.base import (
    Answer,
    Args,
    Holds,
    NotYet,
    Outputs,
    Probe,
    ProofKind,
    Verdict,
    first_line,
    heard,
)

_DAEMON = r"""
export LC_ALL=C
if command -v systemctl > /dev/null; then exec systemctl is-active glusterd; fi
pidof glusterd > /dev/null && echo active
"""
_PEERS = "export LC_ALL=C\nexec gluster --mode=script peer status --xml < /dev/null\n"
_CUT = "<!-- cut -->"
_VOLUMES = f"""
export LC_ALL=C
gluster --mode=script volume info --xml < /dev/null
echo '{_CUT}'
gluster --mode=script volume status all detail --xml < /dev/null
"""


@dataclass(frozen=True)
class _Volume:
    name: str
    started: bool
    replica: int
    arbiters: int
    bricks: tuple[str, ...]


def _daemon_sentence(args: Args) -> Text:
    return say("glusterd is active on %(node)s", node=args[0])


def _daemon_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], _DAEMON, ()),)


def _daemon_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the node."""
    answer = heard(outputs, args[0])
    if isinstance(answer, NotYet):
        return answer
    state = answer.stdout.decode(errors="replace").strip()
    if state != "active":
        return NotYet(
            say("%(node)s: glusterd is %(state)s.", node=args[0], state=state or "inactive")
        )
    return Holds({"node": args[0]}, say("glusterd is active on %(node)s.", node=args[0]))


def _peers_sentence(args: Args) -> Text:
    return say("each of %(nodes)s sees every other one connected", nodes=", ".join(args))


def _peers_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return tuple(Probe(host, _PEERS, ()) for host in args)


def _peers_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: every GlusterFS node."""
    for host in args:
        answer = heard(outputs, host)
        if isinstance(answer, NotYet):
            return answer
        if fault := _peer_fault(host, len(args) - 1, answer):
            return NotYet(fault)
    sentence = say("Each of %(nodes)s sees all its peers connected.", nodes=", ".join(args))
    return Holds({"nodes": list(args)}, sentence)


def _peer_fault(host: str, expected: int, answer: Answer) -> Text | None:
    root = _xml(answer.stdout)
    if root is None:
        return say("%(node)s: gluster did not answer: %(why)s.", node=host, why=first_line(answer))
    peers = root.findall("./peerStatus/peer")
    for peer in peers:
        if peer.findtext("connected") != "1" or peer.findtext("state") != "3":
            return say(
                "%(node)s sees %(peer)s as “%(state)s”, connected: %(connected)s.",
                node=host,
                peer=peer.findtext("hostname") or "?",
                state=peer.findtext("stateStr") or "?",
                connected="yes" if peer.findtext("connected") == "1" else "no",
            )
    if len(peers) != expected:
        return say(
            "%(node)s sees %(found)s peers, expected %(expected)s.",
            node=host,
            found=len(peers),
            expected=expected,
        )
    return None


def _volume_sentence(args: Args) -> Text:
    return say("a volume with replica 3 or an arbiter is started and all its bricks are up")


def _volume_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], _VOLUMES, ()),)


def _volume_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the node that is asked."""
    node = args[0]
    answer = heard(outputs, node)
    if isinstance(answer, NotYet):
        return answer
    info, _, status = answer.stdout.partition(_CUT.encode())
    volumes = _volumes(info)
    if volumes is None:
        return NotYet(
            say("%(node)s: gluster did not answer: %(why)s.", node=node, why=first_line(answer))
        )
    if not volumes:
        return NotYet(say("%(node)s knows no volume.", node=node))
    online = _online_bricks(status)
    faults = [(volume, _volume_fault(volume, online)) for volume in volumes]
    for volume, fault in faults:
        if fault is None:
            return _well(volume)
    return NotYet(faults[0][1] or say("%(node)s knows no volume.", node=node))


def _volume_fault(volume: _Volume, online: frozenset[str]) -> Text | None:
    if not volume.started:
        return say("The volume %(name)s is not started.", name=volume.name)
    if volume.replica < 3 and not volume.arbiters:
        return say(
            "The volume %(name)s has replica %(found)s; 3 or an arbiter is required.",
            name=volume.name,
            found=volume.replica,
        )
    if down := [brick for brick in volume.bricks if brick not in online]:
        return say(
            "The volume %(name)s: these bricks are not online: %(bricks)s.",
            name=volume.name,
            bricks=", ".join(down),
        )
    return None


def _well(volume: _Volume) -> Holds:
    evidence = {"volume": volume.name, "replica": volume.replica, "bricks": list(volume.bricks)}
    sentence = say(
        "The volume %(name)s is started with replica %(replica)s, all %(count)s bricks are online.",
        name=volume.name,
        replica=volume.replica,
        count=len(volume.bricks),
    )
    return Holds(evidence, sentence)


def _volumes(data: bytes) -> tuple[_Volume, ...] | None:
    root = _xml(data)
    if root is None:
        return None
    return tuple(_volume(element) for element in root.findall("./volInfo/volumes/volume"))


def _volume(element: ElementTree.Element) -> _Volume:
    names = (brick.findtext("name") or "" for brick in element.findall("./bricks/brick"))
    return _Volume(
        element.findtext("name") or "?",
        element.findtext("status") == "1",
        _count(element, "replicaCount"),
        _count(element, "arbiterCount"),
        tuple(names),
    )


def _count(element: ElementTree.Element, name: str) -> int:
    text = element.findtext(name) or ""
    return int(text) if text.isdigit() else 0


def _online_bricks(data: bytes) -> frozenset[str]:
    root = _xml(data)
    rows = [] if root is None else root.findall("./volStatus/volumes/volume/node")
    return frozenset(
        f"{row.findtext('hostname')}:{row.findtext('path')}"
        for row in rows
        if row.findtext("status") == "1"
    )


def _xml(data: bytes) -> ElementTree.Element | None:
    """The answer of the gluster command line, or None when it is none or says that it failed."""
    text = data.decode(errors="replace")
    try:
        root = document(text[max(text.find("<"), 0) :])
    except ElementTree.ParseError:
        return None
    return root if root.findtext("opRet") == "0" else None


GLUSTERD_ACTIVE = ProofKind(_daemon_sentence, _daemon_probes, _daemon_judge)
PEERS_CONNECTED = ProofKind(_peers_sentence, _peers_probes, _peers_judge)
VOLUME_WELL = ProofKind(_volume_sentence, _volume_probes, _volume_judge, probe_timeout_s=150)
