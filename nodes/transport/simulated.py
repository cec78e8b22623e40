"""Simulated nodes behind the same contract as SSH: a real `sh` per command, no network, no root.

Where a node's files lie and why paths are rewritten: docs/adr/0005. A tunnel is always refused:
no database listens, so the panel falls back to the shell's client.
"""

from __future__ import annotations

import base64
import hashlib
import os
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from nodes.domain.text import say
from nodes.simulation.cluster import SimulatedCluster
from nodes.simulation.skin.build import uptime
from nodes.simulation.skin.processes import FULL_BYTES, MARK
from nodes.simulation.skin.store import load
from nodes.simulation.world import Node
from nodes.transport import keys
from nodes.transport.base import (
    AuthFailed,
    Closed,
    Command,
    CommandTimeout,
    ConnectionLost,
    Output,
    PinnedKey,
    Target,
    Tunnel,
    Unreachable,
)

_LOOK_S = 0.1  # how often a waiting reader looks whether its connection was cut
_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# A limit on the size of files stands for the full disk; without the trap writing would be fatal.
_ON_FULL_DISK = f"trap '' XFSZ; ulimit -S -f {FULL_BYTES // 512}; exec \"$@\""


def host_key(cluster: SimulatedCluster, host: str) -> PinnedKey:
    """The key that the node shows; another one after `change_host_key`."""
    node = cluster.node(host)
    secret = f"{cluster.layout.base}/{host}/{node.link.host_key}".encode()
    kind = b"ssh-ed25519"
    body = hashlib.sha256(secret).digest()
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in (kind, body))
    return PinnedKey(kind.decode(), base64.b64encode(blob).decode())


def unreachable(host: str) -> Unreachable:
    return Unreachable(
        say("%(host)s does not answer.", host=host),
        say("Look whether the server is on and the network works."),
    )


def scan_host_key(cluster: SimulatedCluster, host: str) -> list[PinnedKey]:
    """As `ssh.scan_host_key`: no login, and nothing is trusted by it."""
    _require_up(_node(cluster, host), host)
    return [host_key(cluster, host)]


def connect(cluster: SimulatedCluster, target: Target) -> SimulatedTransport:
    """As `ssh.connect`: raises Unreachable, HostKeyUnknown, HostKeyChanged or AuthFailed."""
    node = _node(cluster, target.host)
    _require_up(node, target.host)
    assert node is not None
    keys.compare(target, host_key(cluster, target.host))
    if node.link.refused or not (target.private_key or target.password):
        raise AuthFailed(
            say("%(host)s refused the login.", host=target.host),
            say("Check the user, the key and the password."),
        )
    return SimulatedTransport(cluster, target, node)


def _node(cluster: SimulatedCluster, host: str) -> Node | None:
    return cluster.world.nodes.get(host)


def _require_up(node: Node | None, host: str) -> None:
    if node is None or not node.up:
        raise unreachable(host)


class SimulatedTransport:
    """A login on a simulated node. It dies with the node's power, and with a cut."""

    def __init__(self, cluster: SimulatedCluster, target: Target, node: Node) -> None:
        self.target = target
        self._cluster, self._boot, self._cuts = cluster, node.boot, node.link.cuts
        self._closed = False

    @property
    def alive(self) -> bool:
        """Asked without the lock: a reader asks ten times a second."""
        if self._closed:
            return False
        node = load(self._cluster.layout).nodes[self.target.host]
        return node.up and node.boot == self._boot and node.link.cuts == self._cuts

    def run(self, command: Command) -> Output:
        deadline = time.monotonic() + command.timeout_s
        with self.stream(command) as stream:
            out = bytearray()
            while (data := stream.read(max(0.0, deadline - time.monotonic()))) != b"":
                if data is None:
                    raise CommandTimeout(
                        say("%(host)s did not answer in time.", host=self.target.host),
                        say("Look whether the server is overloaded."),
                    )
                out += data
            code = stream.exit_code()
            return Output(code, self._outward(bytes(out)), self._outward(stream.errors()))

    def _outward(self, data: bytes) -> bytes:
        layout, host = self._cluster.layout, self.target.host
        node = load(layout).nodes[host]
        if node.link.garbage:
            return b"\x1b[2J\xff\xfe<cliOutput " + data[::-1][:200]
        mounts = {name: directory for directory, name in node.mounts.items()}
        return layout.outward(host, data, mounts)

    @contextmanager
    def stream(self, command: Command) -> Generator[SimulatedStream]:
        world = self._cluster.world
        node = world.nodes[self.target.host]
        if not self.alive:
            raise _lost(self.target.host)
        uptime(self._cluster.layout, world, self.target.host)
        time.sleep(node.link.slow_s)
        stream = SimulatedStream(self, self._argv(command, node), command.stdin, self._root)
        try:
            yield stream
        finally:
            stream.close()

    @property
    def _root(self) -> Path:
        return self._cluster.root(self.target.host)

    def _argv(self, command: Command, node: Node) -> list[str]:
        inward = self._cluster.layout.inward
        argv = [inward(self.target.host, word) for word in command.argv]
        return ["/bin/sh", "-c", _ON_FULL_DISK, "sh", *argv] if node.full else argv

    def tunnel(self, port: int) -> AbstractContextManager[Tunnel]:
        raise Closed(
            say("Nothing listens on port %(port)s of a simulated node.", port=port),
            say("Nothing has to be done: the shell's client is asked instead."),
        )

    def close(self) -> None:
        self._closed = True


def _lost(host: str) -> ConnectionLost:
    return ConnectionLost(
        say("The connection to %(host)s ended.", host=host), say("The panel connects again.")
    )


class SimulatedStream:
    """One command in a session of its own, as under sshd. A cut ends it; its jobs go on."""

    def __init__(
        self, transport: SimulatedTransport, argv: list[str], stdin: bytes, root: Path
    ) -> None:
        self._transport = transport
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed in close()
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            cwd=root / "root",
            env=_environment(root),
        )
        writer = threading.Thread(target=self._write, args=(stdin,), daemon=True)
        writer.start()

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):
            self._process.stdin.write(data)
            self._process.stdin.close()

    def read(self, timeout_s: float) -> bytes | None:
        """Raises ConnectionLost as soon as the connection is dead."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + timeout_s
        while True:
            rest = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([self._process.stdout], [], [], min(rest, _LOOK_S))
            if not ready and not self._transport.alive:
                raise _lost(self._transport.target.host)
            if ready:
                return self._next(self._process.stdout.fileno())
            if rest == 0.0:
                return None

    def _next(self, descriptor: int) -> bytes:
        data = os.read(descriptor, 65536)
        if not data and not self._transport.alive:
            raise _lost(self._transport.target.host)
        return data

    def exit_code(self) -> int:
        code = self._process.wait(10)
        return code if code >= 0 else 128 - code

    def errors(self) -> bytes:
        self._errors.seek(0)
        return self._errors.read()

    def close(self) -> None:
        """What hangs on the connection is told to go, and nobody listens to it any more.

        A script that has asked not to hear of it goes on: sshd kills nothing when a connection ends.
        """
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGHUP)
        for pipe in (self._process.stdout, self._process.stdin, self._errors):
            with suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()
        if self._process.poll() is None:
            threading.Thread(target=self._process.wait, daemon=True).start()


def _environment(root: Path) -> dict[str, str]:
    """Nothing of the panel's own; `MARK` is how a power cut finds the node's processes."""
    return {
        "PATH": f"{root}/usr/local/sbin:{root}/usr/local/bin:{_SYSTEM_PATH}",
        "HOME": f"{root}/root",
        "TMPDIR": f"{root}/tmp",
        MARK: str(root),
    }
