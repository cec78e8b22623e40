"""A command on a server while it runs, over a channel of an SSH connection."""

from __future__ import annotations

import contextlib
import threading
import time

import paramiko

from nodes.transport import failures
from nodes.transport.base import Command, Output, Target, line_for
from nodes.transport.failures import NotSent

CHANNEL_S = 10.0
SSH_ERRORS = (paramiko.SSHException, OSError, EOFError)
_DYING_S = 0.3
_READ = 256 * 1024
_LONGEST = 16 * 1024**2  # of an answer; what a job prints is streamed and has no limit


class SshStream:
    """A command under way. Its error output is read aside, so that neither stream blocks the other."""

    def __init__(
        self, target: Target, session: paramiko.Transport, channel: paramiko.Channel
    ) -> None:
        self._target, self._session, self._channel = target, session, channel
        self._errors = bytearray()
        self._helpers: list[threading.Thread] = []

    def begin(self, command: Command) -> None:
        try:
            self._channel.exec_command(line_for(self._target, command))
        except SSH_ERRORS as error:
            raise failures.lost(self._target, NotSent) from error
        self._help(self._drain_errors)
        if len(command.stdin) > _READ:
            self._help(self._send, command.stdin)
        else:
            self._send(command.stdin)

    def _help(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        thread.start()
        self._helpers.append(thread)

    def _send(self, data: bytes) -> None:
        # A command that does not want its input is no error; its exit code tells.
        with contextlib.suppress(*SSH_ERRORS):
            if data:
                self._channel.sendall(data)
            self._channel.shutdown_write()

    def _drain_errors(self) -> None:
        with contextlib.suppress(*SSH_ERRORS):
            while data := self._channel.recv_stderr(_READ):
                self._errors += data[: _LONGEST - len(self._errors)]

    def read(self, timeout_s: float) -> bytes | None:
        self._channel.settimeout(max(timeout_s, 0.0001))
        try:
            data = self._channel.recv(_READ)
        except TimeoutError:
            if not self._session.is_active():
                raise failures.lost(self._target) from None
            return None
        except SSH_ERRORS as error:
            raise failures.lost(self._target) from error
        if not data and self._was_cut():
            raise failures.lost(self._target)
        return data

    def _was_cut(self) -> bool:
        """At the end of the output: did the command end, or the connection?

        A command that ended says how. Without that, paramiko marks the session dead a moment after
        the channel, so the session's own thread is waited for; a command killed by a signal has no
        exit status either, on a session that lives.
        """
        self._channel.status_event.wait(CHANNEL_S)
        if self._channel.exit_status != -1:
            return False
        self._session.join(_DYING_S)
        return not self._session.is_active()

    def exit_code(self) -> int:
        """-1 if the command was killed by a signal. Waits, but not for ever."""
        return self._exit_code(time.monotonic() + CHANNEL_S, CHANNEL_S)

    def _exit_code(self, deadline: float, allowed_s: float) -> int:
        if not self._channel.status_event.wait(max(0.0, deadline - time.monotonic())):
            raise failures.too_slow(self._target, allowed_s)
        code = self._channel.exit_status
        if code == -1 and not self._session.is_active():
            raise failures.lost(self._target)
        return code

    def finish(self, timeout_s: float) -> Output:
        deadline = time.monotonic() + timeout_s
        out = bytearray()
        while (data := self.read(deadline - time.monotonic())) != b"":
            if data is None:
                raise failures.too_slow(self._target, timeout_s)
            out += data
            if len(out) > _LONGEST:
                raise failures.too_long(self._target, _LONGEST)
        self._helpers[0].join(max(0.0, deadline - time.monotonic()))
        code = self._exit_code(max(deadline, time.monotonic() + 1), timeout_s)
        return Output(code, bytes(out), bytes(self._errors))

    def close(self) -> None:
        with contextlib.suppress(*SSH_ERRORS):
            self._channel.close()
