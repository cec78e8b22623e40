"""One server of the dashboard: what was read, what is not known, and why.

A card has two fixed lines, one for each layer; `lines` has every line behind them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nodes.domain import tally
from nodes.domain.numbers import sample_of
from nodes.domain.observation import (
    NOT_ASKED,
    ClusterFacts,
    GaleraFacts,
    MountFacts,
    NodeFacts,
    PageFacts,
    Unknown,
)
from nodes.domain.parse_system import NO_PAGE
from nodes.domain.peers import PeerSettings
from nodes.domain.text import Text, say
from nodes.domain.view import Member

NOT_OBSERVED = Unknown(say("This server was not asked yet."))
_ORDER = ("failed", "unknown", "attention", "working", "waiting", "ok")
SSH, GALERA, GLUSTER = say("SSH"), say("Galera"), say("GlusterFS")
PEERS, BRICK, MOUNT = say("Gluster peers"), say("Brick"), say("Storage")
PAGE = say("dpiui2")
STORAGE = (PEERS, BRICK, MOUNT)
_LINKS = ("http://", "https://")  # what a browser may be sent to
_GALERA_WORKING = {1: say("Joining"), 2: say("Donor"), 3: say("Joined, catching up")}


@dataclass(frozen=True)
class Line:
    """`state` is the name of a tone; `why` explains a value that is not plainly well."""

    label: Text
    state: str
    word: Text
    why: Text | None = None


@dataclass(frozen=True)
class Card:
    """`lines` is everything; `fixed` one line for each layer the server belongs to; `page` the line
    of dpiui2's own page, None: nobody asks for it, with its address in `page_url`, "" when that is
    nothing a browser may be sent to. `queue`: changes that waited to be applied, by moment (seconds
    since the epoch), oldest first."""

    host: str
    primary: bool
    name: str  # what the server calls itself, "" when unknown
    lines: tuple[Line, ...]
    fixed: tuple[Line, ...]
    page: Line | None
    page_url: str
    disk_free: int | None
    disk_size: int | None
    uptime_s: float | None
    queue_now: float | None
    queue: tuple[tuple[float, float | None], ...]

    @property
    def state(self) -> str:
        """The state of the worst line that is shown: the colour of the card's head."""
        return worst([*self.fixed, *([self.page] if self.page else [])]).state

    @property
    def replicates(self) -> bool:
        """Whether the server is, or should be, in the database cluster: else it has no queue."""
        return any(line.label == GALERA and line.state != "waiting" for line in self.fixed)

    @property
    def used_percent(self) -> int | None:
        if not self.disk_size or self.disk_free is None:
            return None
        return round(100 * (self.disk_size - self.disk_free) / self.disk_size)

    @property
    def disk_state(self) -> str:
        used = self.used_percent
        if used is None:
            return "unknown"
        return "failed" if used >= 95 else "attention" if used >= 85 else "ok"


def worst(lines: Sequence[Line]) -> Line:
    return min(lines, key=lambda line: _ORDER.index(line.state))


def cards(settings: PeerSettings, facts: ClusterFacts | None) -> list[Card]:
    """In the order of the peer lists, whatever order the facts came in."""
    return [_card(host, settings, facts) for host in settings.hosts]


def _card(host: str, settings: PeerSettings, facts: ClusterFacts | None) -> Card:
    node = tally.node_of(facts, host)
    free, size = _disk(node)
    lines = tuple(_lines(host, node, settings, facts))
    samples = facts.samples.get(host, ()) if facts else ()
    return Card(
        host=host,
        primary=host == settings.cluster_primary_host,
        name=node.hostname if node and isinstance(node.hostname, str) else "",
        lines=_told_once(lines),
        fixed=_told_once(_fixed(lines)),
        page=next((line for line in lines if line.label == PAGE), None),
        page_url=_page_url(node),
        disk_free=free,
        disk_size=size,
        uptime_s=node.uptime_s if node and isinstance(node.uptime_s, float) else None,
        queue_now=sample_of(node).recv_queue if node else None,
        queue=tuple((sample.at, sample.recv_queue) for sample in samples),
    )


def _fixed(lines: Sequence[Line]) -> Iterable[Line]:
    """The database as it is; of the storage what is worst, or that all of it is well."""
    yield from (line for line in lines if line.label == GALERA)
    storage = [line for line in lines if line.label in STORAGE]
    if storage:
        told = worst(storage) if worst(storage).state != "ok" else _line(storage, BRICK)
        yield replace(told, label=GLUSTER, word=_named(told))


def _line(lines: Sequence[Line], label: Text) -> Line:
    return next(line for line in lines if line.label == label)


def _named(line: Line) -> Text:
    if line.state == "unknown":
        return line.word
    return say("%(part)s: %(state)s", part=line.label, state=line.word)


def _page_url(node: NodeFacts | None) -> str:
    url = node.page.url if node and isinstance(node.page, PageFacts) else ""
    return url if url.startswith(_LINKS) else ""


def _told_once(lines: Iterable[Line]) -> tuple[Line, ...]:
    """A server that did not answer has the same reason in every line: the first one says it."""
    told: list[Text | None] = [None]
    kept = []
    for line in lines:
        kept.append(replace(line, why=None) if line.why in told else line)
        told.append(line.why)
    return tuple(kept)


def _lines(
    host: str, node: NodeFacts | None, settings: PeerSettings, facts: ClusterFacts | None
) -> Iterable[Line]:
    yield _ssh(node)
    if host in settings.galera_peer_hosts:
        yield _galera(node, len(settings.galera_peer_hosts))
    if host in settings.cluster_fs_peer_hosts:
        yield _peers(node, len(settings.cluster_fs_peer_hosts))
        yield _brick(host, facts)
        yield _mount(node)
    # A server that is away says so once; whether a page is wanted of it is not known then.
    if node and node.page not in (NO_PAGE, NOT_ASKED, node.ssh):
        yield _page(node.page)


def _page(page: PageFacts | Unknown) -> Line:
    label = PAGE
    if isinstance(page, Unknown):
        return _unknown(label, page)
    if page.answers:
        return Line(label, "ok", say("Answers"))
    why = say("HTTP %(code)s", code=page.code) if page.code else say("%(why)s", why=page.why)
    return Line(label, "failed", say("Does not answer"), why)


def _unknown(label: Text, fact: Unknown) -> Line:
    return Line(label, "unknown", say("Unknown"), fact.why)


def _ssh(node: NodeFacts | None) -> Line:
    label = SSH
    answer = node.ssh if node else NOT_OBSERVED
    if isinstance(answer, Unknown):
        return Line(label, "unknown", say("No answer"), answer.why)
    return Line(label, "ok", say("Answers"))


def _galera(node: NodeFacts | None, wanted: int) -> Line:
    label = GALERA
    galera = node.galera if node else NOT_OBSERVED
    if node and node.mysqld_running is False:
        return Line(label, "failed", say("Stopped"), say("MariaDB does not run on this server."))
    if isinstance(galera, Unknown):
        starting = node is not None and Member(node).starting
        return _starting(label, galera) if starting else _unknown(label, galera)
    if not galera.wsrep_on:
        return Line(label, "waiting", say("Not in a cluster"))
    if galera.cluster_status != "Primary":
        why = say("The server takes no reads or writes: its part of the cluster has no quorum.")
        return Line(label, "failed", say("%(status)s", status=galera.cluster_status), why)
    return _in_primary(label, galera, wanted)


def _starting(label: Text, galera: Unknown) -> Line:
    """It does not answer SQL yet, and that is as it should be: it joins."""
    return Line(label, "working", say("Joining"), galera.why)


def _in_primary(label: Text, galera: GaleraFacts, wanted: int) -> Line:
    if not galera.synced:
        known = _GALERA_WORKING.get(galera.local_state)
        shown = known or say("%(state)s", state=galera.local_state_comment)
        return Line(label, "working" if known else "attention", shown)
    size = say("Synced, %(found)s of %(wanted)s", found=galera.cluster_size, wanted=wanted)
    return Line(label, "ok" if galera.cluster_size == wanted else "attention", size)


def _peers(node: NodeFacts | None, wanted: int) -> Line:
    label = PEERS
    peers = node.gluster_peers if node else NOT_OBSERVED
    if isinstance(peers, Unknown):
        return _unknown(label, peers)
    if not peers:
        return Line(label, "waiting", say("None yet"))
    well = sum(peer.well for peer in peers)
    bad = [
        f"{peer.hostname}: {peer.state_text if peer.connected else 'disconnected'}"
        for peer in peers
        if not peer.well
    ]
    word = say("%(well)s of %(wanted)s connected", well=well, wanted=wanted - 1)
    why = say("%(peers)s", peers=", ".join(bad)) if bad else None
    return Line(label, "ok" if well >= wanted - 1 and not bad else "attention", word, why)


def _brick(host: str, facts: ClusterFacts | None) -> Line:
    label = BRICK
    volumes = tally.known_volumes(facts)
    if volumes is None:
        return _unknown(label, Unknown(say("No server could say how the volume is.")))
    bricks = tally.bricks_of(host, volumes)
    if not bricks:
        return Line(label, "waiting", say("None yet"))
    if any(brick.online is None for brick in bricks):
        return _unknown(label, Unknown(say("The server that has this brick did not answer.")))
    if not all(brick.online for brick in bricks):
        return Line(label, "failed", say("Down"))
    return _heal(label, [brick.heal_pending for brick in bricks])


def _heal(label: Text, pending: list[int | None]) -> Line:
    if any(count is None for count in pending):
        return Line(label, "ok", say("Up, heal not read"))
    waiting = sum(count or 0 for count in pending)
    word = say("Up, heal %(count)s", count=waiting)
    return Line(label, "working" if waiting else "ok", word)


def _mount(node: NodeFacts | None) -> Line:
    label = MOUNT
    mount = node.mount if node else NOT_OBSERVED
    if isinstance(mount, Unknown):
        return _unknown(label, mount)
    if not mount.mounted:
        return _not_mounted(label, node)
    if mount.fstype != "fuse.glusterfs":
        why = say("%(fstype)s is mounted there, not GlusterFS.", fstype=mount.fstype)
        return Line(label, "failed", say("Not GlusterFS"), why)
    return _mounted(label, mount)


def _mounted(label: Text, mount: MountFacts) -> Line:
    if mount.answers:
        return Line(label, "ok", say("Mounted"))
    why = say("It is mounted, but a file could not be written and read in time.")
    return Line(label, "failed", say("Does not answer"), why)


def _not_mounted(label: Text, node: NodeFacts | None) -> Line:
    """A plain directory is harmless before GlusterFS exists and silent divergence after it."""
    volumes = node.gluster_volumes if node else ()
    if isinstance(volumes, Unknown) or not volumes:
        return Line(label, "waiting", say("Not mounted"))
    why = say("dpiui2 writes to this server's own disk: its files are not replicated.")
    return Line(label, "failed", say("Not mounted"), why)


def _disk(node: NodeFacts | None) -> tuple[int | None, int | None]:
    """Free and total bytes of the fullest path that was read."""
    if node is None or isinstance(node.disk_free, Unknown) or not node.disk_free:
        return None, None
    sizes = node.extra.get("disk_total")
    if not isinstance(sizes, dict):
        return min(node.disk_free.values()), None
    known = [(node.disk_free[path], sizes[path]) for path in node.disk_free if sizes.get(path)]
    return min(known, key=lambda pair: pair[0] / pair[1]) if known else (None, None)
