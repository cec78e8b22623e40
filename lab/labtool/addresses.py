"""Which /24 a lab gets, and which address in it is whose."""

import json
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from .proc import LabError, run

_POOL = IPv4Network("10.77.0.0/16")
_FIRST_NODE = 10


def choose(taken: Iterable[IPv4Network]) -> IPv4Network:
    """The lowest /24 of the pool that overlaps nothing in use."""
    used = list(taken)
    for candidate in _POOL.subnets(new_prefix=24):
        if not any(candidate.overlaps(network) for network in used):
            return candidate
    raise LabError(f"no free /24 is left in {_POOL}: take a lab down")


def host_address(subnet: IPv4Network) -> IPv4Address:
    """The bridge's address: the panel's side."""
    return subnet[1]


def node_address(subnet: IPv4Network, number: int) -> IPv4Address:
    return subnet[_FIRST_NODE + number]


def routed_networks() -> list[IPv4Network]:
    """What this host can already reach; a default route is no claim on an address."""
    routes = json.loads(run("ip", "-j", "-4", "route", "show", "table", "all") or "[]")
    found = (str(route.get("dst", "default")) for route in routes)
    return [IPv4Network(dst, strict=False) for dst in found if dst[0].isdigit()]


def reserved_networks(home: Path) -> list[IPv4Network]:
    """What other labs own, running or not."""
    return [
        IPv4Network(json.loads(path.read_text())["subnet"])
        for path in sorted(home.glob("*/lab.json"))
    ]
