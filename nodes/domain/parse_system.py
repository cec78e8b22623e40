"""Reads what every server tells: identity, clock, memory, disks, versions, `.env`, the mount."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nodes.domain.observation import EnvFacts, MountFacts, PageFacts, Unknown
from nodes.domain.parse_sections import Section, refused, total
from nodes.domain.text import say
from nodes.env_file import EnvFileError, key_lines, read_keys

_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)*")
_ENV_LINE_LIMIT = 100_000
NO_PAGE = Unknown(say("The settings of the cluster name no address of dpiui2's page."))


@total
def clock(section: Section) -> float:
    return float(section.lines[0])


@total
def identity(section: Section) -> tuple[str, str, bool, tuple[str, ...]]:
    """Boot id, host name, whether we are root, addresses. A quick beat tells the first alone."""
    boot_id, *rest = section.lines
    hostname, uid, *rest = rest or ("", "")
    addresses = rest[0].split() if rest and not section.exit_code else []
    return boot_id, hostname, uid == "0", tuple(addresses)


@total
def env_keys(section: Section) -> EnvFacts | Unknown:
    """The hash of the `.env`, when it was changed, and its lines that name a key, with their numbers."""
    if section.text.strip() == "absent":
        return EnvFacts(present=False)
    if section.exit_code:
        return refused(section)
    first, _, rest = section.text.partition("\n")
    sha256 = re.fullmatch(r"([0-9a-f]{64})\s+-", first.strip())
    if not sha256:
        return refused(section)
    changed = re.match(r"mtime (\d+)\n", rest)
    numbered = _numbered(rest)
    try:
        keys = read_keys(numbered)
    except EnvFileError as error:
        return Unknown(error.why)
    changed_at = float(changed[1]) if changed else None
    return EnvFacts(True, sha256[1], keys, key_lines(numbered), changed_at)


def _numbered(text: str) -> bytes:
    """`12:KEY=value` lines back on their line numbers, so that a complaint names the right ones."""
    lines = dict(re.findall(r"^(\d+):(.*)$", text, flags=re.MULTILINE))
    numbers = {int(number): line for number, line in lines.items()}
    last = min(max(numbers, default=0), _ENV_LINE_LIMIT)
    return "\n".join(numbers.get(number, "") for number in range(1, last + 1)).encode()


@total
def scripts(section: Section) -> Mapping[str, bool]:
    pairs = [line.split(" ", 1) for line in section.lines]
    return {name: {"yes": True, "no": False}[answer] for answer, name in pairs}


def mount(state: Section, exists: Section | None, answers: Section | None) -> MountFacts | Unknown:
    """The storage directory: the table of mounts is read first, because it never hangs.

    It answers when what was written is read back, or, between two such tests, when it can be read.
    """
    if state.exit_code or not state.lines:
        return refused(state)
    fstype, _, source = (state.lines[1:] or [""])[0].partition(" ")
    said = answers.text.strip()[:300] if answers else ""
    answered = said == "reads" or said.startswith("answers ")
    return MountFacts(
        mounted=fstype == "fuse.glusterfs",
        fstype=fstype,
        source=source,
        answers=answered,
        exists=bool(exists and exists.text.strip() == "yes"),
        why="" if answered else said,
    )


@total
def page(section: Section) -> PageFacts | Unknown:
    """The address, then what curl said and the HTTP status last; nothing: no address is set."""
    if not section.lines:
        return NO_PAGE
    if section.exit_code:
        return refused(section)
    url, *said = section.lines
    code = int(said[-1])
    return PageFacts(url, code, "" if code else " ".join(said[:-1])[:300])


@total
def disks(section: Section) -> tuple[Mapping[str, int], Mapping[str, int]] | Unknown:
    """Free and total bytes by path. A path that did not answer is missing."""
    rows = [line.split(" ", 2) for line in section.lines]
    return {p: int(free) for free, _, p in rows}, {p: int(size) for _, size, p in rows}


@total
def system(section: Section) -> tuple[float, float, Mapping[str, int]]:
    """Uptime in seconds, one-minute load, memory in bytes."""
    uptime, load, *memory = section.lines
    sizes = {line.split()[0].rstrip(":"): int(line.split()[1]) * 1024 for line in memory}
    found = {"total": sizes["MemTotal"], "available": sizes["MemAvailable"]}
    return float(uptime.split()[0]), float(load.split()[0]), found


@total
def versions(section: Section) -> Mapping[str, str]:
    """Of mariadb, gluster and, where rpm knows, dpiui2; "" when it is not installed.

    dpiui2 is missing from the answer where there is no rpm to ask.
    """
    found = {"mariadb": "", "gluster": ""}
    for line in section.lines:
        name, _, text = line.partition(" ")
        if name == "rpm":
            found["dpiui2"] = ""
        version = _VERSION.search(text.replace("mariadbd  Ver", ""))
        if name in ("mariadb", "gluster", "dpiui2") and version:
            found[name] = version[0]
    return found


def traces(section: Section) -> tuple[frozenset[str], str, str]:
    """What lies around (gvwstate, sst_in_progress, config_cached, config_older), the data directory,
    and what the panel noted when it stopped this server; "" nothing."""
    datadir = [line.split(" ", 1)[1] for line in section.lines if line.startswith("datadir ")]
    words = frozenset(line for line in section.lines if " " not in line)
    noted = [line.split(" ", 1)[1] for line in section.lines if line.startswith("stopped ")]
    return words, (datadir or ["/var/lib/mysql"])[0], (noted or [""])[0]
