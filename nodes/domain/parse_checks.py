"""Reads what the script of the checks printed."""

from __future__ import annotations

from collections.abc import Mapping

from nodes.domain.checks import CheckFacts, PortTry
from nodes.domain.observation import Unknown
from nodes.domain.parse_sections import Section, read, refused, total

_LOOPBACK = ("127.", "[::1]", "::1")


def check_facts(parts: Mapping[str, Section]) -> CheckFacts:
    return CheckFacts(
        ports=read(parts, "ports", ports),
        listening=read(parts, "listening", listening),
        names=read(parts, "names", names),
        firewall=read(parts, "firewall", firewall),
        jobs=read(parts, "jobs", jobs),
    )


@total
def ports(section: Section) -> tuple[PortTry, ...] | Unknown:
    if section.exit_code:
        return refused(section)
    rows = [line.split(" ", 3) for line in section.lines]
    return tuple(
        PortTry(host, int(port), int(code), " ".join(said)) for host, port, code, *said in rows
    )


@total
def listening(section: Section) -> frozenset[int] | Unknown:
    """`ss -ltn`: the local address column. A scope or "*" may stand before the port."""
    if section.exit_code:
        return refused(section)
    outward = [line for line in section.lines if not line.startswith(_LOOPBACK)]
    return frozenset(int(line.rpartition(":")[2]) for line in outward)


@total
def names(section: Section) -> Mapping[str, str] | Unknown:
    pairs = [line.partition(" ") for line in section.lines]
    return {host: address for host, _, address in pairs}


@total
def firewall(section: Section) -> Mapping[str, str] | Unknown:
    pairs = [line.partition(" ") for line in section.lines]
    return {name: state.lower() for name, _, state in pairs}


@total
def jobs(section: Section) -> tuple[str, ...] | Unknown:
    return tuple(section.lines)
