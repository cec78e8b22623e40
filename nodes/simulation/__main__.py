"""Simulated servers from a terminal: `python -m nodes.simulation BASE up`, then let things happen.

python -m nodes.simulation /tmp/servers up --nodes 3
python -m nodes.simulation /tmp/servers crash 10.0.0.12
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from nodes.simulation.cluster import SimulatedCluster
from nodes.transport.keys import fingerprint
from nodes.transport.simulated import host_key

_FAULTS: Mapping[str, tuple[Callable[[SimulatedCluster, str], None], str]] = {
    "crash": (lambda c, host: c.power_cut(host), "power cut: every process is killed at once"),
    "poweroff": (lambda c, host: c.power_off(host), "clean shutdown"),
    "boot": (lambda c, host: c.power_on(host), "switch a node on"),
    "reboot": (lambda c, host: c.reboot(host), "clean reboot"),
    "partition": (lambda c, host: c.partition(host), "cut a node from its peers"),
    "rejoin": (lambda c, host: c.rejoin(host), "undo a partition"),
    "fill": (lambda c, host: c.fill_disk(host), "the disk is full"),
    "empty": (lambda c, host: c.fill_disk(host, full=False), "the disk has room again"),
    "cut": (lambda c, host: c.cut_connections(host), "break every connection; jobs go on"),
    "new-key": (lambda c, host: c.change_host_key(host), "another host key, as after reinstalling"),
}


def main(argv: list[str]) -> int:
    arguments = _parser().parse_args(argv)
    base = Path(arguments.base).absolute()
    if arguments.command == "up" and not base.exists():
        hosts = tuple(f"10.0.0.{10 + number}" for number in range(1, arguments.nodes + 1))
        SimulatedCluster.create(base, hosts)
    cluster = SimulatedCluster.at(base)
    if arguments.command in _FAULTS:
        _FAULTS[arguments.command][0](cluster, arguments.host)
    print(json.dumps(describe(cluster), indent=1))
    return 0


def describe(cluster: SimulatedCluster) -> dict[str, object]:
    """What a person or `make demo` needs to add the servers to the panel."""
    nodes = [
        {
            "name": node.name,
            "address": node.host,
            "state": "running" if node.up else "off",
            "host_key_sha256": fingerprint(host_key(cluster, node.host)),
            "root": str(cluster.root(node.host)),
        }
        for node in cluster.world.nodes.values()
    ]
    return {"nodes": nodes, "username": "root", "root_password": "any password is accepted"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nodes.simulation", description=__doc__)
    parser.add_argument("base", help="directory of the simulated cluster")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("status", help="addresses, host keys, what is on")
    up = commands.add_parser("up", help="make the servers, or show those that are there")
    up.add_argument("--nodes", type=int, default=3, help="how many (default 3)")
    for name, (_, text) in _FAULTS.items():
        commands.add_parser(name, help=text).add_argument("host")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
