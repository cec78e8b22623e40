"""Reads `gluster --xml`. Success is `opRet` 0; the exit code proves nothing.

What is missing is not "no": a brick of a server that is down is absent from `volume status`, and
"-" in place of a number means that nobody could say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from nodes.domain.gluster_xml import document
from nodes.domain.observation import GlusterBrick, GlusterPeer, GlusterVolume, Unknown
from nodes.domain.parse_sections import Section, refused, total
from nodes.domain.text import say

NOT_RUNNING = Unknown(say("glusterd does not run, so it could not be asked."))
STARTED = 1


def _answer(section: Section) -> Element | Unknown:
    """The XML document, or Unknown with glusterd's own words. Warnings may stand before it."""
    start = section.text.find("<?xml")
    start = start if start >= 0 else section.text.find("<cliOutput")
    if start < 0:
        return refused(section)
    root = document(section.text[start:])
    if _text(root, "opRet") != "0":
        return refused(Section(_text(root, "opErrstr") or section.text, section.exit_code))
    return root


def _text(element: Element, path: str, default: str = "") -> str:
    return (element.findtext(path) or default).strip()


@total
def peers(section: Section) -> tuple[GlusterPeer, ...] | Unknown:
    """`peer status`: the other servers as this one sees them; itself is not among them."""
    root = _answer(section)
    if isinstance(root, Unknown):
        return root
    return tuple(
        GlusterPeer(
            uuid=_text(peer, "uuid"),
            hostname=_text(peer, "hostname"),
            connected=_text(peer, "connected") == "1",
            state=int(_text(peer, "state", "-1")),
            state_text=_text(peer, "stateStr"),
        )
        for peer in root.iter("peer")
    )


@total
def volumes(section: Section) -> tuple[GlusterVolume, ...] | Unknown:
    """`volume info`: what glusterd has on record; not whether bricks run, so `online` is None."""
    root = _answer(section)
    if isinstance(root, Unknown):
        return root
    return tuple(_volume(volume) for volume in root.iter("volume"))


def _volume(volume: Element) -> GlusterVolume:
    return GlusterVolume(
        name=_text(volume, "name"),
        started=int(_text(volume, "status")) == STARTED,
        replica=int(_text(volume, "replicaCount", "1")),
        arbiters=int(_text(volume, "arbiterCount", "0")),
        bricks=tuple(_brick(brick) for brick in volume.iter("brick")),
    )


def _brick(brick: Element) -> GlusterBrick:
    return GlusterBrick(
        name=_text(brick, "name") or (brick.text or "").strip(),
        host_uuid=_text(brick, "hostUuid"),
        arbiter=_text(brick, "isArbiter") == "1",
        online=None,
    )


@total
def brick_status(section: Section) -> Mapping[str, bool] | Unknown:
    """`volume status`: brick name to "its process runs"; what nobody reported is missing."""
    root = _answer(section)
    if isinstance(root, Unknown):
        return root
    nodes = [node for node in root.iter("node") if _text(node, "path").startswith("/")]
    return {
        f"{_text(node, 'hostname')}:{_text(node, 'path')}": _text(node, "status") == "1"
        for node in nodes
    }


@dataclass(frozen=True)
class HealCount:
    """Entries that wait for healing, and those of them in split brain. None: nobody could say."""

    pending: int | None = None
    split_brain: int | None = None


@total
def heal(section: Section) -> Mapping[str, HealCount] | Unknown:
    """`heal info summary`: brick name to its counts.

    With an offline brick the count elements are absent or "-", never 0.
    """
    root = _answer(section)
    if isinstance(root, Unknown):
        return root
    return {_text(brick, "name"): _counts(brick) for brick in root.iter("brick")}


def _counts(brick: Element) -> HealCount:
    return HealCount(
        _count(brick, "totalNumberOfEntries", "numberOfEntries"),
        _count(brick, "numberOfEntriesInSplitBrain"),
    )


def _count(brick: Element, *tags: str) -> int | None:
    told = (_text(brick, tag) for tag in tags)
    return next((int(text) for text in told if text.isdecimal()), None)


@total
def own(section: Section) -> tuple[bool, bool]:
    """Installed, and whether glusterd's files know of any peer or volume."""
    if section.text.strip() == "not installed":
        return False, False
    names = [line for line in section.lines if not line.endswith(":")]
    return True, bool(names)


def with_bricks(
    volume: GlusterVolume, online: Mapping[str, bool], backlog: Mapping[str, HealCount]
) -> GlusterVolume:
    """The volume with what its bricks were found to do."""
    nobody = HealCount()
    return replace(
        volume,
        bricks=tuple(
            replace(
                brick,
                online=online.get(brick.name),
                heal_pending=backlog.get(brick.name, nobody).pending,
                split_brain=backlog.get(brick.name, nobody).split_brain,
            )
            for brick in volume.bricks
        ),
    )
