"""Everything known of one server, in groups: each fact with its words, where it was read, and when.

A row without words is unknown, and says why, with what the server answered instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Row:
    """`command` is what was asked on the server. `read_at` in seconds since the epoch."""

    label: Text
    command: str
    read_at: float
    words: Words = ()
    unknown: Unknown | None = None


@dataclass(frozen=True)
class Group:
    title: Text
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class _Question:
    label: Text
    fact: str
    command: str
    tell: Callable[[Any], Words]
    beat: str = "beat"  # of nodes.domain.observation.GROUPS


def sheet(node: NodeFacts) -> list[Group]:
    return [
        Group(title, tuple(_row(node, question) for question in questions))
        for title, questions in _GROUPS
    ]


def _row(node: NodeFacts, question: _Question) -> Row:
    value = getattr(node, question.fact)
    read_at = node.group_read_at(question.beat)
    if isinstance(value, Unknown):
        return Row(question.label, question.command, read_at, unknown=value)
    told = _disks(node) if question.fact == "disk_free" else question.tell(value)
    return Row(question.label, question.command, read_at, told or (say("none"),))


def _plain(value: object) -> Words:
    return (_text(value),)


def _text(value: object) -> Text:
    return say("%(value)s", value=value)


def _pair(name: object, value: object) -> Text:
    return say("%(name)s: %(value)s", name=name, value=value)


def _yes_no(value: bool) -> Words:
    return (say("yes") if value else say("no"),)


def _pairs(values: Mapping[str, Any]) -> Words:
    return tuple(_pair(name, value) for name, value in values.items())


def _size(count: float) -> str:
    """Bytes as a person reads them; the units are the same in all languages of the panel."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _sizes(values: Mapping[str, int]) -> Words:
    return tuple(_pair(name, _size(value)) for name, value in values.items())


def _seconds(value: float) -> Words:
    return (say("%(seconds)s s", seconds=f"{value:+.3f}"),)


def _up(value: float) -> Words:
    hours, minutes = divmod(int(value // 60), 60)
    days, hours = divmod(hours, 24)
    return (say("%(days)s d %(hours)s h %(minutes)s min", days=days, hours=hours, minutes=minutes),)


def _disks(node: NodeFacts) -> Words:
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


def _galera(facts: GaleraFacts) -> Words:
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


def _grastate(facts: Grastate) -> Words:
    if not facts.present:
        return (say("There is no such file."),)
    return (
        _pair("uuid", facts.uuid),
        _pair("seqno", -1 if facts.seqno is None else facts.seqno),
        _pair("safe_to_bootstrap", _flag(facts.safe_to_bootstrap)),
    )


def _flag(value: bool | None) -> object:
    return say("not in the file") if value is None else int(value)


def _transfer(facts: Transfer | None) -> Words:
    if facts is None:
        return ()
    told = [_text(f"{facts.kind} {facts.role} {facts.method}".strip())]
    if facts.peer:
        told.append(say("with %(peer)s", peer=facts.peer))
    if facts.bytes is not None:
        told.append(say("data directory: %(size)s", size=_size(facts.bytes)))
    return tuple(told)


def _marker(value: str) -> Words:
    return (_text(value),) if value else ()


def _peers(peers: tuple[Any, ...]) -> Words:
    return tuple(
        say(
            "%(host)s: %(state)s, %(connected)s",
            host=peer.hostname,
            state=peer.state_text,
            connected=say("connected") if peer.connected else say("disconnected"),
        )
        for peer in peers
    )


def _volumes(volumes: tuple[GlusterVolume, ...]) -> Words:
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


def _mount(facts: MountFacts) -> Words:
    if not facts.mounted:
        return (say("not mounted; the directory is there") if facts.exists else say("not mounted"),)
    answers = say("a file was written and read") if facts.answers else say("it does not answer")
    told = (say("%(type)s from %(source)s", type=facts.fstype, source=facts.source), answers)
    return (*told, _text(facts.why)) if facts.why else told


def _env(facts: EnvFacts) -> Words:
    if not facts.present:
        return (say("There is no such file."),)
    keys = tuple(
        _pair(key, say("not in the file") if value is None else value)
        for key, value in facts.keys.items()
    )
    return (*keys, _pair("sha256", facts.sha256))


def _scripts(values: Mapping[str, bool]) -> Words:
    return tuple(
        _pair(name, say("readable") if there else say("missing")) for name, there in values.items()
    )


def _page(facts: PageFacts) -> Words:
    if not facts.url:
        return (say("not asked: no address is set"),)
    told = say("HTTP %(code)s", code=facts.code) if facts.code else _text(facts.why)
    return (_text(facts.url), told)


_GROUPS: tuple[tuple[Text, tuple[_Question, ...]], ...] = (
    (
        say("Server"),
        (
            _Question(say("Answers SSH"), "ssh", "ssh", _yes_no),
            _Question(say("Signed in as root"), "is_root", "id -u", _yes_no),
            _Question(say("Name"), "hostname", "hostname", _plain),
            _Question(
                say("Addresses"),
                "addresses",
                "hostname -I",
                lambda found: tuple(map(_text, found)),
                "slow",
            ),
            _Question(say("Boot"), "boot_id", "cat /proc/sys/kernel/random/boot_id", _plain),
            _Question(say("Uptime"), "uptime_s", "cat /proc/uptime", _up),
            _Question(say("Load of one minute"), "load1", "cat /proc/loadavg", _plain),
            _Question(say("Memory"), "memory", "cat /proc/meminfo", _sizes),
            _Question(say("Disks"), "disk_free", "df -P -B1", _plain),
            _Question(say("Clock, less the panel's"), "clock_offset_s", "date +%s.%N", _seconds),
            _Question(say("Units"), "units", "systemctl show", _pairs),
            _Question(say("Versions"), "versions", "mariadbd --version …", _pairs, "slow"),
        ),
    ),
    (
        say("Database"),
        (
            _Question(say("Process runs"), "mysqld_running", "cat /proc/*/comm", _yes_no),
            _Question(say("Galera"), "galera", "SHOW GLOBAL STATUS LIKE 'wsrep\\_%'", _galera),
            _Question(say("Position on disk"), "grastate", "cat grastate.dat", _grastate),
            _Question(say("State transfer"), "transfer", "cat /proc/*/cmdline; du", _transfer),
            _Question(
                say("Would start a new cluster"),
                "bootstrap_marker",
                "systemctl show-environment; ls /run/*wsrep-new-cluster",
                _marker,
            ),
            _Question(
                say("Databases and their tables"),
                "databases",
                "SELECT … FROM information_schema.tables",
                _pairs,
                "slow",
            ),
        ),
    ),
    (
        say("Storage"),
        (
            _Question(
                say("Gluster peers"), "gluster_peers", "gluster peer status", _peers, "gluster"
            ),
            _Question(
                say("Volumes and bricks"),
                "gluster_volumes",
                "gluster volume info; gluster volume status; gluster volume heal … info summary",
                _volumes,
                "gluster",
            ),
            _Question(say("Storage directory"), "mount", "cat /proc/self/mounts", _mount),
        ),
    ),
    (
        say("dpiui2"),
        (
            _Question(say("Settings in .env"), "env", "grep …_HOST .env; sha256sum .env", _env),
            _Question(say("Scripts"), "scripts", "ls app_bash", _scripts),
            _Question(say("Its own page"), "page", "curl", _page, "slow"),
        ),
    ),
)
