"""Makes the tree of a simulated cluster: dpiui2's files, and the commands of every node."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from nodes.simulation.skin import answers, disk, network
from nodes.simulation.skin.layout import Layout
from nodes.simulation.skin.shim import COMMANDS
from nodes.simulation.skin.store import load, save
from nodes.simulation.world import Node, Pace, World, new_world

_SHIM = Path(__file__).with_name("shim.py")
# The stand-in for the vendor's application is the lab's own: what it prints is the same on both.
_STANDIN = Path(__file__).resolve().parents[3] / "lab" / "standin"
_FOLDERS = (
    *("etc/mysql/mariadb.conf.d", "var/lib/mysql", "var/lib/clusterpanel", "data", "root"),
    *("run/systemd/system", "tmp", "proc", "usr/local/sbin", "usr/local/bin"),
    "usr/lib/galera",
)

_GNU_FOLDERS = tuple(
    Path(brew, "opt", package, "libexec/gnubin")
    for brew in ("/opt/homebrew", "/usr/local")
    for package in ("coreutils", "findutils", "gnu-tar", "gnu-sed", "grep")
)
# Commands whose answer never changes, or that only root may run.
_PLAIN: Mapping[str, str] = {
    "chown": "exit 0",
    "chgrp": "exit 0",
    "sync": "exit 0",
    "nft": "exit 0",
    "my_print_defaults": "exit 0",
    "mariadbd": "echo 'mariadbd  Ver 10.11.19-MariaDB for simulated (Simulated)'",
}


def build(
    base: Path,
    hosts: tuple[str, ...],
    *,
    app_dir: str = "/var/www/html/dpiui2",
    pace: Pace,
    names: tuple[str, ...] = (),
    keeps_proc: bool = sys.platform != "linux",
) -> Layout:
    """Freshly installed servers below `base`, which must not hold any yet."""
    base.mkdir(parents=True)
    layout = Layout(base.resolve())
    if keeps_proc:
        (layout.base / "keeps-proc").touch()
    seed = f"{base}-{time.time_ns()}"
    world = new_world(hosts, pace=pace, seed=seed, now=time.monotonic(), names=names)
    for node in world.nodes.values():
        _furnish(layout, node, app_dir)
    save(layout, world)
    disk.write(layout, world)
    return layout


def refresh(layout: Layout) -> None:
    """Give servers that were made earlier the commands of this version and this interpreter.

    Raises ValueError when they were made in another place: it is written in many of their files.
    """
    world = load(layout)
    for node in world.nodes.values():
        root = layout.root(node.host)
        if str(root) not in (root / "usr/local/sbin/systemctl").read_text():
            raise ValueError(f"the servers in {layout.base} were made in another place")
        _lend_commands(layout, node, root)


def _furnish(layout: Layout, node: Node, app_dir: str) -> None:
    root = layout.root(node.host)
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for empty in ("usr/lib/galera/libgalera_smm.so", "etc/fstab"):
        (root / empty).touch()
    _install_app(layout, node, root / app_dir.lstrip("/") / "backend")
    _write_proc(root)
    _lend_commands(layout, node, root)


def _lend_commands(layout: Layout, node: Node, root: Path) -> None:
    _lend_tools(root)
    for name in COMMANDS:
        python = (sys.executable, "-I", "-S", str(_SHIM), str(layout.base), node.host, name)
        _command(root, name, _without_python(root, name) + f'exec {shlex.join(python)} "$@"')
    for name, text in {**_PLAIN, **_own(layout, root, node)}.items():
        _command(root, name, text)


def _lend_tools(root: Path) -> None:
    """GNU's tools, where the system's own are others: the scripts are written for Linux servers."""
    for folder in _GNU_FOLDERS:
        for tool in sorted(folder.iterdir()) if folder.is_dir() else []:
            place = root / "usr/local/bin" / tool.name
            if not place.exists():
                place.symlink_to(tool)


def _own(layout: Layout, root: Path, node: Node) -> dict[str, str]:
    """Commands with an answer per node. `find` follows the link that stands for a mount."""
    by_flag = 'case "${1:-}" in %s) echo "%s" ;; *) echo "%s" ;; esac'
    folder = network.folder(layout, node.host)
    return {
        "bash": network.BASH % {"folder": folder},
        "ss": f"exec sed 's/^/LISTEN 0 0 /' {folder}/listening",
        "find": f'PATH={root}/usr/local/bin:/usr/bin:/bin exec find -H "$@"',
        "hostname": by_flag % ("-I | -i", f"{node.address} ", node.name),
        "id": by_flag % ("-u | -g", "0", "root"),
    }


def _without_python(root: Path, name: str) -> str:
    """What answers quicker, and is tried first."""
    if name == "df" and sys.platform == "linux":  # GNU's, while the disk is not to look full
        return f'[ -e {root}/.full ] || PATH=/usr/bin:/bin exec df "$@"\n'
    return answers.asked_first(root, name)


def _command(root: Path, name: str, text: str) -> None:
    path = root / "usr/local/sbin" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def _install_app(layout: Layout, node: Node, backend: Path) -> None:
    scripts = backend / "app_bash"
    scripts.mkdir(parents=True)
    for source in (_STANDIN / "app_bash").iterdir():
        (scripts / source.name).write_text(layout.inward(node.host, source.read_text()))
    shutil.copyfile(_STANDIN / "backend.env", backend / ".env")
    storage = backend / "storage"
    for number in range(3 if node.number == 1 else 1):
        place = storage / "app" / f"report-{node.number}-{number}.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"file {number} of {node.name}\n")


def _write_proc(root: Path) -> None:
    proc = root / "proc"
    (proc / "self").mkdir(parents=True, exist_ok=True)
    (proc / "uptime").write_text("1000.00 1900.00\n")
    (proc / "loadavg").write_text("0.10 0.10 0.10 1/100 100\n")
    (proc / "meminfo").write_text("MemTotal: 2048000 kB\nMemAvailable: 1024000 kB\n")


def uptime(layout: Layout, world: World, host: str) -> None:
    """Written before every command: it is the only file whose content is the time.

    Whole at any moment: a script that waits reads it again and again while other commands begin.
    """
    seconds = max(0.0, time.monotonic() - world.nodes[host].booted_at)
    place = layout.root(host) / "proc" / "uptime"
    draft = place.with_name(f"uptime-{os.getpid()}-{threading.get_ident()}")
    draft.write_text(f"{seconds:.2f} {seconds:.2f}\n")
    draft.replace(place)
