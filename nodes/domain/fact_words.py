"""Facts in words: what a person reads of each on a server's own page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nodes.domain.observation import (
    EnvFacts,
    GaleraFacts,
    GlusterBrick,
    GlusterVolume,
    Grastate,
    MountFacts,
    NodeFacts,
    PageFacts,
    Transfer,
    Unknown,
)
from nodes.domain.text import Text, say

Words = tuple[Text, ...]


def plain(value: object) -> Words:
    return (text(value),)


def text(value: object) -> Text:
    return say("%(value)s", value=value)


def _pair(name: object, value: object) -> Text:
    return say("%(name)s: %(value)s", name=name, value=value)


def yes_no(value: bool) -> Words:
    return (say("yes") if value else say("no"),)


def pairs(values: Mapping[str, Any]) -> Words:
    return tuple(_pair(name, value) for name, value in values.items())


def _size(count: float) -> str:
    """Bytes as a person reads them; the units are the same in all languages of the panel."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def sizes(values: Mapping[str, int]) -> Words:
    return tuple(_pair(name, _size(value)) for name, value in values.items())


def seconds(value: float) -> Words:
    return (say("%(seconds)s s", seconds=f"{value:+.3f}"),)


def up(value: float) -> Words:
    hours, minutes = divmod(int(value // 60), 60)
    days, hours = divmod(hours, 24)
    return (say("%(days)s d %(hours)s h %(minutes)s min", days=days, hours=hours, minutes=minutes),)


def disks(node: NodeFacts) -> Words:
    total = node.extra.get("disk_total")
    sizes = total if isinstance(total, dict) else {}
    free = {} if isinstance(node.disk_free, Unknown) else node.disk_free
    return tuple(
        say(
            "%(path)s: %(free)s free of %(total)s",
            path=path,
            free=_size(left),
            total=_size(sizes[path]) if sizes.get(path) else "?",
        )
        for path, left in free.items()
    )


def galera(facts: GaleraFacts) -> Words:
    if not facts.wsrep_on:
        return (say("MariaDB stands alone: wsrep is off."),)
    told = (
        _pair("wsrep_cluster_status", facts.cluster_status),
        _pair("wsrep_local_state_comment", facts.local_state_comment),
        _pair("wsrep_cluster_size", facts.cluster_size),
        _pair("wsrep_cluster_state_uuid", facts.cluster_uuid),
        _pair("wsrep_ready", "ON" if facts.ready else "OFF"),
    )
    names = {str(dict(text.params)["name"]) for text in told}
    return told + tuple(_pair(n, v) for n, v in sorted(facts.raw.items()) if n not in names)


def grastate(facts: Grastate) -> Words:
    if not facts.present:
        return (say("There is no such file."),)
    return (
        _pair("uuid", facts.uuid),
        _pair("seqno", -1 if facts.seqno is None else facts.seqno),
        _pair("safe_to_bootstrap", _flag(facts.safe_to_bootstrap)),
    )


def _flag(value: bool | None) -> object:
    return say("not in the file") if value is None else int(value)


def transfer(facts: Transfer | None) -> Words:
    if facts is None:
        return ()
    told = [text(f"{facts.kind} {facts.role} {facts.method}".strip())]
    if facts.peer:
        told.append(say("with %(peer)s", peer=facts.peer))
    if facts.bytes is not None:
        told.append(say("data directory: %(size)s", size=_size(facts.bytes)))
    return tuple(told)


def marker(value: str) -> Words:
    return (text(value),) if value else ()


def peers(peers: tuple[Any, ...]) -> Words:
    return tuple(
        say(
            "%(host)s: %(state)s, %(connected)s",
            host=peer.hostname,
            state=peer.state_text,
            connected=say("connected") if peer.connected else say("disconnected"),
        )
        for peer in peers
    )


def volumes(volumes: tuple[GlusterVolume, ...]) -> Words:
    return tuple(text for volume in volumes for text in _volume(volume))


def _volume(volume: GlusterVolume) -> Iterator[Text]:
    yield say(
        "%(name)s: %(started)s, %(replica)s copies, %(arbiters)s of them arbiters",
        name=volume.name,
        started=say("started") if volume.started else say("stopped"),
        replica=volume.replica,
        arbiters=volume.arbiters,
    )
    yield from (_brick(brick) for brick in volume.bricks)


def _brick(brick: GlusterBrick) -> Text:
    states = {True: say("online"), False: say("down"), None: say("not known")}
    return say(
        "%(brick)s: %(state)s, waiting for healing: %(heal)s, in split brain: %(split)s",
        brick=brick.name,
        state=states[brick.online],
        heal=_count(brick.heal_pending),
        split=_count(brick.split_brain),
    )


def _count(value: int | None) -> object:
    return say("not counted") if value is None else value


def mount(facts: MountFacts) -> Words:
    if not facts.mounted:
        return (say("not mounted; the directory is there") if facts.exists else say("not mounted"),)
    answers = say("a file was written and read") if facts.answers else say("it does not answer")
    told = (say("%(type)s from %(source)s", type=facts.fstype, source=facts.source), answers)
    return (*told, text(facts.why)) if facts.why else told


def env(facts: EnvFacts) -> Words:
    if not facts.present:
        return (say("There is no such file."),)
    keys = tuple(
        _pair(key, say("not in the file") if value is None else value)
        for key, value in facts.keys.items()
    )
    return (*keys, _pair("sha256", facts.sha256))


def scripts(values: Mapping[str, bool]) -> Words:
    return tuple(
        _pair(name, say("readable") if there else say("missing")) for name, there in values.items()
    )


def page(facts: PageFacts) -> Words:
    if not facts.url:
        return (say("not asked: no address is set"),)
    told = say("HTTP %(code)s", code=facts.code) if facts.code else text(facts.why)
    return (text(facts.url), told)
