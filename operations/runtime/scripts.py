"""The shell scripts that run on the nodes, as text. They take positional arguments only.

POSIX sh as dash, bash and busybox understand it, nothing to install, systemd from 219 on.
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "sh"


def _read(*names: str) -> str:
    return "\n".join((_FOLDER / f"{name}.sh").read_text() for name in names)


RUNNER = _read("runner")
START = _read("follow", "start")
STOP = _read("follow", "stop")
LOCK = _read("follow", "held", "lock")
UNLOCK = _read("held", "unlock")
BEAT = _read("held", "beat")
SIGNS = _read("follow", "held", "signs")
SEEN = _read("follow", "seen")
TELL = _read("follow", "held", "tell")
