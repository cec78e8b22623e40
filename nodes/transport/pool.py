"""One kept-open connection per process and target.

The whole target is the key, secrets and pinned keys included: changed settings make a new
connection. A child process of Celery forgets its parent's connections without touching them: both
would speak on the same socket.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from nodes.transport.base import Command, Output, Stream, Target, TransportError, Tunnel
from nodes.transport.failures import NotSent
from nodes.transport.servers import Connection, connect

IDLE_S = 600.0  # a connection that nobody used for so long is closed
_WARM_AT_ONCE = 16


class PooledTransport:
    """Connects when it is first used, and once more when the connection turns out to be dead."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.used_at = time.monotonic()
        self._users = 0
        self._lock = threading.Lock()
        self._live: Connection | None = None

    def open(self) -> Connection:
        """The live connection. Raises as `connect` does."""
        with self._lock:
            if self._live is None or not self._live.alive:
                self._drop()
                self._live = connect(self.target)
            return self._live

    def _drop(self) -> None:
        if self._live is not None:
            self._live.close()
            self._live = None

    @property
    def idle(self) -> bool:
        """Nobody uses it, and nobody has for a long time."""
        return not self._users and time.monotonic() - self.used_at > IDLE_S

    @contextmanager
    def _used(self) -> Generator[None]:
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                self.used_at = time.monotonic()

    def run(self, command: Command) -> Output:
        with self._used():
            try:
                return self.open().run(command)
            except NotSent:
                self.close()
                return self.open().run(command)

    @contextmanager
    def stream(self, command: Command) -> Generator[Stream]:
        with self._used(), self._begun(command) as stream:
            yield stream

    def _begun(self, command: Command) -> _Begun:
        try:
            return _Begun(self.open(), command)
        except NotSent:
            self.close()
            return _Begun(self.open(), command)

    @contextmanager
    def tunnel(self, port: int) -> Generator[Tunnel]:
        with self._used(), self.open().tunnel(port) as channel:
            yield channel

    def close(self) -> None:
        with self._lock:
            self._drop()


class _Begun:
    """A command that was sent; entering it cannot fail any more."""

    def __init__(self, transport: Connection, command: Command) -> None:
        self._context = transport.stream(command)
        self._stream = self._context.__enter__()

    def __enter__(self) -> Stream:
        return self._stream

    def __exit__(self, *error: object) -> None:
        self._stream.close()


class _Pool:
    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.transports: dict[Target, PooledTransport] = {}


_pool = _Pool()
_of_our_parent: list[_Pool] = []  # kept, so that nothing in it is ever closed from here


def _own_pool() -> _Pool:
    global _pool
    if _pool.pid != os.getpid():
        _of_our_parent.append(_pool)
        _pool = _Pool()
    return _pool


def transport_for(target: Target) -> PooledTransport:
    """This process's transport to the target; nothing is connected before its first use."""
    pool = _own_pool()
    with pool.lock:
        _close_idle(pool)
        if target not in pool.transports:
            pool.transports[target] = PooledTransport(target)
        found = pool.transports[target]
        found.used_at = time.monotonic()
        return found


def _close_idle(pool: _Pool) -> None:
    for target, transport in list(pool.transports.items()):
        if transport.idle:
            del pool.transports[target]
            transport.close()


def warm(targets: Iterable[Target]) -> dict[Target, TransportError | None]:
    """Connect to all at once; what went wrong for each, None if it is ready."""
    wanted = list(targets)
    with ThreadPoolExecutor(max(1, min(len(wanted), _WARM_AT_ONCE))) as threads:
        return dict(zip(wanted, threads.map(_warm_one, wanted), strict=True))


def _warm_one(target: Target) -> TransportError | None:
    try:
        transport_for(target).open()
    except TransportError as error:
        return error
    return None


def close_all() -> None:
    """Close this process's connections, for example before it ends."""
    pool = _own_pool()
    with pool.lock:
        transports = list(pool.transports.values())
        pool.transports.clear()
    for transport in transports:
        transport.close()
