"""A transport that runs real `sh` on this machine: each node is a folder, each job a real process.

Cutting a connection kills what hangs on it and nothing else, as sshd does; jobs go on.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from nodes.domain.text import say
from nodes.transport.base import (
    Closed,
    Command,
    CommandTimeout,
    ConnectionLost,
    Output,
    Target,
    TransportError,
    Tunnel,
    Unreachable,
)
from operations.runtime.jobs import Place


def lost(host: str) -> ConnectionLost:
    return ConnectionLost(say("The connection to %(host)s was cut.", host=host), say("Try again."))


def unreachable(host: str) -> Unreachable:
    return Unreachable(say("%(host)s does not answer.", host=host), say("Look at the network."))


@dataclass
class LocalNode:
    """One pretended node. `error` makes every call fail; `execs` counts the calls."""

    host: str
    home: Path
    error: TransportError | None = None
    execs: int = 0
    commands: list[str] = field(default_factory=list)
    _open: set[LocalStream] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.target = Target(self.host, 22, "root")

    @property
    def root(self) -> Path:
        return self.home / "lib"

    def cut(self) -> None:
        """Break every connection now."""
        for stream in list(self._open):
            stream.cut()

    def run(self, command: Command) -> Output:
        with self.stream(command) as stream:
            out = bytearray()
            deadline = time.monotonic() + command.timeout_s
            while (data := stream.read(max(0.0, deadline - time.monotonic()))) != b"":
                if data is None:
                    raise CommandTimeout(say("Too slow."), say("Wait."))
                out += data
            return Output(stream.exit_code(), bytes(out), stream.errors())

    @contextmanager
    def stream(self, command: Command) -> Iterator[LocalStream]:
        if self.error is not None:
            raise self.error
        self.execs += 1
        self.commands.append(command.line)
        stream = LocalStream(self.host, command, self.home)
        self._open.add(stream)
        try:
            yield stream
        finally:
            self._open.discard(stream)
            stream.close()

    def tunnel(self, port: int) -> AbstractContextManager[Tunnel]:
        raise Closed(say("Nothing listens on %(port)s.", port=port), say("Start it."))

    def close(self) -> None:
        self.cut()


class LocalStream:
    """One command in a session of its own, as under sshd."""

    def __init__(self, host: str, command: Command, home: Path) -> None:
        self._host = host
        self._errors = (home / f"stderr-{time.monotonic_ns()}").open("w+b")
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", command.line],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            cwd=home,
            env={"PATH": os.environ["PATH"], "HOME": str(home)},
        )
        self._cut = threading.Event()
        threading.Thread(target=self._write, args=(command.stdin,), daemon=True).start()

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):
            self._process.stdin.write(data)
            self._process.stdin.close()

    def read(self, timeout_s: float) -> bytes | None:
        assert self._process.stdout is not None
        if self._cut.is_set():
            raise lost(self._host)
        ready, _, _ = select.select([self._process.stdout], [], [], timeout_s)
        if self._cut.is_set():
            raise lost(self._host)
        return os.read(self._process.stdout.fileno(), 65536) if ready else None

    def exit_code(self) -> int:
        return self._process.wait(10)

    def errors(self) -> bytes:
        self._errors.seek(0)
        return self._errors.read()

    def cut(self) -> None:
        self._cut.set()
        self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        self._kill()
        self._process.wait(10)
        for pipe in (self._process.stdout, self._process.stdin, self._errors):
            with suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()


class LocalCluster:
    """Some nodes in one folder; the same `Place` serves them all, as on real servers."""

    def __init__(self, folder: Path, *hosts: str) -> None:
        self.nodes = {host: _node(host, folder / host) for host in hosts}

    def __getitem__(self, host: str) -> LocalNode:
        return self.nodes[host]

    def transport(self, host: str) -> LocalNode:
        return self.nodes[host]


def _node(host: str, home: Path) -> LocalNode:
    home.mkdir(parents=True, exist_ok=True)
    return LocalNode(host, home)


# Relative: every command runs in its node's own folder.
PLACE = Place(root="lib", spare="spare", manager="setsid")
