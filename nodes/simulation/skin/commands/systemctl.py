"""`systemctl`, `systemd-run`, `journalctl`, `galera_new_cluster`, `galera_recovery`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import pairwise

from nodes.simulation import events, mariadb
from nodes.simulation.skin import processes
from nodes.simulation.skin.commands.shell import Shell
from nodes.simulation.units import failed_reply
from nodes.simulation.world import Active, Node, Unit

_ALIASES = {"mysql.service": mariadb.UNIT, "mysqld.service": mariadb.UNIT}
_POLL_S = 0.03
_EXIT_INACTIVE, _EXIT_NO_UNIT = 3, 5


def _unit_name(word: str) -> str:
    name = word if word.endswith((".service", ".socket", ".target")) else f"{word}.service"
    return _ALIASES.get(name, name)


def systemctl(shell: Shell, argv: list[str]) -> int:
    options = [word for word in argv if word.startswith("-")]
    words = _plain(argv)
    verb, names = (words[0], [_unit_name(word) for word in words[1:]]) if words else ("", [])
    if verb in _VERBS:
        return _VERBS[verb](shell, names, [*options, *argv])
    shell.err(f"Unknown command verb {verb}.\n")
    return 1


def _plain(argv: list[str]) -> list[str]:
    """The words that are neither options nor values of options."""
    words: list[str] = []
    takes = False
    for word in argv:
        if takes:
            takes = False
        elif word in ("-p", "--property", "-s", "--signal", "-n", "-t", "--type"):
            takes = True
        elif not word.startswith("-"):
            words.append(word)
    return words


def _start(shell: Shell, names: list[str], options: list[str]) -> int:
    return max((_start_one(shell, name, "--no-block" in options) for name in names), default=0)


def _start_one(shell: Shell, name: str, at_once: bool) -> int:
    reply = shell.happen(events.StartUnit(shell.host, name))
    if reply.exit_code or at_once:
        return shell.answer(reply)
    state = _wait(shell, name, Active.ACTIVATING)
    return 0 if state is Active.ACTIVE else shell.answer(failed_reply(name))


def _wait(shell: Shell, name: str, passing: Active) -> Active:
    while (state := shell.node().unit(name).active) is passing:
        time.sleep(_POLL_S)
    return state


def _stop(shell: Shell, names: list[str], options: list[str]) -> int:
    code = 0
    for name in names:
        reply = shell.happen(events.StopUnit(shell.host, name))
        if "--no-block" not in options:
            _wait(shell, name, Active.DEACTIVATING)
        code = code or shell.answer(reply)
    return code


def _restart(shell: Shell, names: list[str], options: list[str]) -> int:
    return _stop(shell, names, []) or _start(shell, names, options)


def _enable(shell: Shell, names: list[str], options: list[str]) -> int:
    for name in names:
        shell.happen(events.EnableUnit(shell.host, name))
    return _start(shell, names, options) if "--now" in options else 0


def _disable(shell: Shell, names: list[str], options: list[str]) -> int:
    for name in names:
        shell.happen(events.EnableUnit(shell.host, name, enabled=False))
    return _stop(shell, names, options) if "--now" in options else 0


def _is_active(shell: Shell, names: list[str], options: list[str]) -> int:
    states = [shell.node().unit(name).active for name in names]
    if not {"-q", "--quiet"} & set(options):
        shell.out("".join(f"{state.value}\n" for state in states))
    return 0 if Active.ACTIVE in states else _EXIT_INACTIVE


def _is_enabled(shell: Shell, names: list[str], options: list[str]) -> int:
    enabled = [shell.node().unit(name).enabled for name in names]
    shell.out("".join("enabled\n" if on else "disabled\n" for on in enabled))
    return 0 if any(enabled) else 1


def _show(shell: Shell, names: list[str], options: list[str]) -> int:
    node = shell.node()
    wanted = _properties(options)
    blocks = []
    for name in names:
        found = _unit_properties(node, name)
        keys = [key for key in found if not wanted or key in wanted]
        bare = "--value" in options
        blocks.append("".join(found[k] + "\n" if bare else f"{k}={found[k]}\n" for k in keys))
    shell.out("\n".join(blocks))
    return 0


def _properties(options: list[str]) -> set[str]:
    wanted: set[str] = set()
    for word, following in zip(options, [*options[1:], ""], strict=True):
        if word in ("-p", "--property"):
            wanted |= set(following.split(","))
        elif word.startswith(("--property=", "-p")) and len(word) > 2:
            wanted |= set(word.removeprefix("--property=").removeprefix("-p").split(","))
    return wanted


def _unit_properties(node: Node, name: str) -> dict[str, str]:
    known = name in node.units
    unit = node.unit(name)
    enabled = ("enabled" if unit.enabled else "disabled") if known else ""
    return {
        "MainPID": "90000001" if unit.active is Active.ACTIVE else "0",
        "Result": "exit-code" if unit.active is Active.FAILED else "success",
        "Id": name,
        "LoadState": "loaded" if known else "not-found",
        "ActiveState": unit.active.value,
        "SubState": _substate(unit),
        "UnitFileState": enabled,
    }


def _substate(unit: Unit) -> str:
    if unit.restart_at is not None:
        return "auto-restart"
    return {
        Active.ACTIVE: "running",
        Active.ACTIVATING: "start",
        Active.DEACTIVATING: "stop-sigterm",
        Active.FAILED: "failed",
        Active.INACTIVE: "dead",
    }[unit.active]


def _status(shell: Shell, names: list[str], options: list[str]) -> int:
    node, code = shell.node(), 0
    for name in names:
        unit = node.unit(name)
        shell.out(f"{name}\n     Active: {unit.active.value} ({_substate(unit)})\n")
        code = code or (0 if unit.active is Active.ACTIVE else _EXIT_INACTIVE)
    return code


def _reset_failed(shell: Shell, names: list[str], options: list[str]) -> int:
    for name in names or list(shell.node().units):
        shell.happen(events.ResetFailed(shell.host, name))
    return 0


def _kill(shell: Shell, names: list[str], options: list[str]) -> int:
    """Any signal to mariadbd but KILL is a clean stop; the model knows no other."""
    hard = any(word in ("KILL", "9", "SIGKILL", "-sKILL", "--signal=KILL") for word in options)
    for name in names:
        if name == mariadb.UNIT and hard:
            waits = shell.node().unit(name).active is Active.DEACTIVATING
            shell.happen(events.KillDatabase(shell.host, restarts=not waits))
        else:
            shell.happen(events.StopUnit(shell.host, name))
    return 0


def _poweroff(shell: Shell, names: list[str], options: list[str]) -> int:
    shell.happen(events.PowerOff(shell.host))
    processes.kill_all(shell.layout.root(shell.host))
    return 0


def _reboot(shell: Shell, names: list[str], options: list[str]) -> int:
    with shell.opened() as session:
        session.apply(events.PowerOff(shell.host))
        session.apply(events.PowerOn(shell.host))
    processes.kill_all(shell.layout.root(shell.host))
    return 0


def _nothing(shell: Shell, names: list[str], options: list[str]) -> int:
    return 0


_VERBS: Mapping[str, Callable[[Shell, list[str], list[str]], int]] = {
    "start": _start,
    "stop": _stop,
    "restart": _restart,
    "enable": _enable,
    "disable": _disable,
    "is-active": _is_active,
    "is-enabled": _is_enabled,
    "show": _show,
    "status": _status,
    "reset-failed": _reset_failed,
    "kill": _kill,
    "poweroff": _poweroff,
    "reboot": _reboot,
    "daemon-reload": _nothing,
    "show-environment": _nothing,
    "set-environment": _nothing,
    "unset-environment": _nothing,
}


def systemd_run(shell: Shell, argv: list[str]) -> int:
    """Starts the command in a session of its own; no control group exists, only the session."""
    words = list(argv)
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in ("-p", "-u", "--property") else words[1:]
    if shell.layout.keeps_proc:
        processes.start_kept(shell.layout.root(shell.host), words)
        return 0
    processes.start(words)
    return 0


def journalctl(shell: Shell, argv: list[str]) -> int:
    node = shell.node()
    unit = next((b for a, b in pairwise(argv) if a in ("-u", "--unit")), "")
    for moment, name, line in node.journal:
        if not unit or _unit_name(unit) == _unit_name(name):
            stamp = time.strftime(
                "%b %d %H:%M:%S", time.localtime(time.time() - time.monotonic() + moment)
            )
            shell.out(f"{stamp} {node.name} {name}[900]: {line}\n")
    return 0


def galera_new_cluster(shell: Shell, argv: list[str]) -> int:
    return shell.answer(shell.happen(events.NewCluster(shell.host)))


def galera_recovery(shell: Shell, argv: list[str]) -> int:
    return shell.answer(shell.happen(events.Recover(shell.host)))
