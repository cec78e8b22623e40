"""What a lab looks like now, for people and for programs."""

from typing import Any

from . import identity, network, node
from .state import Lab, Node


def as_json(lab: Lab) -> dict[str, Any]:
    return {
        "name": lab.name,
        "nodes": [_node(each) for each in lab.nodes],
        "key": str(lab.key),
        "known_hosts": str(lab.known_hosts),
        "username": "root",
        "root_password": lab.root_password,
    }


def as_text(lab: Lab) -> str:
    facts = as_json(lab)
    lines = [f"lab {lab.name}: root's key {facts['key']}, root's password {lab.root_password}"]
    for each in facts["nodes"]:
        cut = "  cut off from its peers" if each["partitioned"] else ""
        lines.append(
            f"  {each['name']}  {each['address']:<13} {each['state']:<8} {each['host_key_sha256']}{cut}"
        )
    return "\n".join(lines)


def _node(one: Node) -> dict[str, Any]:
    return {
        "name": one.name,
        "address": str(one.address),
        "ssh_port": 22,
        "state": "running" if node.is_on(one) else "off",
        "host_key_sha256": identity.host_key_sha256(one),
        "boot_id": node.boot_id(one),
        "partitioned": network.is_partitioned(one),
        "console": str(one.console),
    }
