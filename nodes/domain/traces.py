"""What a stopped database left on its disk, beyond `grastate.dat`: who it was with, how far it got."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nodes.domain.observation import Unknown
from nodes.domain.parse_sections import Section, not_understood, total

FOLDER = "/var/lib/clusterpanel/recovery"
KEPT = f"{FOLDER}/position"

# Where the data lies. $datadir may be set before. The name of a function must not look like a path.
DATADIR = r"""
if [ -z "$datadir" ]; then
    datadir=/var/lib/mysql
    if command -v my_print_defaults >/dev/null 2>&1; then
        own=$(my_print_defaults --mysqld 2>/dev/null | sed -n 's/^--datadir=//p' | tail -n 1)
        [ -z "$own" ] || datadir=${own%/}
    fi
fi
"""

# Another mark: the server was started since, or booted, or somebody changed its state files. Every
# start of mysqld writes to ib_logfile0 (InnoDB's redo log), whatever comes of it.
MARK_OF_DATA = r"""
mark() {
    (
        cd "$datadir" 2>/dev/null || exit 0
        cat /proc/sys/kernel/random/boot_id grastate.dat gvwstate.dat 2>/dev/null
        stat -c '%n %s %y' ibdata1 ib_logfile0 grastate.dat gvwstate.dat sst_in_progress 2>/dev/null
    ) | sha256sum | cut -d ' ' -f 1
}
"""


@dataclass(frozen=True)
class LastView:
    """`gvwstate.dat`: the last Primary component that the node was in, and who it was there.

    A file that a power cut left empty has no `view`; the server does not start with it
    (https://github.com/mariadb-corporation/galera/issues/354).
    """

    member: str = ""
    view: str = ""
    members: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        return not (self.member and self.view and self.members)


@dataclass(frozen=True)
class Kept:
    """The position that was recovered on a node and kept there.

    `found`: read, nothing (no data of a cluster), failed or prepared; `position` "UUID:number";
    `at` seconds since the epoch; `copies` where the state files were copied to. It counts only
    while the node's mark is still `mark`: nothing was started there since.
    """

    mark: str
    found: str
    position: str = ""
    at: float = 0.0
    said: str = ""
    copies: str = ""


@dataclass(frozen=True)
class Traces:
    """`mark` is a hash over the boot and the state files; `empty`: no data lies there at all."""

    mark: str
    last_view: LastView | None = None
    kept: Kept | None = None
    empty: bool = False

    @property
    def current(self) -> Kept | None:
        """The kept position, if nothing was started since it was read."""
        return self.kept if self.kept and self.kept.mark == self.mark else None


FOUND = ("read", "nothing", "failed", "prepared")
_MARK = re.compile(r"[0-9a-f]{64}")
_MEMBER = re.compile(r"^member:\s*(\S+)", re.MULTILINE)


@total
def last_view(section: Section) -> LastView | Unknown | None:
    """Lines `my_uuid: …`, `view_id: 3 UUID NUMBER`, `member: UUID 0`; "absent" without a file."""
    if section.text.strip() == "absent":
        return None
    own = re.search(r"^my_uuid:\s*(\S+)", section.text, re.MULTILINE)
    view = re.search(r"^view_id:\s*(.+?)\s*$", section.text, re.MULTILINE)
    members = frozenset(_MEMBER.findall(section.text))
    return LastView(own[1] if own else "", view[1] if view else "", members)


@total
def kept(section: Section) -> Kept | Unknown | None:
    if section.text.strip() in ("absent", ""):
        return None
    values = dict(line.split("=", 1) for line in section.lines if "=" in line)
    if values.get("found") not in FOUND or not _MARK.fullmatch(values.get("mark", "")):
        return not_understood(section)
    return Kept(
        values["mark"],
        values["found"],
        values.get("position", ""),
        float(values.get("at") or 0),
        values.get("said", ""),
        values.get("copies", ""),
    )


@total
def mark(section: Section) -> str | Unknown:
    """A hash and nothing else; then whether any data file is there."""
    word = section.lines[0] if section.lines else ""
    return word if _MARK.fullmatch(word) else not_understood(section)
