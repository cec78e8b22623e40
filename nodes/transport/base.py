"""The contract between the panel and a server: run a command, stream one, open a tunnel.

Two things implement it: `ssh.py` (paramiko) and, later, simulated nodes. Everything that can go
wrong is one of the errors below, each with a sentence for a person; callers never parse messages.
"""

from __future__ import annotations

import shlex
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from nodes.domain.text import Text, say


@dataclass(frozen=True)
class PinnedKey:
    """A host key that a person accepted: OpenSSH type name and base64 body."""

    type: str
    base64: str


@dataclass(frozen=True)
class Target:
    """How to reach one server. Secrets are kept out of `repr`, so out of logs and tracebacks."""

    host: str
    port: int
    username: str
    pinned_keys: tuple[PinnedKey, ...] = ()
    private_key: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Command:
    """An argument list; `line` is the only place in the product where arguments are quoted."""

    argv: tuple[str, ...]
    stdin: bytes = field(default=b"", repr=False)
    timeout_s: float = 30

    @property
    def line(self) -> str:
        return shlex.join(self.argv)


def line_for(target: Target, command: Command) -> str:
    """What is sent to the server. Everything the panel does there is done as root: whoever signs in
    as another user goes through sudo, which must not ask (`-n`)."""
    if target.username == "root":
        return command.line
    return Command(("sudo", "-n", "--", *command.argv)).line


def script(text: str, *args: str, stdin: bytes = b"", timeout_s: float = 30) -> Command:
    """A POSIX shell script with positional arguments; the text is ours, the arguments are data."""
    return Command(("sh", "-c", text, "clusterpanel", *args), stdin, timeout_s)


@dataclass(frozen=True)
class Output:
    """What a finished command left: exit code and both streams, as bytes."""

    exit_code: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        return self.stdout.decode(errors="replace")


class Stream(Protocol):
    """A running command whose output is read as it comes."""

    def read(self, timeout_s: float) -> bytes | None:
        """The next bytes; b"" at the end; None if nothing came within `timeout_s`."""

    def exit_code(self) -> int: ...

    def close(self) -> None: ...


class Tunnel(Protocol):
    """A socket-like object connected to a port of the server's own loopback."""

    def sendall(self, data: bytes) -> None: ...
    def close(self) -> None: ...


class Transport(Protocol):
    """One server. Methods raise TransportError and nothing else; they may be called from threads."""

    target: Target

    def run(self, command: Command) -> Output:
        """Run to the end. A non-zero exit code is an answer, not an error."""

    def stream(self, command: Command) -> AbstractContextManager[Stream]:
        """Start a command and read its standard output while it runs."""

    def tunnel(self, port: int) -> AbstractContextManager[Tunnel]:
        """Connect to 127.0.0.1:`port` as seen from the server."""

    def close(self) -> None: ...


class TransportError(Exception):
    """Base. `code` is stable; `why` and `fix` are sentences that name the host."""

    code = "transport"

    def __init__(self, why: Text, fix: Text) -> None:
        super().__init__(str(why))
        self.why = why
        self.fix = fix


class Unreachable(TransportError):
    """No TCP connection or no SSH answer in time. Says nothing about what runs there."""

    code = "ssh_unreachable"


class AuthFailed(TransportError):
    """The server refused the user, key or password."""

    code = "ssh_auth"


class SudoRefused(TransportError):
    """The user signed in, and may not become root without being asked."""

    code = "sudo_refused"


class HostKeyUnknown(TransportError):
    """The server's key was never accepted by a person."""

    code = "host_key_unknown"

    def __init__(self, host: str, key_type: str, sha256: str) -> None:
        super().__init__(
            say(
                "%(host)s showed a %(type)s host key %(sha256)s that nobody has accepted yet.",
                host=host,
                type=key_type,
                sha256=sha256,
            ),
            say("Compare the fingerprint with the server's own console and accept it."),
        )
        self.key_type, self.sha256 = key_type, sha256


class HostKeyChanged(TransportError):
    """The server showed another key than the pinned one: everything stops (law 12)."""

    code = "host_key_changed"

    def __init__(self, host: str, pinned: str, found: str) -> None:
        super().__init__(
            say(
                "%(host)s showed host key %(found)s, but %(pinned)s was accepted before.",
                host=host,
                found=found,
                pinned=pinned,
            ),
            say(
                "Find out why: a reinstalled server, another server at this address, or somebody"
                " in between. Only then accept the new key."
            ),
        )
        self.pinned, self.found = pinned, found


class ConnectionLost(TransportError):
    """The connection ended while a command ran. The command may have finished, or may still run."""

    code = "ssh_lost"


class CommandTimeout(TransportError):
    """The command did not end in time. It was told to stop; whether it did is unknown."""

    code = "command_timeout"


class AnswerTooLong(TransportError):
    """The answer was longer than anything that the panel asks for."""

    code = "answer_too_long"


class Closed(TransportError):
    """A port on the server's loopback refused the tunnel."""

    code = "port_closed"
