"""One bridge per lab, one cable and one network namespace per node, and how to cut a node off."""

from pathlib import Path

from . import addresses
from .names import Names
from .proc import run, succeeds
from .state import Lab, Node

_CUT = "clusterpanel_lab_cut"


def ensure_bridge(lab: Lab) -> None:
    """The lab's switch, with the host (and so the panel) plugged in."""
    bridge = lab.names.bridge
    if not _interface(bridge).exists():
        run("ip", "link", "add", bridge, "type", "bridge")
    host = f"{addresses.host_address(lab.subnet)}/{lab.subnet.prefixlen}"
    run("ip", "address", "replace", host, "dev", bridge)
    run("ip", "link", "set", bridge, "up")


def ensure_port(node: Node) -> None:
    """The node's namespace and cable. What is whole stays, and with it a partition."""
    if not _port_is_whole(node):
        _remove_port(node)
        _create_port(node)
    # Also where the port stayed: the bridge may be a new one.
    run(
        "ip", "link", "set", node.lab.names.veth(node.number), "master", node.lab.names.bridge, "up"
    )


def remove(names: Names) -> None:
    """Everything of the lab that exists, found by name: also what no file remembers."""
    for path in _interfaces(names):
        succeeds("ip", "link", "delete", path.name)
    for namespace in _namespaces(names):
        succeeds("ip", "netns", "delete", namespace)


def leftovers(names: Names) -> list[str]:
    return [path.name for path in _interfaces(names)] + _namespaces(names)


def partition(node: Node) -> None:
    """Cut a node from its peers; the host still reaches it. Survives a reboot of the node, as a broken cable would."""
    others = f"ip {{}} {node.lab.subnet} ip {{}} != {addresses.host_address(node.lab.subnet)}"
    rules = f"""
        add table ip {_CUT}
        delete table ip {_CUT}
        table ip {_CUT} {{
            chain in  {{ type filter hook input  priority 0; iif != lo {others.format("saddr", "saddr")} drop; }}
            chain out {{ type filter hook output priority 0; oif != lo {others.format("daddr", "daddr")} drop; }}
        }}"""
    run("ip", "netns", "exec", node.netns, "nft", "-f", "-", stdin=rules)


def rejoin(node: Node) -> None:
    if is_partitioned(node):
        run("ip", "netns", "exec", node.netns, "nft", "delete", "table", "ip", _CUT)


def is_partitioned(node: Node) -> bool:
    return succeeds("ip", "netns", "exec", node.netns, "nft", "list", "table", "ip", _CUT)


def _port_is_whole(node: Node) -> bool:
    if not _interface(node.lab.names.veth(node.number)).exists():
        return False
    return succeeds(
        "ip", "-n", node.netns, "route", "get", str(addresses.host_address(node.lab.subnet))
    )


def _create_port(node: Node) -> None:
    cable, own = node.lab.names.veth(node.number), f"{node.address}/{node.lab.subnet.prefixlen}"
    run("ip", "netns", "add", node.netns)
    run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", node.netns)
    inside = ["link set lo up", f"address add {own} dev eth0", "link set eth0 up"]
    run("ip", "-n", node.netns, "-batch", "-", stdin="\n".join(inside))


def _remove_port(node: Node) -> None:
    succeeds("ip", "link", "delete", node.lab.names.veth(node.number))
    succeeds("ip", "netns", "delete", node.netns)


def _interface(name: str) -> Path:
    return Path("/sys/class/net") / name


def _interfaces(names: Names) -> list[Path]:
    return sorted(Path("/sys/class/net").glob(f"{names.bridge}*"), reverse=True)


def _namespaces(names: Names) -> list[str]:
    return sorted(path.name for path in Path("/run/netns").glob(f"{names.netns_prefix}*"))
