"""Runs one simulated command: `python -I -S shim.py BASE HOST NAME ARGUMENTS…`.

Started by the small scripts in the node's /usr/local/sbin, with nothing imported that is not
needed, since a sweep asks a dozen of them.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

# Where this file lies in the checkout: -I keeps every other place away.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from nodes.simulation.skin import answers
from nodes.simulation.skin.commands.shell import Shell
from nodes.simulation.skin.layout import Layout

# Name of the command → module and function.
COMMANDS = {
    "systemctl": ("systemctl", "systemctl"),
    "systemd-run": ("systemctl", "systemd_run"),
    "journalctl": ("systemctl", "journalctl"),
    "galera_new_cluster": ("systemctl", "galera_new_cluster"),
    "galera_recovery": ("systemctl", "galera_recovery"),
    "mariadb": ("sql", "client"),
    "mysql": ("sql", "client"),
    "mariadb-dump": ("sql", "dump"),
    "mysqldump": ("sql", "dump"),
    "gluster": ("gluster", "gluster"),
    "mount": ("storage", "mount"),
    "umount": ("storage", "umount"),
    "findmnt": ("storage", "findmnt"),
    "df": ("storage", "df"),
    "getent": ("names", "getent"),
    "ip": ("names", "ip"),
}


def main(base: str, host: str, name: str, *argv: str) -> int:
    _own_files_have_room()
    module, function = COMMANDS[name]
    found = import_module(f"nodes.simulation.skin.commands.{module}")
    command: Callable[[Shell, list[str]], int] = getattr(found, function)
    shell = Shell(Layout(Path(base)), host)
    code = command(shell, list(argv))
    if code == 0 and name in answers.KEPT:
        answers.keep(shell, name, list(argv))
    return code


def _own_files_have_room() -> None:
    """A full disk is a limit on the size of files; the model's own file is not on that disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except BrokenPipeError:
        sys.exit(141)
