"""Which ports of which node can be reached from a node, as files that shell scripts read."""

from __future__ import annotations

from nodes.simulation.skin.files import put
from nodes.simulation.skin.layout import Layout
from nodes.simulation.world import Node, Stage, World

PORTS = (22, 3306, 4444, 4567, 4568, 24007, 49152)

# `bash -c 'exec 3<>/dev/tcp/…' HOST PORT` is how the checks try a port; other scripts run as they are.
BASH = """case "${2:-}" in */dev/tcp/*) ;; *) PATH=/usr/bin:/bin exec bash "$@" ;; esac
state=; [ ! -r "%(folder)s/$3-$4" ] || read -r state < "%(folder)s/$3-$4"
case $state in
    open) exit 0 ;;
    refused) echo "bash: connect: Connection refused" >&2; exit 1 ;;
    *) echo "bash: connect: No route to host" >&2; exit 1 ;;
esac"""


def folder(layout: Layout, host: str) -> str:
    return f"{layout.root(host)}/.net"


def listening(node: Node) -> frozenset[int]:
    """4444 and 4568 are open only for the moment of a transfer, which nobody meets."""
    found = {22}
    server = node.server
    if server is not None and server.ready:
        found.add(3306)
    if server is not None and server.stage is not Stage.ALONE:
        found.add(4567)
    if node.daemon is not None:
        found.add(24007)
    if node.bricks:
        found.add(49152)
    return frozenset(found) if node.up else frozenset()


def write(layout: Layout, world: World, node: Node) -> None:
    place = layout.root(node.host) / ".net"
    lines = (f"0.0.0.0:{port}\n" for port in sorted(listening(node)))
    put(place / "listening", "".join(lines))
    for other in world.nodes.values():
        open_there = listening(other)
        for port in PORTS:
            state = "open" if port in open_there else "refused"
            state = state if world.reach(node.host, other.host) else "silent"
            for name in {other.host, other.name, other.address}:
                put(place / f"{name}-{port}", f"{state}\n")
