"""systemd-nspawn: how it is called, and what it leaves behind when it is killed."""

import shutil
from pathlib import Path

from .names import Names
from .state import Node

_RUN = Path("/run/systemd/nspawn")


def command(node: Node) -> list[str]:
    return [
        *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit"),
        *("--directory", str(node.root)),
        *("--machine", node.lab.names.machine(node.number), "--hostname", node.name),
        f"--network-namespace-path=/run/netns/{node.netns}",
        "--bind=/dev/fuse",
        f"--bind={node.data}:/data",
        # There is one clock and one kernel: `date -s` in a node would set the host's time.
        *("--capability=all", "--drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE,CAP_SYS_RAWIO"),
        *("--link-journal=no", "--resolv-conf=off", "--timezone=off"),
        # No terminal: with one, process 1 of a node was seen to hang in the middle of its boot, once in
        # some hundred boots. What a node has to say is in its journal (`lab log`).
        "--console=pipe",
    ]


def remove_traces(names: Names, number: int) -> None:
    """Call it while the node's root is still mounted: the lock is named by that directory's inode."""
    for directory in ("propagate", "unix-export"):
        shutil.rmtree(_RUN / directory / names.machine(number), ignore_errors=True)
    root = names.home / names.lab / "nodes" / f"node{number}" / "root"
    if root.is_dir():
        found = root.stat()
        (_RUN / "locks" / f"inode-{found.st_dev}:{found.st_ino}").unlink(missing_ok=True)
