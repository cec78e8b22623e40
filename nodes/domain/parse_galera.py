"""Reads wsrep status, databases, units and `grastate.dat`. Quirks: see each function."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nodes.domain.observation import NO_SEQNO, GaleraFacts, Grastate, Transfer, Unknown
from nodes.domain.parse_sections import Section, not_understood, refused, total

SYSTEM_SCHEMAS = frozenset({"information_schema", "mysql", "performance_schema", "sys"})
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@total
def wsrep(section: Section) -> GaleraFacts | Unknown:
    """Tab-separated `SHOW` output of the shell's client."""
    if section.exit_code:
        return refused(section)
    pairs = [line.split("\t", 1) for line in section.text.splitlines() if "\t" in line]
    return galera_facts({name.lower(): value.strip() for name, value in pairs}, section)


def galera_facts(
    status: Mapping[str, str], section: Section | None = None
) -> GaleraFacts | Unknown:
    """Facts from name and value, whoever asked. `wsrep_on` absent: a server without wsrep."""
    if not status:
        return not_understood(section or Section("", 0))
    try:
        return GaleraFacts(
            wsrep_on=_on(status.get("wsrep_on", "OFF")),
            cluster_status=status.get("wsrep_cluster_status", ""),
            cluster_size=_number(status.get("wsrep_cluster_size", "")) or 0,
            cluster_uuid=_uuid(status.get("wsrep_cluster_state_uuid", "")),
            local_state=_number(status.get("wsrep_local_state", "")) or 0,
            local_state_comment=status.get("wsrep_local_state_comment", ""),
            ready=_on(status.get("wsrep_ready", "OFF")),
            raw=dict(status),
        )
    except ValueError:
        return not_understood(section or Section(str(dict(status)), 0))


def _on(text: str) -> bool:
    return text.strip().upper() in ("ON", "1", "YES")


def _number(text: str) -> int | None:
    """None for an empty value, -1 and 2**64-1, which all mean "no number"."""
    if not text.strip():
        return None
    number = int(text)
    return None if number in (-1, NO_SEQNO) else number


def _uuid(text: str) -> str:
    uuid = text.strip().lower()
    if uuid and not _UUID.fullmatch(uuid):
        raise ValueError(uuid)
    return uuid


@total
def databases(section: Section) -> Mapping[str, int] | Unknown:
    """Name and number of tables; the server's own schemas are left out."""
    if section.exit_code:
        return refused(section)
    pairs = [line.rsplit("\t", 1) for line in section.text.splitlines() if line.strip()]
    counts = {name: int(count) for name, count in pairs}
    return {name: n for name, n in counts.items() if name.lower() not in SYSTEM_SCHEMAS}


@total
def units(section: Section) -> Mapping[str, str] | Unknown:
    """`systemctl show`: an absent unit is "not-found", which `is-active` would call inactive.

    A quick answer has only Id and ActiveState: whether the unit is there is known from before.
    """
    if section.exit_code:
        return refused(section)
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in section.lines:
        key, _, value = line.partition("=")
        if key == "Id":
            current = found.setdefault(value.removesuffix(".service"), {})
        current[key] = value
    if not found:
        return not_understood(section)
    return {name: _unit_state(unit) for name, unit in found.items()}


def _unit_state(unit: Mapping[str, str]) -> str:
    return "not-found" if unit.get("LoadState") == "not-found" else unit["ActiveState"]


@total
def enabled(section: Section) -> Mapping[str, str] | Unknown:
    """Whether each unit starts at boot: enabled, disabled, "" when it cannot be told."""
    names = [line.removeprefix("Id=") for line in section.lines if line.startswith("Id=")]
    states = [
        line.removeprefix("UnitFileState=")
        for line in section.lines
        if line.startswith("UnitFileState=")
    ]
    return dict(zip((n.removesuffix(".service") for n in names), states, strict=True))


@total
def mysqld_running(section: Section) -> bool | Unknown:
    return int(section.lines[0]) > 0


@total
def grastate(section: Section) -> Grastate | Unknown:
    """The file as it is: CR, missing lines and an empty file are met in the field."""
    if section.exit_code:
        return refused(section)
    if section.text.strip() in ("absent", "no data directory"):
        return Grastate(present=False)
    values = dict(re.findall(r"^[ \t]*(\w+):[ \t]*(\S+)", section.text, flags=re.MULTILINE))
    flag = values.get("safe_to_bootstrap")
    return Grastate(
        present=True,
        uuid=_uuid(values.get("uuid", "")),
        seqno=_number(values.get("seqno", "")),
        safe_to_bootstrap=None if flag is None else {"0": False, "1": True}[flag],
    )


@total
def marker(section: Section) -> str | Unknown:
    """What would make the next start of mariadb begin a new cluster; "" when nothing does."""
    return " ".join(section.lines)


_SCRIPT = re.compile(r"wsrep_sst_(\w+)")
_START = re.compile(r"wsrep_start_position=[0-9a-f-]{36}:(\d+)")
_RECEIVES = "Joining: receiving State Transfer"


@total
def transfer(section: Section) -> Transfer | Unknown | None:
    """A state snapshot under way: the server's script with its role, or a joiner's marker alone.

    The script's command line is `… wsrep_sst_rsync --role donor --address HOST:PORT/… …`; a donor that
    sends only what was missed has `--bypass` in it. A joiner does not know until the script has ended.
    """
    if section.exit_code:
        return refused(section)
    scripts = [line for line in section.lines if line.startswith("script ") and "--role" in line]
    if not scripts:
        return _marked(section)
    words = scripts[0].split()
    method = _SCRIPT.search(scripts[0])
    return Transfer(
        kind="IST" if "--bypass" in words else "SST",
        role={"joiner": "joiner", "donor": "donor"}[_after(words, "--role")],
        method=method[1] if method else "",
        peer=_after(words, "--address"),
        bytes=_bytes(section),
    )


def _marked(section: Section) -> Transfer | None:
    joins = "marked" in section.lines
    return Transfer("SST", "joiner", bytes=_bytes(section)) if joins else None


def _after(words: list[str], option: str) -> str:
    """The word after an option; the server quotes some of them."""
    return words[words.index(option) + 1].strip("'") if option in words else ""


def _bytes(section: Section) -> int | None:
    told = [line.removeprefix("bytes ") for line in section.lines if line.startswith("bytes ")]
    return int(told[0]) if told and told[0] else None


def incremental(galera: GaleraFacts | Unknown, section: Section) -> Transfer | None:
    """A joiner that applies what it missed: MariaDB answers then, and its last change moves.

    Where it began is on the server's own command line (from `galera_recovery`), but only until the unit
    counts as started; then it is what was seen first. Where it ends, only the others know. MariaDB
    has no status variable for it.
    """
    if isinstance(galera, Unknown) or galera.local_state_comment != _RECEIVES:
        return None
    started = _START.search(section.text)
    current = _number(galera.raw.get("wsrep_last_committed", ""))
    return Transfer("IST", "joiner", first=int(started[1]) if started else current, current=current)
