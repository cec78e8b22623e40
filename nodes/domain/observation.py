"""What was read from the nodes, and when. Unknown is a value of its own (law 9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nodes.domain.text import Text, say


@dataclass(frozen=True)
class Unknown:
    """We could not ask, or did not understand the answer. Never the same as no, down or zero."""

    why: Text
    raw: str = ""
    fix: Text | None = None
    code: str = ""  # of the transport's error, for example "host_key_changed"


NOT_ASKED = Unknown(say("This was not asked yet."))
NO_SEQNO = 18446744073709551615  # 2**64 - 1: how the server prints "no number"


@dataclass(frozen=True)
class GaleraFacts:
    """`SHOW GLOBAL STATUS LIKE 'wsrep\\_%'` of a server that answered SQL.

    `wsrep_on` False means a standalone MariaDB; then the other fields are empty or 0.
    """

    wsrep_on: bool
    cluster_status: str = ""  # Primary, non-Primary, Disconnected
    cluster_size: int = 0
    cluster_uuid: str = ""
    local_state: int = 0  # 4 is Synced
    local_state_comment: str = ""
    ready: bool = False
    raw: Mapping[str, str] = field(default_factory=dict)

    @property
    def synced(self) -> bool:
        return self.ready and self.cluster_status == "Primary" and self.local_state == 4

    @property
    def seqno(self) -> int | None:
        """`wsrep_last_committed`; None when the server has no number."""
        word = self.raw.get("wsrep_last_committed", "")
        return int(word) if word.isdecimal() and int(word) != NO_SEQNO else None


@dataclass(frozen=True)
class SeenPosition:
    """How far a member was when it was seen Synced; `at` seconds since the epoch."""

    uuid: str
    seqno: int
    at: float


@dataclass(frozen=True)
class GlusterPeer:
    uuid: str
    hostname: str
    connected: bool
    state: int  # 3 is "Peer in Cluster"
    state_text: str

    @property
    def well(self) -> bool:
        return self.connected and self.state == 3


@dataclass(frozen=True)
class GlusterBrick:
    """One brick; `online` None when the node that has it did not answer."""

    name: str  # host:/path
    host_uuid: str
    arbiter: bool
    online: bool | None
    heal_pending: int | None = None  # entries that wait for healing from it; None: not counted
    split_brain: int | None = None  # of those, entries whose copies contradict each other


@dataclass(frozen=True)
class GlusterVolume:
    name: str
    started: bool
    replica: int
    arbiters: int
    bricks: tuple[GlusterBrick, ...]

    @property
    def well(self) -> bool:
        return self.started and bool(self.bricks) and all(b.online for b in self.bricks)


@dataclass(frozen=True)
class MountFacts:
    """What stands at `APP/backend/storage/` on this node."""

    mounted: bool
    fstype: str = ""
    source: str = ""
    answers: bool = False  # a timed write and read worked
    exists: bool = False  # a directory is there, mounted or not
    why: str = ""  # what the node said when it did not answer


@dataclass(frozen=True)
class Grastate:
    """`grastate.dat` as it stands. It says where a server was only while the server is stopped.

    `seqno` None: the file says -1, "not known". `safe_to_bootstrap` None: the line is absent,
    which is neither 0 nor 1. `present` False: there is no such file.
    """

    present: bool
    uuid: str = ""
    seqno: int | None = None
    safe_to_bootstrap: bool | None = None


@dataclass(frozen=True)
class EnvFacts:
    """The `.env` of one node: its three keys (None: the key is absent) and its hash.

    `lines`: the number of the line of each key that is there. `changed_at`: the file's own time of
    change, seconds since the epoch by the node's clock; None: not told.
    """

    present: bool
    sha256: str = ""
    keys: Mapping[str, str | None] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    changed_at: float | None = None


@dataclass(frozen=True)
class Transfer:
    """A state transfer that this node takes part in now.

    `kind`: SST (everything) or IST (what was missed). `role`: joiner or donor. `peer`: the other
    side as the server names it, "" unknown. `bytes`: size of this node's data directory without
    galera.cache. IST counts write sets: `current`, from `first` on.
    """

    kind: str
    role: str
    method: str = ""  # rsync, mariabackup…
    peer: str = ""
    bytes: int | None = None
    first: int | None = None
    current: int | None = None


@dataclass(frozen=True)
class PageFacts:
    """Whether dpiui2's own page answers on this node, asked by the node itself.

    `code` is the HTTP status, 0 when nothing came; any status below 500 is an answer.
    """

    url: str
    code: int
    why: str = ""

    @property
    def answers(self) -> bool:
        return 0 < self.code < 500


@dataclass(frozen=True)
class NodeFacts:
    """Everything read from one node. `taken_at` is seconds since the epoch, UTC.

    A node that did not answer has `ssh` Unknown and every other fact Unknown with the same reason.
    Some facts are read on slower beats and are older than `taken_at`: `read_at` has their moments.
    """

    host: str
    taken_at: float
    ssh: bool | Unknown
    is_root: bool | Unknown
    boot_id: str | Unknown
    hostname: str | Unknown
    addresses: tuple[str, ...] | Unknown
    units: (
        Mapping[str, str] | Unknown
    )  # mariadb, mariadb.socket, glusterd -> active, inactive, failed…
    mysqld_running: bool | Unknown
    databases: Mapping[str, int] | Unknown  # name -> tables, system schemas left out
    galera: GaleraFacts | Unknown
    env: EnvFacts | Unknown
    scripts: Mapping[str, bool] | Unknown  # file name -> readable
    gluster_peers: tuple[GlusterPeer, ...] | Unknown
    gluster_volumes: tuple[GlusterVolume, ...] | Unknown
    mount: MountFacts | Unknown
    disk_free: Mapping[str, int] | Unknown  # path -> bytes
    clock_offset_s: float | Unknown = NOT_ASKED  # this server's clock less the panel's
    uptime_s: float | Unknown = NOT_ASKED
    load1: float | Unknown = NOT_ASKED
    memory: Mapping[str, int] | Unknown = NOT_ASKED  # total, available: bytes
    bootstrap_marker: str | Unknown = NOT_ASKED  # what would start a new cluster; "" nothing
    grastate: Grastate | Unknown = NOT_ASKED
    versions: Mapping[str, str] | Unknown = NOT_ASKED  # mariadb, gluster, dpiui2; "" not installed
    transfer: Transfer | Unknown | None = NOT_ASKED  # None: no transfer goes on here
    page: PageFacts | Unknown = NOT_ASKED
    read_at: Mapping[str, float] = field(default_factory=dict)  # group → seconds since the epoch
    extra: Mapping[str, Any] = field(default_factory=dict)

    def group_read_at(self, group: str) -> float:
        """When a group of facts was read: one of GROUPS; `taken_at` where nothing else is known."""
        return self.read_at.get(group, self.taken_at)


# Groups of facts by their beat: what changes (every sweep), what hardly does (versions, databases, the
# bootstrap marker, dpiui2's page), glusterd's view of peers and volumes, and the entries that wait for
# healing. "write" has the moment of the last write to the storage; it is read at every beat.
GROUPS = ("beat", "slow", "gluster", "heal")
SLOW_FACTS = (
    *("hostname", "is_root", "addresses", "databases", "versions", "page"),
    "bootstrap_marker",
)
GLUSTER_FACTS = ("gluster_peers", "gluster_volumes")


@dataclass(frozen=True)
class Sample:
    """A node's numbers at one moment (seconds since the epoch), as they are kept for history.

    None: not known then. `paused_ns` counts up while flow control holds the node back, so two
    samples make a fraction; `transfer_bytes` is the size of a joiner's data directory.
    """

    at: float
    cluster_size: int | None = None
    paused_ns: int | None = None
    recv_queue: float | None = None
    heal_pending: int | None = None
    disk_used_pct: float | None = None
    load1: float | None = None
    memory_used_pct: float | None = None
    transfer_bytes: int | None = None


@dataclass(frozen=True)
class ClusterFacts:
    """One sweep over the cluster, in the order of the peer lists.

    `samples`: by host, oldest first, what was seen shortly before; rules about change need them.
    """

    nodes: tuple[NodeFacts, ...]
    samples: Mapping[str, tuple[Sample, ...]] = field(default_factory=dict)

    def node(self, host: str) -> NodeFacts:
        return next(node for node in self.nodes if node.host == host)
