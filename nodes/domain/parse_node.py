"""One node's facts from the output of one beat. Total: whatever came, facts come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from nodes.domain import parse_galera, parse_system
from nodes.domain.observation import (
    NOT_ASKED,
    SLOW_FACTS,
    GaleraFacts,
    NodeFacts,
    Transfer,
    Unknown,
)
from nodes.domain.parse_sections import Section, read


def unreachable(host: str, taken_at: float, why: Unknown, *, ssh: bool = False) -> NodeFacts:
    """A node that did not answer: everything about it is unknown, for the same reason.

    `ssh` True when the connection stood and only the answer did not come in time.
    """
    names = {f.name for f in fields(NodeFacts)} - {"host", "taken_at", "ssh", "extra", "read_at"}
    facts: dict[str, Any] = dict.fromkeys(names, why)
    return NodeFacts(host=host, taken_at=taken_at, ssh=True if ssh else why, **facts)


def node_facts(
    host: str,
    parts: Mapping[str, Section],
    *,
    asked_at: float,
    answered_at: float,
    galera: GaleraFacts | None = None,
    quick: bool = False,
    wrote: bool = True,
) -> NodeFacts:
    """Facts of a node that answered between the two moments (seconds since the epoch, ours).

    `galera` is the status as the server's own protocol gave it; None: the shell's client was asked.
    `quick`: what hardly ever changes was left out, and is NOT_ASKED. `wrote`: the storage was
    written to, not only read.
    """
    status = read(parts, "wsrep", parse_galera.wsrep) if galera is None else galera
    facts = NodeFacts(
        host=host,
        taken_at=answered_at,
        ssh=True,
        galera=status,
        gluster_peers=NOT_ASKED,
        gluster_volumes=NOT_ASKED,
        **_machine(parts, _clock(parts, asked_at, answered_at)),
        **_database(parts, status),
        **_application(parts),
        read_at=dict.fromkeys(_groups(quick, wrote), answered_at),
    )
    return _without_slow(facts, parts) if quick else facts


def _without_slow(facts: NodeFacts, parts: Mapping[str, Section]) -> NodeFacts:
    """The bootstrap marker may be asked all the same, before a cluster is begun."""
    left_out: dict[str, Any] = dict.fromkeys(SLOW_FACTS, NOT_ASKED)
    if "marker" in parts:
        left_out.pop("bootstrap_marker")
    return replace(facts, **left_out)


def _groups(quick: bool, wrote: bool) -> list[str]:
    return ["beat", *([] if quick else ["slow"]), *(["write"] if wrote else [])]


def carried(new: NodeFacts, old: NodeFacts | None) -> NodeFacts:
    """The new facts, with those of the older ones that were left out this time, and their age.

    A node that was started again since is asked anew: nothing is carried over a boot.
    """
    if old is None or new.ssh is not True or old.boot_id != new.boot_id:
        return new
    kept = {} if "slow" in new.read_at else _kept(new, old)
    kept |= _begun(new.transfer, old.transfer)
    older = {group: old.read_at[group] for group in ("slow", "write") if group in old.read_at}
    return replace(new, **kept, read_at={**older, **new.read_at})


def _begun(new: Transfer | Unknown | None, old: Transfer | Unknown | None) -> dict[str, Any]:
    """A transfer that goes on has begun where it was first seen."""
    if not isinstance(new, Transfer) or not isinstance(old, Transfer) or old.first is None:
        return {}
    same = (new.kind, new.role) == (old.kind, old.role)
    return {"transfer": replace(new, first=old.first)} if same else {}


def _kept(new: NodeFacts, old: NodeFacts) -> dict[str, Any]:
    """Of the older facts what a quick question leaves out; of the units, which of them are there."""
    left_out = [name for name in SLOW_FACTS if getattr(new, name) == NOT_ASKED]
    kept = {name: getattr(old, name) for name in left_out}
    kept["extra"] = {**new.extra, "enabled": old.extra.get("enabled", {})}
    if not isinstance(new.units, Unknown) and not isinstance(old.units, Unknown):
        absent = {name for name, state in old.units.items() if state == "not-found"}
        kept["units"] = {
            name: "not-found" if name in absent and state in ("inactive", "unknown") else state
            for name, state in new.units.items()
        }
    return kept


def _machine(parts: Mapping[str, Section], clock: tuple[float, float] | Unknown) -> dict[str, Any]:
    offset, error = (clock, 0.0) if isinstance(clock, Unknown) else clock
    identity = _split(read(parts, "identity", parse_system.identity), 4)
    system = _split(read(parts, "system", parse_system.system), 3)
    disks = read(parts, "free", parse_system.disks)
    return {
        **dict(zip(("boot_id", "hostname", "is_root", "addresses"), identity, strict=True)),
        **dict(zip(("uptime_s", "load1", "memory"), system, strict=True)),
        "clock_offset_s": offset,
        "disk_free": disks if isinstance(disks, Unknown) else disks[0],
        "units": read(parts, "units", parse_galera.units),
        "versions": read(parts, "versions", parse_system.versions),
        "extra": _extra(parts, disks) | {"clock_error_s": error},
    }


def _database(parts: Mapping[str, Section], galera: GaleraFacts | Unknown) -> dict[str, Any]:
    snapshot = read(parts, "transfer", parse_galera.transfer)
    section = parts.get("transfer", Section("", None))
    return {
        "transfer": snapshot or parse_galera.incremental(galera, section),
        "mysqld_running": read(parts, "mysqld", parse_galera.mysqld_running),
        "databases": read(parts, "databases", parse_galera.databases),
        "bootstrap_marker": read(parts, "marker", parse_galera.marker),
        "grastate": read(parts, "grastate", parse_galera.grastate),
    }


def _application(parts: Mapping[str, Section]) -> dict[str, Any]:
    return {
        "env": read(parts, "env_keys", parse_system.env_keys),
        "scripts": read(parts, "scripts", parse_system.scripts),
        "mount": _mount(parts),
        "page": read(parts, "page", parse_system.page),
    }


def _split(values: Any, count: int) -> tuple[Any, ...]:
    return (values,) * count if isinstance(values, Unknown) else values


def _mount(parts: Mapping[str, Section]) -> Any:
    exists, answers = parts.get("mount_exists"), parts.get("mount_answers")
    return read(parts, "mount_state", lambda state: parse_system.mount(state, exists, answers))


def _clock(
    parts: Mapping[str, Section], asked_at: float, answered_at: float
) -> tuple[float, float] | Unknown:
    """The offset, and how far it may be wrong.

    The middle of what is possible: the first reading came after we asked, the last before we were
    answered. How long the questions took in between does not matter; a quick one has one reading.
    """
    first = read(parts, "clock", parse_system.clock)
    last = read(parts, "clock_end" if "clock_end" in parts else "clock", parse_system.clock)
    if isinstance(first, Unknown):
        return first
    if isinstance(last, Unknown):
        return last
    most, least = first - asked_at, last - answered_at
    return round((most + least) / 2, 3), round(abs(most - least) / 2, 3)


def _storage_path(parts: Mapping[str, Section]) -> str:
    """Where the storage directory really lies; "" when that was not told."""
    section = parts.get("mount_state")
    return section.lines[0] if section and section.lines else ""


def _extra(parts: Mapping[str, Section], disks: Any) -> dict[str, Any]:
    enabled = read(parts, "units", parse_galera.enabled)
    words, datadir, noted = parse_system.traces(parts.get("traces", Section("", None)))
    return {
        "enabled": {} if isinstance(enabled, Unknown) else dict(enabled),
        "datadir": datadir,
        "storage": _storage_path(parts),
        "traces": tuple(sorted(words)),
        "stop_note": noted,
        "disk_total": {} if isinstance(disks, Unknown) else dict(disks[1]),
    }
