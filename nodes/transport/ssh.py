"""SSH with paramiko: pinned host keys only, every error one of ours, nothing waits for ever."""

from __future__ import annotations

import socket
import time
from collections.abc import Generator
from contextlib import contextmanager

import paramiko

from nodes.transport import failures, keys
from nodes.transport.base import (
    Command,
    Output,
    PinnedKey,
    Target,
    TransportError,
    Unreachable,
)
from nodes.transport.failures import NotSent
from nodes.transport.keys import fingerprint
from nodes.transport.ssh_stream import CHANNEL_S, SSH_ERRORS, SshStream

__all__ = ["SshTransport", "connect", "fingerprint", "scan_host_key"]

KEEPALIVE_S = 15
_DEAD_AFTER_MS = 20_000  # sent and not acknowledged for so long: the connection is lost


def connect(target: Target, *, timeout_s: float = 8) -> SshTransport:
    """An open, authenticated connection.

    Raises Unreachable, HostKeyUnknown, HostKeyChanged, AuthFailed or SudoRefused. The host key is compared
    before anything that proves who we are is sent.
    """
    session = _greet(target, timeout_s)
    try:
        keys.compare(target, keys.shown_key(session.get_remote_server_key()))
        _sign_in(session, target, timeout_s)
    except BaseException:
        session.close()
        raise
    session.set_keepalive(KEEPALIVE_S)
    connected = SshTransport(target, session)
    if target.username != "root":
        connected.require_sudo(timeout_s)
    return connected


def scan_host_key(host: str, port: int, *, timeout_s: float = 5) -> list[PinnedKey]:
    """The key that the server shows first (one). No login; nothing is trusted by it."""
    session = _greet(Target(host, port, ""), timeout_s)
    try:
        return [keys.shown_key(session.get_remote_server_key())]
    finally:
        session.close()


def _greet(target: Target, timeout_s: float) -> paramiko.Transport:
    """Connect and agree on keys; nobody is signed in yet."""
    deadline = time.monotonic() + timeout_s
    try:
        sock = _socket(target, timeout_s)
    except (OSError, UnicodeError) as error:
        raise failures.unreachable(target, error, timeout_s) from error
    try:
        session = paramiko.Transport(sock)
        session.banner_timeout = timeout_s + 5  # ours is over first, and can be told from a refusal
        session.auth_timeout = timeout_s
        options = session.get_security_options()
        options.key_types = keys.preferred(target.pinned_keys, tuple(options.key_types))
        session.start_client(timeout=max(0.1, deadline - time.monotonic()))
        if not session.initial_kex_done:  # how paramiko says that the time was over
            session.close()
            raise TimeoutError
    except SSH_ERRORS as error:
        sock.close()
        raise _greeting_failed(target, error, timeout_s) from error
    return session


def _greeting_failed(target: Target, error: Exception, timeout_s: float) -> Unreachable:
    if "imeout" in str(error):
        error = TimeoutError()
    return failures.unreachable(target, error, timeout_s)


def _socket(target: Target, timeout_s: float) -> socket.socket:
    """Our own socket: small packets leave at once, and a dead peer is noticed by the kernel."""
    sock = socket.create_connection((target.host, target.port), timeout_s)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", 10),
        ("TCP_KEEPINTVL", 5),
        ("TCP_KEEPCNT", 2),
        ("TCP_USER_TIMEOUT", _DEAD_AFTER_MS),
    ):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return sock


def _sign_in(session: paramiko.Transport, target: Target, timeout_s: float) -> None:
    if not (target.private_key or target.password):
        raise failures.no_secret(target)
    key = keys.private_key(target) if target.private_key else None
    try:
        if key is not None:
            left = session.auth_publickey(target.username, key)
        else:
            left = session.auth_password(target.username, target.password)
    except paramiko.AuthenticationException as error:
        raise failures.sign_in_failed(target, session, error, timeout_s) from error
    except SSH_ERRORS as error:
        raise failures.unreachable(target, error, timeout_s) from error
    if left:
        raise failures.auth_failed(target, paramiko.BadAuthenticationType("more is asked", left))


class SshTransport:
    """One connection; several commands may run over it at the same time, from several threads."""

    def __init__(self, target: Target, session: paramiko.Transport) -> None:
        self.target = target
        self._session = session

    @property
    def alive(self) -> bool:
        return self._session.is_active()

    def run(self, command: Command) -> Output:
        """Raises SudoRefused as well when sudo was taken away since the connection was made."""
        said = self._run(command)
        if said.exit_code and said.stderr.startswith(b"sudo:") and self.target.username != "root":
            self.require_sudo(command.timeout_s)  # or it only warned, and the command itself failed
        return said

    def _run(self, command: Command) -> Output:
        with self.stream(command) as stream:
            return stream.finish(command.timeout_s)

    def require_sudo(self, timeout_s: float) -> None:
        """So that nothing fails later in words that nobody understands. Raises SudoRefused, and closes."""
        try:
            said = self._run(Command(("sh", "-c", 'echo "$PATH"'), timeout_s=timeout_s))
            if said.exit_code:
                raise failures.sudo_refused(self.target, said.stderr, said.exit_code)
            if not {"/usr/bin", "/usr/sbin"} <= set(said.text.strip().split(":")):
                raise failures.sudo_path(self.target, said.text.strip())
        except TransportError:
            self.close()
            raise

    @contextmanager
    def stream(self, command: Command) -> Generator[SshStream]:
        channel = self._channel()
        stream = SshStream(self.target, self._session, channel)
        try:
            stream.begin(command)
            yield stream
        finally:
            stream.close()

    @contextmanager
    def tunnel(self, port: int) -> Generator[paramiko.Channel]:
        there, here = ("127.0.0.1", port), ("127.0.0.1", 0)
        try:
            channel = self._session.open_channel("direct-tcpip", there, here, timeout=CHANNEL_S)
        except paramiko.ChannelException as error:
            raise failures.closed(self.target, port) from error
        except SSH_ERRORS as error:
            raise failures.lost(self.target, NotSent) from error
        try:
            yield channel
        finally:
            channel.close()

    def close(self) -> None:
        self._session.close()

    def _channel(self) -> paramiko.Channel:
        self._compare_again()
        try:
            return self._session.open_session(timeout=CHANNEL_S)
        except paramiko.ChannelException as error:
            raise failures.unreachable(self.target, error, CHANNEL_S) from error
        except SSH_ERRORS as error:
            self._session.close()
            raise failures.lost(self.target, NotSent) from error

    def _compare_again(self) -> None:
        """Keys of a session are agreed on anew every hour or gigabyte, and the server shows its host
        key again; paramiko takes any key there (law 12)."""
        try:
            keys.compare(self.target, keys.shown_key(self._session.get_remote_server_key()))
        except paramiko.SSHException:
            return  # there is no session any more: opening a channel says so
        except TransportError:
            self._session.close()
            raise
