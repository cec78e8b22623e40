"""`getent` and `ip`: who and where the nodes are."""

from __future__ import annotations

from nodes.simulation.skin.commands.shell import Shell


def ip(shell: Shell, argv: list[str]) -> int:
    shell.out("1: lo    inet 127.0.0.1/8 scope host lo\n")
    shell.out(f"2: eth0    inet {shell.node().address}/24 scope global eth0\n")
    return 0


def getent(shell: Shell, argv: list[str]) -> int:
    """Names of the nodes, and addresses as they are."""
    asked = argv[-1]
    for node in shell.world().nodes.values():
        if asked in (node.host, node.name, node.address):
            ahosts = "ahosts" in argv[0]
            shell.out(f"{node.address} {f'STREAM {asked}' if ahosts else node.name}\n")
            return 0
    return 2
