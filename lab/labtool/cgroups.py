"""Control groups: the one place where the kernel itself keeps the list of a node's processes.

A node has two groups: `keeper` (the loop that boots it again after a reboot) and `box` (nspawn and
everything in the node). Killing what is in them needs no pid file and cannot hit a stranger.
"""

import os
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path

from .proc import LabError, wait_until

_ROOT = Path("/sys/fs/cgroup")


def hierarchies() -> list[Path]:
    """The hierarchies systemd manages: one on a v2 host, `systemd` and `unified` on a hybrid one."""
    if (_ROOT / "cgroup.procs").exists():
        return [_ROOT]
    return [
        path for path in (_ROOT / "systemd", _ROOT / "unified") if (path / "cgroup.procs").exists()
    ]


def paths(group: str) -> list[Path]:
    return [root / group for root in hierarchies()]


def create(group: str) -> None:
    """Another lab's `down` may remove the common parent between the two halves of this: try again."""
    for path in paths(group):
        if not wait_until(partial(_mkdir, path), seconds=5):
            raise LabError(f"the control group {path} cannot be made")


def processes(group: str) -> set[int]:
    """Every process of the group and of the groups below it."""
    return {
        pid for path in paths(group) for directory in _tree(path) for pid in _members(directory)
    }


def kill(group: str) -> None:
    """SIGKILL until nobody is left: a process may fork while its list is read."""

    def emptied() -> bool:
        left = processes(group)
        for pid in left:
            _sigkill(pid)
        return not left

    if not wait_until(emptied, seconds=20, pause=0.02):
        raise LabError(f"processes {sorted(processes(group))} of {group} do not die")


def remove(group: str) -> None:
    """Remove the emptied group. A dying process may still hold its directory for a moment."""
    for path in paths(group):
        wait_until(partial(_remove_tree, path), seconds=5)


def remove_unused_parent(group: str) -> None:
    """The last lab takes the common parent with it; while others use it the kernel refuses."""
    for path in paths(group):
        _rmdir(path.parent)


def init_pid(group: str) -> int | None:
    """The node's own process 1 as the host numbers it."""
    return next((pid for pid in sorted(processes(group)) if _is_init(pid)), None)


def _tree(path: Path) -> list[Path]:
    """The group's directories, parents first."""
    return [Path(directory) for directory, _, _ in os.walk(path)]


def _members(directory: Path) -> list[int]:
    try:
        return [int(line) for line in (directory / "cgroup.procs").read_text().split()]
    except (FileNotFoundError, OSError):  # removed meanwhile: ENOENT or ENODEV
        return []


def _sigkill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _remove_tree(path: Path) -> bool:
    """Innermost first; what is in use stays, and with it what is above."""
    return all(_rmdir(directory) for directory in reversed(_tree(path)))


def _mkdir(path: Path) -> bool:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError:
        return False
    return True


def _rmdir(path: Path) -> bool:
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _is_init(pid: int) -> bool:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return False
    numbers = next((line.split()[1:] for line in lines if line.startswith("NSpid:")), [])
    return len(numbers) > 1 and numbers[-1] == "1"
