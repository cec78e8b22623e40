"""Simulated servers from a terminal: see them, break them, mend them.

`make demo` prints a short command that does this; by hand it is

python -m nodes.simulation /tmp/servers up --nodes 3
python -m nodes.simulation /tmp/servers crash node2
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nodes.simulation.cluster import SimulatedCluster
from nodes.simulation.world import Node, World
from nodes.transport.keys import fingerprint
from nodes.transport.simulated import host_key

CALLED = "SERVERS_COMMAND"  # what the person typed, when a script of another name started us
_EVERY = "all"


def _reinstalled(cluster: SimulatedCluster, host: str) -> None:
    """Nobody who was connected before is still connected after it."""
    cluster.change_host_key(host)
    cluster.cut_connections(host)


def _each(act: Callable[[SimulatedCluster, str], None]) -> Callable[..., None]:
    def one_by_one(cluster: SimulatedCluster, *hosts: str) -> None:
        for host in hosts:
            act(cluster, host)

    return one_by_one


FAULTS: Mapping[str, tuple[Callable[..., None], str]] = {
    "crash": (lambda c, *hosts: c.power_cut(*hosts), "power cut: every process ends at once"),
    "poweroff": (_each(lambda c, host: c.power_off(host)), "clean shutdown"),
    "boot": (lambda c, *hosts: c.power_on(*hosts), "switch on"),
    "reboot": (_each(lambda c, host: c.reboot(host)), "clean shutdown, then on again"),
    "partition": (_each(lambda c, host: c.partition(host)), "cut off from the other servers"),
    "rejoin": (_each(lambda c, host: c.rejoin(host)), "undo a partition"),
    "fill": (_each(lambda c, host: c.fill_disk(host)), "the disk is full"),
    "empty": (_each(lambda c, host: c.fill_disk(host, full=False)), "the disk has room again"),
    "cut": (
        _each(lambda c, host: c.cut_connections(host)),
        "break the panel's connections; jobs go on",
    ),
    "new-key": (_each(_reinstalled), "another host key, as after reinstalling"),
}


def main(argv: list[str]) -> int:
    if not argv or argv[0].startswith("-"):
        print(__doc__)
        return 2
    base = Path(argv[0]).absolute()
    called = os.environ.get(CALLED) or f"python -m nodes.simulation {argv[0]}"
    parser = _parser(called)
    arguments = parser.parse_args(argv[1:] or ["--help"])
    if arguments.command == "up" and not base.exists():
        hosts = tuple(f"10.0.0.{10 + number}" for number in range(1, arguments.nodes + 1))
        SimulatedCluster.create(base, hosts)
    cluster = SimulatedCluster.at(base)
    if not cluster.layout.world.exists():
        parser.error(f"there are no simulated servers in {base}")
    if arguments.command in FAULTS:
        FAULTS[arguments.command][0](cluster, *_hosts(parser, cluster.world, arguments.server))
    found = describe(cluster)
    print(json.dumps(found, indent=1) if arguments.json else table(found["nodes"]))
    return 0


def _hosts(parser: argparse.ArgumentParser, world: World, named: list[str]) -> list[str]:
    """Addresses of the servers that were named by name or address; `all` is every one."""
    known = {name: node.host for node in world.nodes.values() for name in (node.host, node.name)}
    if strangers := [name for name in named if name not in known and name != _EVERY]:
        names = ", ".join(node.name for node in world.nodes.values())
        parser.error(f"there is no server {strangers[0]}; there are {names}, or {_EVERY}")
    return list(world.hosts) if _EVERY in named else [known[name] for name in named]


def describe(cluster: SimulatedCluster) -> dict[str, Any]:
    """What a person or `make demo` needs to add the servers to the panel."""
    world = cluster.world
    nodes = [
        {
            "name": node.name,
            "address": node.host,
            "state": _state(world, node),
            "host_key_sha256": fingerprint(host_key(cluster, node.host)),
            "root": str(cluster.root(node.host)),
        }
        for node in world.nodes.values()
    ]
    return {"nodes": nodes, "username": "root", "root_password": "any password is accepted"}


def _state(world: World, node: Node) -> str:
    if not node.up:
        return "off" if node.boots_at is None else "starting"
    others = [host for host in world.hosts if host != node.host]
    words = ["running"]
    if others and all(frozenset((node.host, other)) in world.cut for other in others):
        words.append("cut off")
    if node.full:
        words.append("disk full")
    return ", ".join(words)


def table(nodes: list[dict[str, str]]) -> str:
    wide = max(len(node["state"]) for node in nodes)
    return "\n".join(
        f"{n['name']}  {n['address']:<15} {n['state']:<{wide}}  {n['host_key_sha256']}"
        for n in nodes
    )


def _parser(called: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=called, description="See, break and mend simulated servers."
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("status", help="addresses, what is on, host keys")
    up = commands.add_parser("up", help="make the servers, or show those that are there")
    up.add_argument("--nodes", type=int, default=3, help="how many (default 3)")
    for name, (_, text) in FAULTS.items():
        fault = commands.add_parser(name, help=text, description=text)
        fault.add_argument("server", nargs="+", help=f"name or address; several, or {_EVERY}")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
