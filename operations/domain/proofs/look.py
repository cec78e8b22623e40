"""One look at a server that comes back, and what it says: database, bricks, healing, mount.

The gluster command line can exit with 0 and still have failed, so its XML is parsed; a brick that
nobody reported is not online. A mount counts only when a file was written and read within seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from xml.etree import ElementTree

from nodes.domain import parse_galera, parse_gluster
from nodes.domain.gluster_xml import document
from nodes.domain.observation import GaleraFacts, GlusterVolume, Unknown
from nodes.domain.parse_gluster import HealCount
from nodes.domain.parse_sections import Section, read, sections
from operations.domain.proofs.base import Answer

MARK = "--clusterpanel-proof--"
DATABASE, STORAGE, HEAL = "database", "storage", "heal"

# $1: words of what is looked at; $2: the storage directory, "" when there is none.
LOOK = rf"""
export LC_ALL=C
what=" $1 " dir=$2
part() {{
    printf '\n{MARK} %s\n' "$1"
    shift
    "$@" 2>&1
    printf '\n{MARK} rc %s\n' "$?"
}}
unit() {{ systemctl show -p ActiveState "$1" | sed 's/^ActiveState=//'; }}
client() {{
    "$(command -v mariadb || command -v mysql || echo mariadb)" --connect-timeout=5 -NBe "$1"
}}
wsrep() {{ client "SHOW GLOBAL VARIABLES LIKE 'wsrep_on'; SHOW GLOBAL STATUS LIKE 'wsrep\\_%'"; }}
moving() {{
    data=/var/lib/mysql
    if command -v my_print_defaults > /dev/null 2>&1; then
        own=$(my_print_defaults --mysqld 2> /dev/null | sed -n 's/^--datadir=//p' | tail -n 1)
        [ -z "$own" ] || data=${{own%/}}
    fi
    [ -e "$data/sst_in_progress" ] || cat /proc/[0-9]*/comm 2> /dev/null | grep -q '^wsrep_sst_' ||
        return 0
    du -sb --exclude=galera.cache "$data" 2> /dev/null | cut -f 1
    written
}}
# rsync writes into the files that are there already: their size says nothing until the end. A process
# counts those of its children that have ended.
written() {{
    sum=0
    for process in $(grep -l -x -E \
        'rsync|mbstream|xbstream|mariabackup|mariadb-backup|xtrabackup' /proc/[0-9]*/comm 2> /dev/null); do
        while read -r key count; do [ "$key" != wchar: ] || sum=$((sum + count)); done < "${{process%comm}}io"
    done 2> /dev/null
    echo "$sum"
}}
process() {{ cat /proc/[0-9]*/comm 2> /dev/null | grep -c -x -E 'mariadbd|mysqld'; return 0; }}
volume() {{ gluster --mode=script volume "$@" --xml < /dev/null; }}
mounted() {{
    type=$(findmnt -n -o FSTYPE --mountpoint "$(realpath -m -- "$dir")" 2> /dev/null | tail -n 1)
    echo "${{type:-nothing}}"
    [ "$type" = fuse.glusterfs ] || return 0
    file=$dir/.clusterpanel-look-$$
    timeout -k 1 10 sh -c 'echo well > "$1" && cat "$1" && rm -f "$1"' - "$file"
}}
case $what in *" {DATABASE} "*)
    part unit unit mariadb.service
    part process process
    part wsrep wsrep
    part moving moving ;;
esac
case $what in *" {STORAGE} "*)
    part daemon unit glusterd.service
    part volumes volume info
    part status volume status all ;;
esac
case $what in *" {HEAL} "*)
    for name in $(gluster --mode=script volume list 2> /dev/null < /dev/null | grep -v ' '); do
        part "heal $name" volume heal "$name" info summary
    done ;;
esac
[ -z "$dir" ] || part mounted mounted
exit 0
"""


@dataclass(frozen=True)
class Look:
    """What one server said."""

    parts: Mapping[str, Section]

    @classmethod
    def of(cls, answer: Answer) -> Look:
        return cls(sections(answer.stdout.decode(errors="replace"), MARK))

    def word(self, part: str) -> str:
        section = self.parts.get(part)
        return section.lines[0] if section and section.lines else ""

    @cached_property
    def galera(self) -> GaleraFacts | Unknown:
        return read(self.parts, "wsrep", parse_galera.wsrep)

    @property
    def received(self) -> int | None:
        """Bytes of the data directory while a transfer fills it."""
        return self._moving(0)

    @property
    def written(self) -> int | None:
        """Bytes that the processes of the transfer have written, also into files that were there."""
        return self._moving(1)

    def _moving(self, place: int) -> int | None:
        lines = self.parts.get("moving", Section("", None)).lines[place : place + 1]
        return int(lines[0]) if lines and lines[0].isdecimal() else None

    @cached_property
    def volumes(self) -> tuple[GlusterVolume, ...] | Unknown:
        """The volumes with which brick runs, and what waits for healing where that was asked."""
        found = read(self.parts, "volumes", parse_gluster.volumes)
        online = read(self.parts, "status", parse_gluster.brick_status)
        if isinstance(found, Unknown):
            return found
        if isinstance(online, Unknown):
            return online
        return tuple(parse_gluster.with_bricks(v, online, self._backlog) for v in found)

    @cached_property
    def _backlog(self) -> Mapping[str, HealCount]:
        names = [name for name in self.parts if name.startswith(f"{HEAL} ")]
        told = [read(self.parts, name, parse_gluster.heal) for name in names]
        return {k: v for one in told if not isinstance(one, Unknown) for k, v in one.items()}

    @cached_property
    def daemons_down(self) -> list[str]:
        """Servers whose self-heal daemon was reported and does not run; "localhost" is this one."""
        section = self.parts.get("status", Section("", None))
        start = section.text.find("<")
        try:
            root = document(section.text[start:] if start >= 0 else "<none/>")
        except ElementTree.ParseError:
            return []
        rows = [n for n in root.iter("node") if n.findtext("hostname") == "Self-heal Daemon"]
        return [n.findtext("path") or "?" for n in rows if n.findtext("status") != "1"]

    @property
    def mounted(self) -> bool:
        """A GlusterFS mount that took a file and gave it back."""
        section = self.parts.get("mounted")
        return bool(section and section.exit_code == 0 and section.lines[1:2] == ["well"])
