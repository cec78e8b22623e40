"""A small SSH server in this process: real protocol, real commands, and the mistakes we ask for."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED

from nodes.transport.base import PinnedKey


def pinned(key: paramiko.PKey) -> PinnedKey:
    return PinnedKey(key.get_name(), key.get_base64())


@dataclass
class Sshd:
    """Listens on an address of this machine. Keys and accepted secrets may be changed while it runs.

    `home`: where its commands run; `asked`: every command that somebody who had signed in gave it.
    """

    keys: list[paramiko.PKey]
    password: str = "secret"
    username: str = "root"
    authorized: list[paramiko.PKey] = field(default_factory=list)
    hangs_up: str = ""  # says this, and ends the connection in the middle of a sign-in
    port: int = 0
    connections: int = 0
    sign_ins: int = 0
    home: Path | None = None
    asked: list[str] = field(default_factory=list)
    _sessions: list[paramiko.Transport] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            session = paramiko.Transport(connection)
            for key in self.keys:
                session.add_server_key(key)
            self._sessions.append(session)
            with suppress(paramiko.SSHException, EOFError):
                session.start_server(event=threading.Event(), server=_Server(self, session))

    def rekey(self, key: paramiko.PKey) -> None:
        """Agree on new session keys with everybody who is connected, and show this host key to them."""
        for session in self._sessions:
            session.add_server_key(key)
            session.renegotiate_keys()

    def cut(self) -> None:
        """Every connection breaks now, as when a cable is pulled and put back."""
        for session in self._sessions:
            session.close()
        self._sessions.clear()


class _Server(paramiko.ServerInterface):
    def __init__(self, sshd: Sshd, session: paramiko.Transport) -> None:
        self._sshd, self._session = sshd, session

    def get_banner(self) -> tuple[str | None, str | None]:
        return (self._sshd.hangs_up, "en") if self._sshd.hangs_up else (None, None)

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,password"

    def check_auth_password(self, username: str, password: str) -> int:
        self._sshd.sign_ins += 1
        if self._sshd.hangs_up:
            self._session.close()
        good = (username, password) == (self._sshd.username, self._sshd.password)
        return AUTH_SUCCESSFUL if good else AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._sshd.sign_ins += 1
        if self._sshd.hangs_up:
            self._session.close()
        good = username == self._sshd.username and key in self._sshd.authorized
        return AUTH_SUCCESSFUL if good else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self._sshd.asked.append(command.decode())
        args = (channel, command.decode(), self._sshd.home)
        threading.Thread(target=_run, args=args, daemon=True).start()
        return True


def _run(channel: paramiko.Channel, command: str, home: Path | None) -> None:
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        cwd=home,
        env={**os.environ, "HOME": str(home)} if home else None,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    pumps = [
        threading.Thread(target=_pump, args=(process.stdout, channel.sendall), daemon=True),
        threading.Thread(target=_pump, args=(process.stderr, channel.sendall_stderr), daemon=True),
    ]
    threading.Thread(target=_feed, args=(channel, process), daemon=True).start()
    for pump in pumps:
        pump.start()
    for pump in pumps:
        pump.join()
    with suppress(OSError, EOFError):
        channel.send_exit_status(process.wait())
        channel.close()


def _pump(source: object, send: object) -> None:
    with suppress(OSError, EOFError), source:  # type: ignore[attr-defined]
        while data := source.read1(65536):  # type: ignore[attr-defined]
            send(data)  # type: ignore[operator]


def _feed(channel: paramiko.Channel, process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    with suppress(OSError, EOFError, ValueError), process.stdin:
        while data := channel.recv(65536):
            process.stdin.write(data)


@contextmanager
def running(
    *keys: paramiko.PKey, address: str = "127.0.0.1", port: int = 0, home: Path | None = None
) -> Iterator[Sshd]:
    """`port` 0: any that is free."""
    sshd = Sshd(list(keys), home=home)
    with socket.create_server((address, port)) as listener:
        sshd.port = listener.getsockname()[1]
        threading.Thread(target=sshd.serve, args=(listener,), daemon=True).start()
        try:
            yield sshd
        finally:
            sshd.cut()
