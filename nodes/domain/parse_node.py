"""One node's facts from the output of one beat. Total: whatever came, facts come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from nodes.domain import parse_galera, parse_system
from nodes.domain.observation import NOT_ASKED, GaleraFacts, NodeFacts, Unknown
from nodes.domain.parse_sections import Section, read


def unreachable(host: str, taken_at: float, why: Unknown, *, ssh: bool = False) -> NodeFacts:
    """A node that did not answer: everything about it is unknown, for the same reason.

    `ssh` True when the connection stood and only the answer did not come in time.
    """
    names = {f.name for f in fields(NodeFacts)} - {"host", "taken_at", "ssh", "extra"}
    facts: dict[str, Any] = dict.fromkeys(names, why)
    return NodeFacts(host=host, taken_at=taken_at, ssh=True if ssh else why, **facts)


def node_facts(
    host: str,
    parts: Mapping[str, Section],
    *,
    asked_at: float,
    answered_at: float,
    galera: GaleraFacts | None = None,
) -> NodeFacts:
    """Facts of a node that answered between the two moments (seconds since the epoch, ours).

    `galera` is the status as the server's own protocol gave it; None: the shell's client was asked.
    """
    status = read(parts, "wsrep", parse_galera.wsrep) if galera is None else galera
    return NodeFacts(
        host=host,
        taken_at=answered_at,
        ssh=True,
        galera=status,
        gluster_peers=NOT_ASKED,
        gluster_volumes=NOT_ASKED,
        clock_offset_s=_offset(parts, asked_at, answered_at),
        **_machine(parts),
        **_database(parts),
        **_application(parts),
    )


def _machine(parts: Mapping[str, Section]) -> dict[str, Any]:
    identity = _split(read(parts, "identity", parse_system.identity), 4)
    system = _split(read(parts, "system", parse_system.system), 3)
    disks = read(parts, "free", parse_system.disks)
    return {
        **dict(zip(("boot_id", "hostname", "is_root", "addresses"), identity, strict=True)),
        **dict(zip(("uptime_s", "load1", "memory"), system, strict=True)),
        "disk_free": disks if isinstance(disks, Unknown) else disks[0],
        "units": read(parts, "units", parse_galera.units),
        "versions": read(parts, "versions", parse_system.versions),
        "extra": _extra(parts, disks),
    }


def _database(parts: Mapping[str, Section]) -> dict[str, Any]:
    return {
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
    }


def _split(values: Any, count: int) -> tuple[Any, ...]:
    return (values,) * count if isinstance(values, Unknown) else values


def _mount(parts: Mapping[str, Section]) -> Any:
    exists, answers = parts.get("mount_exists"), parts.get("mount_answers")
    return read(parts, "mount_state", lambda state: parse_system.mount(state, exists, answers))


def _offset(parts: Mapping[str, Section], asked_at: float, answered_at: float) -> float | Unknown:
    """The middle of what is possible: the first reading came after we asked, the last before
    we were answered. How long the questions took in between does not matter."""
    first = read(parts, "clock", parse_system.clock)
    last = read(parts, "clock_end", parse_system.clock)
    if isinstance(first, Unknown):
        return first
    if isinstance(last, Unknown):
        return last
    return round(((first - asked_at) + (last - answered_at)) / 2, 3)


def _extra(parts: Mapping[str, Section], disks: Any) -> dict[str, Any]:
    enabled = read(parts, "units", parse_galera.enabled)
    words, datadir = parse_system.traces(parts.get("traces", Section("", None)))
    return {
        "enabled": {} if isinstance(enabled, Unknown) else dict(enabled),
        "datadir": datadir,
        "traces": tuple(sorted(words)),
        "disk_total": {} if isinstance(disks, Unknown) else dict(disks[1]),
    }
