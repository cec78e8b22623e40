"""Where a node's files really lie, and how paths are carried over.

A simulated node needs no root, no chroot and no container: the text of a script is rewritten on
its way in (`inward`), so that `/var/lib/mysql` becomes `BASE/nodes/HOST/var/lib/mysql`, and what it
prints is rewritten on its way out (`outward`). Only whole paths that begin with one of `_MAPPED`
are touched; `/bin`, `/usr/bin`, `/dev` and a process' own `/proc/PID` stay this machine's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_MAPPED = (
    "var",
    "etc",
    "run",
    "data",
    "root",
    "tmp",
    "srv",
    "opt",
    r"usr/local",
    r"usr/lib/galera",
)
_PROC = (
    r"proc/sys",
    r"proc/self/mounts",
    r"proc/uptime",
    r"proc/loadavg",
    r"proc/meminfo",
    r"proc/\[0-9\]\*/comm",
    r"proc/\[0-9\]\*(?=;)",  # a search among all processes finds the node's, not the machine's
)


def _paths(*names: str) -> re.Pattern[str]:
    """A path begins where no longer path, word or expansion goes on; its first part is whole."""
    return re.compile(rf"(?<![\w.)}}\]~?/-])/(?:{'|'.join(names)})(?=[/\s\"'`;:|&)<>*,]|$)")


_SHARED, _OWN = _paths(*_MAPPED, *_PROC), _paths(*_MAPPED, "proc")
_SAFE = re.compile(r"[A-Za-z0-9_./-]+")


@dataclass(frozen=True)
class Layout:
    """The tree of one simulated cluster. `base` is absolute, without links, blanks and quotes."""

    base: Path

    def __post_init__(self) -> None:
        if not self.base.is_absolute() or not _SAFE.fullmatch(str(self.base)):
            raise ValueError(f"{self.base}: choose a plain absolute path, without blanks")

    @property
    def world(self) -> Path:
        return self.base / "world.json"

    @property
    def lock(self) -> Path:
        return self.base / "world.lock"

    @property
    def keeps_proc(self) -> bool:
        """Whether the nodes have a whole /proc of their own: where this machine has none."""
        return (self.base / "keeps-proc").exists()

    def root(self, host: str) -> Path:
        return self.base / "nodes" / host

    def volume(self, name: str) -> Path:
        return self.base / "volumes" / name

    def dead(self, name: str) -> Path:
        """Never there: where the link of a mount leads whose volume has lost its quorum."""
        return self.base / "volumes" / f"{name}.not-connected"

    def place(self, host: str, path: str) -> Path:
        return Path(self.inward(host, path))

    def inward(self, host: str, text: str) -> str:
        """Paths of the node become paths of this machine; those that are already do not change."""
        root, paths = str(self.root(host)), _OWN if self.keeps_proc else _SHARED
        kept = re.split(rf"({re.escape(str(self.base))}[^\s\"';:]*)", text)
        parts = [
            part if index % 2 else paths.sub(lambda m: root + m.group(), part)
            for index, part in enumerate(kept)
        ]
        return "".join(parts)

    def outward(self, host: str, data: bytes, mounts: dict[str, str] | None = None) -> bytes:
        """The other way round. `mounts`: volume → directory where the node has it."""
        for name, directory in (mounts or {}).items():
            for real in (self.dead(name), self.volume(name)):
                data = data.replace(str(real).encode(), directory.encode())
        return data.replace(str(self.root(host)).encode(), b"")
