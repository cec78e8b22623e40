"""The real processes of a simulated node: all that carry its mark in their environment."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

MARK = "SIMULATED_NODE"


def of_node(root: Path) -> list[int]:
    """Process ids, our own not among them."""
    wanted = f"{MARK}={root}"
    found = _from_proc(wanted) if Path("/proc/self/environ").exists() else _from_ps(wanted)
    return [pid for pid in found if pid != os.getpid()]


def _from_proc(wanted: str) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if wanted.encode() in place.read_bytes().split(b"\0"):
                found.append(int(place.parent.name))
    return found


def _from_ps(wanted: str) -> list[int]:
    """Where there is no /proc: `ps` shows the environment of one's own processes."""
    lines = subprocess.run(
        ["ps", "-A", "-E", "-ww", "-o", "pid=,command="], capture_output=True, text=True
    ).stdout.splitlines()
    return [int(line.split()[0]) for line in lines if wanted in line.split()]


def kill_all(root: Path) -> None:
    """A power cut: again and again until nothing is left, since the dying may have children."""
    for _ in range(20):
        left = of_node(root)
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


FULL_BYTES = 512  # what a process on a full disk may still write into a file; see limit_files


def limit_files(root: Path, *, full: bool) -> None:
    """A full disk without a disk: no file may grow beyond 512 bytes.

    Writes fail with "File too large" instead of "No space left on device". Small files that were
    made before can still be written over, as on a real full disk.
    """
    if not hasattr(resource, "prlimit"):  # only Linux can limit a process that runs already
        return
    prlimit = resource.prlimit
    for pid in of_node(root):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            _, hard = prlimit(pid, resource.RLIMIT_FSIZE)
            prlimit(pid, resource.RLIMIT_FSIZE, (FULL_BYTES if full else hard, hard))


# Stands for systemd: the job leads its own session, and somebody waits for it. Until that happens
# its number stays in use, and process 1 of a container may take a second for it, or never do it.
_KEEPER = 'setsid "$@"; :'


def start(argv: list[str]) -> None:
    """Start a detached process."""
    nothing = subprocess.DEVNULL
    subprocess.Popen(
        ["/bin/sh", "-c", _KEEPER, "sh", *argv],
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        start_new_session=True,
    )


# The runner looks for itself in /proc at once, so it waits until it stands there.
_GATE = 'until [ -e "$0/$$/stat" ]; do sleep 0.01; done; exec "$@"'


def start_kept(root: Path, argv: list[str]) -> None:
    """Start a detached process where there is no /proc: a keeper writes `stat` for it.

    The keeper stands for systemd. It takes the entry away when the process is over, and if that
    was by a signal, ends what the process had started.
    """
    if os.fork():
        return
    os.setsid()
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(
        ["/bin/sh", "-c", _GATE, str(root / "proc"), *argv],
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        start_new_session=True,
    )
    for stream in (0, 1, 2):
        os.close(stream)
    entry = root / "proc" / str(process.pid)
    entry.mkdir()
    (entry / "draft").write_text(_stat(process.pid))
    (entry / "draft").replace(entry / "stat")
    code = process.wait()
    shutil.rmtree(entry, ignore_errors=True)
    if code < 0:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    os._exit(0)


def _stat(pid: int) -> str:
    """As /proc/PID/stat: state, parent, group, session, and as the 22nd field when it began."""
    began = int(time.monotonic() * 100)
    return f"{pid} (sh) S 1 {pid} {pid} {'0 ' * 15}{began} 0\n"
