"""The command line. Each command is a few lines here; what it does is in `lifecycle` and `node`."""

import argparse
import json
import os
import sys
from collections.abc import Callable

from . import base, host, lifecycle, node, report, state
from .names import Names, home, node_number
from .proc import LabError
from .state import Lab, Node

Arguments = argparse.Namespace


def main(argv: list[str]) -> int:
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command not in ("check", "base"):
            arguments.names = Names(arguments.name, home())
        return arguments.act(arguments) or 0
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130


def _check(_: Arguments) -> None:
    host.check()
    print("a lab can run here")


def _base(arguments: Arguments) -> None:
    host.check()
    base.ensure()
    if arguments.prune:
        base.prune()
    print("\n".join(str(path) for path in base.lower_layers(1)))


def _build_layers(_: Arguments) -> None:
    base.build_missing()


def _up(arguments: Arguments) -> None:
    with state.lab_lock(arguments.names):
        lab = lifecycle.up(arguments.names, arguments.nodes)
    _show(arguments, lab)


def _down(arguments: Arguments) -> None:
    host.require_root()
    with state.lab_lock(arguments.names):
        lifecycle.down(arguments.names)


def _stop_all(arguments: Arguments) -> None:
    for stored in sorted(home().glob("*/lab.json")):
        arguments.names = Names(stored.parent.name, home())
        _down(arguments)


def _reset(arguments: Arguments) -> None:
    host.check()
    with state.lab_lock(arguments.names):
        lab = state.load_existing(arguments.names)
        lifecycle.reset(lab, arguments.new_host_keys)
    _show(arguments, lab)


def _status(arguments: Arguments) -> None:
    _show(arguments, state.load_existing(arguments.names))


def _ssh(arguments: Arguments) -> None:
    one = _chosen(arguments)
    options = ["-i", one.lab.key, "-o", f"UserKnownHostsFile={one.lab.known_hosts}"]
    options += [
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "LogLevel=ERROR",
    ]
    os.execvp("ssh", ["ssh", *map(str, options), f"root@{one.address}", *arguments.rest])


def _log(arguments: Arguments) -> None:
    journal = [*node.journal_command(_chosen(arguments)), *arguments.rest]
    os.execvp(journal[0], journal)


def _on_node(act: Callable[[Node], None]) -> Callable[[Arguments], None]:
    """A command that changes one node and then shows the lab."""

    def command(arguments: Arguments) -> None:
        host.check()
        one = _chosen(arguments)
        act(one)
        if arguments.json:
            _show(arguments, one.lab)

    return command


def _chosen(arguments: Arguments) -> Node:
    lab = state.load_existing(arguments.names)
    number = node_number(arguments.node)
    if number > lab.count:
        raise LabError(f"lab {lab.name!r} has {lab.count} nodes, no {arguments.node}")
    return lab.nodes[number - 1]


def _show(arguments: Arguments, lab: Lab) -> None:
    print(json.dumps(report.as_json(lab), indent=1) if arguments.json else report.as_text(lab))


_NODE_COMMANDS: dict[str, tuple[Callable[[Node], None], str]] = {
    "crash": (lifecycle.crash, "power cut: every process of the node is killed at once"),
    "poweroff": (lifecycle.power_off, "clean shutdown"),
    "boot": (lifecycle.boot, "switch a node on, wait for its sshd"),
    "reboot": (lifecycle.reboot, "clean reboot, wait for its sshd"),
    "partition": (lifecycle.partition, "cut a node from its peers; the host still reaches it"),
    "rejoin": (lifecycle.rejoin, "undo a partition"),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description=_DESCRIPTION)
    _add_common(parser, name="demo", json=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, act: Callable[[Arguments], None], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        _add_common(added, name=argparse.SUPPRESS, json=argparse.SUPPRESS)
        added.set_defaults(act=act)
        return added

    _add_lab_commands(command)
    _add_node_commands(command)
    return parser


def _add_common(parser: argparse.ArgumentParser, name: str, json: bool | str) -> None:
    """Allowed before and after the command; only the one before has defaults, or it would be overwritten."""
    parser.add_argument("--name", default=name, help='which lab (default "demo")')
    parser.add_argument("--json", action="store_true", default=json, help="print the lab as JSON")


_DESCRIPTION = "Real cluster nodes (systemd, sshd, MariaDB Galera, GlusterFS) on this machine."

AddCommand = Callable[[str, Callable[[Arguments], None], str], argparse.ArgumentParser]


def _add_lab_commands(command: AddCommand) -> None:
    text = "bring a lab up: make what is missing, boot what is off, wait for sshd and a pristine MariaDB"
    command("up", _up, text).add_argument(
        "--nodes", type=int, default=None, help="how many (default 3)"
    )
    command("down", _down, "remove a lab without a trace; the built base stays")
    command("stop-all", _stop_all, "take every lab down")
    text = "throw all nodes away and boot pristine ones; addresses, root key, password and host keys stay"
    reset = command("reset", _reset, text)
    reset.add_argument("--new-host-keys", action="store_true", help="as after a reinstallation")
    command("status", _status, "addresses, host keys, what runs")
    command("check", _check, "can a lab run here? If not: exit 3 and one sentence")
    built = command("base", _base, "build the base layers if they are missing")
    built.add_argument(
        "--prune", action="store_true", help="delete old layers that no node lies on"
    )
    command("build-layers", _build_layers, "(internal) the build, inside its own namespaces")


def _add_node_commands(command: AddCommand) -> None:
    for name, (act, text) in _NODE_COMMANDS.items():
        command(name, _on_node(act), text).add_argument("node", help="node1, node2, ...")
    journal = "read a node's journal, also when it is off; ARG goes to journalctl"
    _add_passing_on(command("ssh", _ssh, "log in as root, or run a command"))
    _add_passing_on(command("log", _log, journal))


def _add_passing_on(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", help="node1, node2, ...")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="ARG")
