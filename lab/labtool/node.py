"""One node: its disk, its power switch, and whether it answers."""

import json
import os
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from . import base, cgroups, identity, mounts, nspawn
from .proc import LabError, succeeding_output, wait_until
from .state import Node

_SUPERVISE = Path(__file__).resolve().parent.parent / "supervise.sh"
# systemd's own signals to process 1: start poweroff.target, start reboot.target.
_POWEROFF, _REBOOT = signal.SIGRTMIN + 4, signal.SIGRTMIN + 5


class WentOff(LabError):
    """The node's last process ended while its sshd was waited for."""


def is_on(node: Node) -> bool:
    """Whether anything of the node runs, its keeper included: also true in the middle of a reboot."""
    return bool(cgroups.processes(node.cgroup))


def boot_id(node: Node) -> str | None:
    pid = cgroups.init_pid(_box(node))
    try:
        return Path(f"/proc/{pid}/root/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # off, or not that far yet
        return None


def prepare_disk(node: Node, password_hash: str) -> None:
    """Mount the node's disk; make a pristine one unless there is a complete one."""
    if node.prepared.exists():
        _mount(node, json.loads(node.layers.read_text()))
        return
    discard_disk(node)
    lower = [str(path) for path in base.lower_layers(node.number)]
    node.data.mkdir(parents=True)
    node.layers.write_text(json.dumps(lower))
    _mount(node, lower)
    identity.install(node, password_hash)
    node.prepared.touch()


def discard_disk(node: Node) -> None:
    """Put the node's files out of the way; `empty_trash` deletes them when there is time."""
    mounts.unmount_below(node.dir)
    if node.dir.exists():
        trash = trash_directory(node.lab.dir)
        trash.mkdir(exist_ok=True)
        node.dir.rename(trash / f"{node.name}.{os.urandom(4).hex()}")


def empty_trash(lab_dir: Path) -> None:
    shutil.rmtree(trash_directory(lab_dir), ignore_errors=True)


def trash_directory(lab_dir: Path) -> Path:
    return lab_dir / "trash"


def start(node: Node) -> None:
    """Switch the node on and leave it to its keeper. Returns when its first process exists."""
    cgroups.remove(node.cgroup)  # empty groups of an earlier life
    for group in (_keeper(node), _box(node)):
        cgroups.create(group)
    node.console.parent.mkdir(exist_ok=True)
    with node.console.open("ab") as console:
        keeper = subprocess.Popen(
            [str(_SUPERVISE), _spelled(_keeper(node)), _spelled(_box(node)), *nspawn.command(node)],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            cwd="/",
            start_new_session=True,
        )

    def decided() -> bool:
        return cgroups.init_pid(_box(node)) is not None or keeper.poll() is not None

    if not wait_until(decided, seconds=20, pause=0.01) or keeper.returncode is not None:
        raise LabError(f"{node.name} did not start; {last_words(node)}")


def cut_power(node: Node) -> None:
    """End every process of the node at once, the keeper first so that it boots nothing again.

    With process 1 the kernel ends all others in one go. Killed one by one, a process could live to
    see another one gone, and even tell a client about it: a power cut lets nobody do that.
    """
    cgroups.kill(_keeper(node))
    with suppress(LabError, ProcessLookupError):  # it is off, or just going off
        _signal_init(node, signal.SIGKILL)
    cgroups.kill(_box(node))
    cgroups.remove(node.cgroup)
    nspawn.remove_traces(node.lab.names, node.number)


def power_off(node: Node, seconds: float) -> None:
    """A clean shutdown, as `systemctl poweroff` in the node would do it."""
    _let_database_start(node)
    _signal_init(node, _POWEROFF)
    if not wait_until(lambda: not is_on(node), seconds):
        raise LabError(f"{node.name} is not off after {seconds:.0f} s; {last_words(node)}")


def restart(node: Node, seconds: float) -> None:
    """A clean reboot; returns when the new boot answers."""
    _let_database_start(node)
    before = boot_id(node)
    _signal_init(node, _REBOOT)
    if not wait_until(lambda: boot_id(node) not in (None, before), seconds):
        raise LabError(f"{node.name} did not reboot within {seconds:.0f} s; {last_words(node)}")
    await_ssh(node, seconds)


def await_ssh(node: Node, seconds: float) -> None:
    """Return when sshd answers; raise `WentOff` as soon as there is nobody to wait for."""
    wait_until(lambda: _ssh_answers(node) or not is_on(node), seconds)
    if not is_on(node):
        raise WentOff(f"{node.name} went off; {last_words(node)}")
    if not _ssh_answers(node):
        raise LabError(
            f"sshd of {node.name} does not answer after {seconds:.0f} s; {last_words(node)}"
        )


def await_database(node: Node, seconds: float) -> None:
    if not wait_until(lambda: _database_answers(node), seconds):
        raise LabError(
            f"MariaDB of {node.name} does not answer after {seconds:.0f} s; {last_words(node)}"
        )


def last_words(node: Node) -> str:
    """The end of the node's journal, or of nspawn's own output when there is no journal yet."""
    lines = succeeding_output(*journal_command(node), "--no-pager", "--lines=12", "--output=cat")
    if lines is None and node.console.exists():
        lines = node.console.read_text(errors="replace")
    return f"its last words: {(lines or 'none').strip()[-1500:]}"


def journal_command(node: Node) -> list[str]:
    """Read from outside, so also of a node that is off, or on and silent."""
    return ["journalctl", "--quiet", f"--directory={node.root}/var/log/journal"]


def _mount(node: Node, lower: list[str]) -> None:
    if not mounts.is_mounted(node.root):
        mounts.mount_overlay([Path(path) for path in lower], node.dir, node.root)


def _keeper(node: Node) -> str:
    return f"{node.cgroup}/keeper"


def _box(node: Node) -> str:
    return f"{node.cgroup}/box"


def _spelled(group: str) -> str:
    return " ".join(str(path) for path in cgroups.paths(group))


def _signal_init(node: Node, number: int) -> None:
    pid = cgroups.init_pid(_box(node))
    if pid is None:
        raise LabError(f"{node.name} is off")
    os.kill(pid, number)


def _let_database_start(node: Node) -> None:
    """MariaDB told to stop in its first half second hangs for ever (and its unit forbids SIGKILL)."""

    def settled() -> bool:
        pids = cgroups.processes(_box(node))
        starting = any(_command_name(pid) == "mariadbd" for pid in pids)
        return not starting or _database_answers(node)

    wait_until(settled, seconds=5)


def _command_name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _ssh_answers(node: Node) -> bool:
    try:
        with socket.create_connection((str(node.address), 22), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _database_answers(node: Node) -> bool:
    """Whether the server greets on its socket, which the host reaches through the node's root."""
    pid = cgroups.init_pid(_box(node))
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(f"/proc/{pid}/root/run/mysqld/mysqld.sock")
            return len(connection.recv(5)) == 5
    except OSError:
        return False
