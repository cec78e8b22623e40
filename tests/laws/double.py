"""Three nodes in memory that understand the panel's own scripts, and write down every command.

They keep the promises of the scripts (`tests/runtime/` holds the scripts to them with real shells):
a job directory appears once, a start needs the lock, a lock belongs to one run. What a step's command
does is decided by a `Fate`; nothing here ever starts a process, sleeps or looks at the clock.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from nodes.domain.observation import ClusterFacts, EnvFacts, GaleraFacts, MountFacts, NodeFacts
from nodes.domain.peers import KEYS
from nodes.domain.text import say
from nodes.env_file_script import WRITE
from nodes.transport.base import Command, ConnectionLost, Output, Target, Unreachable
from operations import inputs
from operations.domain.backup_scripts import READ_DUMP, SIZES
from operations.domain.proofs import primary as primary_proof
from operations.domain.proofs import settings as settings_proof
from operations.domain.proofs.galera import _STATUS as STATUS
from operations.runtime import scripts
from tests import builders

SIZE = 4711
WRITE_MARK = "clusterpanel-new"  # the writing script has it, no other one
_PATIENCE = 25  # reads that find nothing before a slow command goes on


class WorkerDied(BaseException):
    """SIGKILL: nothing of the worker's own code runs any more."""


class Fate(Enum):
    """What becomes of one job: exit code (None: gone without one), whether it had its effect, how."""

    OK = (0, True, "")
    FAILS_AT_ONCE = (1, False, "")
    FAILS_HALF_WAY = (3, False, "half")
    FAILS_AFTER_IT_WORKED = (4, True, "")
    LIES = (0, False, "")
    KILLED = (None, False, "half")
    KILLED_AFTER_IT_WORKED = (None, True, "")
    CUT = (0, True, "cut")
    SLOW = (0, True, "slow")
    LOST = (0, True, "lost")  # the node is silent from then on

    @property
    def code(self) -> int | None:
        return self.value[0]

    @property
    def works(self) -> bool:
        return self.value[1]

    @property
    def how(self) -> str:
        return self.value[2]


@dataclass
class FakeJob:
    name: str
    run: str
    line: str
    fate: Fate
    alive: bool = True
    code: int | None = None
    log: bytes = b""


@dataclass
class FakeNode:
    host: str
    member: bool = False
    silent: bool = False
    mounted: bool = False
    env: dict[str, str] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    lock: tuple[str, str] | None = None
    jobs: dict[str, FakeJob] = field(default_factory=dict)


@dataclass(frozen=True)
class Started:
    """A job that really began: where, which, what it runs."""

    host: str
    job: str
    run: str
    line: str


@dataclass
class Nodes:
    """`commands` and `started` only grow. `after` is called when a command was answered."""

    nodes: dict[str, FakeNode]
    commands: list[tuple[str, Command]] = field(default_factory=list)
    started: list[Started] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    after: Callable[[Command], None] = lambda command: None
    on_start: Callable[[Started], None] = lambda started: None
    stopped: set[tuple[str, str]] = field(default_factory=set)  # host, job: proven to be gone
    ever_true: set[tuple[str, str]] = field(default_factory=set)  # host, effect
    # The keys as they were read last, None: the node was silent. `on_env` hears of a change before it.
    last_read: dict[str, dict[str, str] | None] = field(default_factory=dict)
    dead: bool = False  # who asks was killed: nothing of it reaches a node any more
    on_env: Callable[[FakeNode, dict[str, str]], None] = lambda node, env: None

    @classmethod
    def fresh(cls, hosts: tuple[str, ...]) -> Nodes:
        return cls({host: FakeNode(host) for host in hosts})

    def transport(self, target: Target | str) -> FakeTransport:
        host = target if isinstance(target, str) else target.host
        return FakeTransport(self, self.nodes[host])

    def observe(self, *, cluster: Any, **how: Any) -> ClusterFacts:
        peers = cluster.revision.peers
        return ClusterFacts(tuple(self._facts(host) for host in peers.hosts))

    def _facts(self, host: str) -> NodeFacts:
        node = self.nodes[host]
        if node.silent:
            return builders.silent(host)
        env = EnvFacts(True, "0" * 64, {key: node.env.get(key) for key in KEYS})
        galera = builders.synced(self.size) if node.member else GaleraFacts(wsrep_on=False)
        mount = builders.mounted() if node.mounted else MountFacts(mounted=False)
        return builders.node(host, galera=galera, env=env, mount=mount)

    @property
    def size(self) -> int:
        return sum(node.member for node in self.nodes.values())

    def alive(self) -> list[tuple[str, FakeJob]]:
        return [(n.host, job) for n in self.nodes.values() for job in n.jobs.values() if job.alive]

    def let_work(self, node: FakeNode, job: FakeJob) -> None:
        """The command's end, and its effect if its fate says so."""
        job.alive, job.code = False, job.fate.code
        job.log += b"half\n" if job.fate.how == "half" else b"done\n"
        if job.fate.works:
            self._effect(node, job)

    def _effect(self, node: FakeNode, job: FakeJob) -> None:
        if "galera_setup.sh" in job.line:
            node.member = True
            self.ever_true.add((node.host, "member"))
        elif job.line.endswith(".gz"):
            path = job.line.rsplit(" ", 1)[-1]
            node.files[path] = SIZE
            self.ever_true.add((node.host, path))
        elif WRITE_MARK in job.line:
            words = shlex.split(job.line)
            self.write(node, words[words.index("clusterpanel") + 2 :])

    def write(self, node: FakeNode, lines: list[str]) -> None:
        """Into the node's `.env`."""
        env = node.env | dict(line.split("=", 1) for line in lines)
        self.on_env(node, env)
        node.env = env
        self.ever_true.add((node.host, " ".join(lines)))


class FakeTransport:
    def __init__(self, nodes: Nodes, node: FakeNode) -> None:
        self._nodes, self._node = nodes, node
        self.target = Target(node.host, 22, "root")

    def run(self, command: Command) -> Output:
        self._asked(command)
        text, args = command.argv[2], command.argv[4:]
        found = self._answers[text](self, *args)
        self._nodes.after(command)
        return found if isinstance(found, Output) else Output(0, found.encode(), b"")

    def _asked(self, command: Command) -> None:
        if self._nodes.dead:
            raise WorkerDied
        self._nodes.commands.append((self._node.host, command))
        if command.argv[2] == settings_proof.READ:
            self._nodes.last_read[self._node.host] = None if self._node.silent else self._node.env
        if self._node.silent:
            self._nodes.after(command)
            raise unreachable(self._node.host)

    @contextmanager
    def stream(self, command: Command) -> Iterator[FakeStream]:
        self._asked(command)
        assert command.argv[2] == scripts.START
        yield FakeStream(self._nodes, self._node, command, *command.argv[4:])

    def close(self) -> None:
        """Nothing is open."""

    def tunnel(self, port: int) -> Any:
        raise NotImplementedError

    def _lock(self, nonce: str, root: str, spare: str, panel: str, run: str, *more: str) -> str:
        node, (old_panel, old_run) = self._node, more[4:6]
        if node.lock in (None, (old_panel, old_run)):
            node.lock = panel, run
            busy = [j.name for j in node.jobs.values() if j.alive and j.run != run]
            if busy:
                node.lock = None
                return f"{nonce}LOCK busy {busy[0]}\n"
        if node.lock == (panel, run):
            return f"{nonce}LOCK taken\n"
        assert node.lock is not None
        return f"{nonce}LOCK held {node.lock[1]} - - -|{node.lock[0]}\n"

    def _unlock(self, nonce: str, root: str, panel: str, run: str) -> str:
        node = self._node
        if node.lock in (None, (panel, run)):
            node.lock = None
            return f"{nonce}LOCK free\n"
        return f"{nonce}LOCK held {node.lock[1] if node.lock else '-'}\n"

    def _signs(self, nonce: str, root: str, spare: str, panel: str, run: str) -> str:
        return f"{nonce}SIGNS held 1 900 1 boot\n"

    def _stop(self, nonce: str, root: str, spare: str, name: str, grace: str) -> str:
        job = self._node.jobs.get(name)
        if job is None:
            return f"{nonce}STOP absent\n"
        if job.code is not None:
            return f"{nonce}STOP ended {job.code}\n"
        job.alive = False
        self._nodes.stopped.add((self._node.host, name))
        return f"{nonce}STOP stopped\n"

    def _seen(self, nonce: str, root: str, name: str) -> str:
        job = self._node.jobs.get(name)
        word = "absent" if job is None else "alive" if job.alive else "over"
        return f"{nonce}SEEN {word}\n"

    def _sizes(self, *paths: str) -> str:
        return "\n".join(str(self._node.files.get(path, "-")) for path in paths)

    def _status(self) -> str:
        if not self._node.member:
            return "wsrep_ready\tOFF\nwsrep_cluster_status\tDisconnected\n"
        return (
            f"wsrep_ready\tON\nwsrep_cluster_status\tPrimary\nwsrep_cluster_size\t{self._nodes.size}"
            f"\nwsrep_cluster_state_uuid\t{builders.UUID}\nwsrep_local_state\t4\n"
            "wsrep_local_state_comment\tSynced\n"
        )

    def _read_dump(self, path: str) -> Output:
        if path not in self._node.files:
            return Output(3, b"", b"ERROR: it is missing")
        return Output(0, f"bytes={SIZE}\nsha256={'c' * 64}\n".encode(), b"")

    def _write(self, path: str, *lines: str) -> str:
        self._nodes.write(self._node, list(lines))
        return "wrote it"

    def _able(self, path: str, role: str, place: str) -> str:
        mount = "fstype=fuse.glusterfs\ncontent=1.0\n" if self._node.mounted else "fstype=\n"
        return self._status().replace("\t", "=") + mount

    def _env(self, path: str) -> str:
        return "".join(f"{key}={value}\n" for key, value in self._node.env.items())

    _answers: dict[str, Callable[..., str | Output]] = {
        scripts.LOCK: _lock,
        scripts.UNLOCK: _unlock,
        scripts.SIGNS: _signs,
        scripts.STOP: _stop,
        scripts.SEEN: _seen,
        SIZES: _sizes,
        STATUS: _status,
        READ_DUMP: _read_dump,
        settings_proof.READ: _env,
        primary_proof.ABLE: _able,
        WRITE: _write,
        inputs._READ: _env,
    }


class FakeStream:
    """start.sh: the lock, the directory that appears once, the log, the end."""

    def __init__(
        self, nodes: Nodes, node: FakeNode, command: Command, nonce: str, *args: str
    ) -> None:
        self._nodes, self._node, self._command = nodes, node, command
        self._nonce = nonce + command.stdin.partition(b"\n")[0].decode()
        _, _, panel, run, name, offset, mode = args[:7]
        self._offset, self._waited = int(offset), 0
        self._job = node.jobs.get(name)
        self._told = False
        self._head = self._begin(panel, run, name, mode, *args[9:])

    def _begin(self, panel: str, run: str, name: str, mode: str, *more: str) -> str:
        earlier, _, line = more
        if self._job is not None:
            return "attached"
        if mode != "start":
            return "absent"
        if self._node.lock != (panel, run):
            return "nolock -" if self._node.lock is None else f"nolock {self._node.lock[1]} x"
        before = self._node.jobs.get(earlier)
        if before is not None and before.alive:
            return f"busy {earlier}"
        fate = self._nodes.fates.pop(0) if self._nodes.fates else Fate.OK
        started = Started(self._node.host, name, run, line)
        self._nodes.on_start(started)
        self._job = self._node.jobs[name] = FakeJob(name, run, line, fate, log=b"begun\n")
        self._nodes.started.append(started)
        return "started"

    def read(self, timeout_s: float) -> bytes | None:
        found = self._next()
        self._nodes.after(self._command)
        return found

    def _next(self) -> bytes | None:
        if self._node.silent:
            raise unreachable(self._node.host)
        if not self._told:
            self._told = True
            return f"{self._nonce}HEAD {self._head}\n".encode()
        if self._job is None or self._head.split(" ")[0] not in ("started", "attached"):
            return b""
        if self._job.alive:
            return self._wait(self._job)
        return self._end(self._job)

    def _wait(self, job: FakeJob) -> bytes | None:
        how = job.fate.how if self._head == "started" else ""
        if how == "lost":
            self._node.silent = True
            raise unreachable(self._node.host)
        if how == "cut":
            self._nodes.let_work(self._node, job)
            raise ConnectionLost(say("cut"), say("again"))
        if job.fate.how == "slow" and self._waited < _PATIENCE:
            self._waited += 1
            return None
        self._nodes.let_work(self._node, job)
        return self._end(job)

    def _end(self, job: FakeJob) -> bytes:
        if self._waited < 0:
            return b""
        self._waited = -1
        rest = job.log[self._offset :]
        state = f"ended {job.code}" if job.code is not None else "vanished -"
        tail = f"{self._nonce}TAIL {state} {len(job.log)} 100000\n"
        return rest + tail.encode()

    def exit_code(self) -> int:
        return 0

    def close(self) -> None:
        """What hangs on the connection is nothing."""


def unreachable(host: str) -> Unreachable:
    return Unreachable(say("%(host)s does not answer.", host=host), say("Look at it."))


class FakeTime:
    """In the place of the module `time`: waiting costs nothing, and every wait comes to its end."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds + 2
