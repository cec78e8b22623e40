"""`mount`, `umount`, `findmnt`, `df`: the node's file systems."""

from __future__ import annotations

import os
from pathlib import Path

from nodes.simulation import events
from nodes.simulation.skin.commands.shell import Shell

_VALUED = ("-t", "-o", "-T", "--types", "--output", "--target", "--mountpoint", "-M")


def _parsed(argv: list[str]) -> tuple[dict[str, str], list[str]]:
    """Options with values, and words."""
    options: dict[str, str] = {}
    words: list[str] = []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word in _VALUED and rest:
            options[word] = rest.pop(0)
        elif not word.startswith("-"):
            words.append(word)
    return options, words


def _directory(shell: Shell, word: str) -> str:
    """As the node calls it, links of mounts followed back."""
    mounts = shell.node().mounts
    place = Path(word)
    for directory, name in mounts.items():
        if place in (shell.layout.volume(name), shell.layout.dead(name)):
            return directory
    return shell.path(str(place)).rstrip("/")


def mount(shell: Shell, argv: list[str]) -> int:
    _, words = _parsed(argv)
    node = shell.node()
    if not argv:
        rows = (f"localhost:/{v} on {d} type fuse.glusterfs (rw)\n" for d, v in node.mounts.items())
        shell.out("".join(rows))
        return 0
    if "-a" in argv:
        wanted = [(directory, name) for directory, name in node.fstab.items()]
        codes = [_mount(shell, d, name) for d, name in wanted if d not in node.mounts]
        return max(codes, default=0)
    directory = _directory(shell, words[-1])
    if len(words) == 2:
        return _mount(shell, directory, words[0].split(":/")[-1])
    if directory not in node.fstab:
        shell.err(f"mount: {directory}: can't find in /etc/fstab.\n")
        return 1
    return _mount(shell, directory, node.fstab[directory])


def _mount(shell: Shell, directory: str, name: str) -> int:
    if not shell.layout.place(shell.host, directory).is_dir():
        shell.err(f"mount: {directory}: mount point does not exist.\n")
        return 32
    return shell.answer(shell.happen(events.Mount(shell.host, directory, name)))


def umount(shell: Shell, argv: list[str]) -> int:
    _, words = _parsed(argv)
    directory = _directory(shell, words[-1])
    return shell.answer(shell.happen(events.Unmount(shell.host, directory)))


def findmnt(shell: Shell, argv: list[str]) -> int:
    options, words = _parsed(argv)
    asked = options.get("--mountpoint") or options.get("-M") or (words[0] if words else "")
    wanted = options.get("-t") or options.get("--types") or "fuse.glusterfs"
    directory = _directory(shell, asked) if asked else ""
    found = [(d, n) for d, n in shell.node().mounts.items() if not asked or d == directory]
    if not found or wanted != "fuse.glusterfs":
        return 1
    for place, name in found:
        columns = {"TARGET": place, "SOURCE": f"localhost:/{name}", "FSTYPE": "fuse.glusterfs"}
        names = (options.get("-o") or options.get("--output") or "TARGET,SOURCE,FSTYPE").split(",")
        shell.out(" ".join(columns.get(column, "rw") for column in names) + "\n")
    return 0


def df(shell: Shell, argv: list[str]) -> int:
    """In blocks of 1024 bytes, or of one byte with -B1; a full disk has none left."""
    options = "".join(word for word in argv if word.startswith("-"))
    unit = 1 if "B1" in options and "B1K" not in options else 1024
    full, code = shell.node().full, 0
    shell.out("Filesystem 1-blocks Used Available Capacity Mounted on\n")
    for word in [word for word in argv if not word.startswith("-")]:
        try:
            seen = os.statvfs(word)
        except OSError as error:
            shell.err(f"df: {shell.path(word)}: {error.strerror}\n")
            code = 1
            continue
        size = seen.f_blocks * seen.f_frsize // unit
        free = 0 if full else seen.f_bavail * seen.f_frsize // unit
        shell.out(f"/dev/simulated {size} {size - free} {free} 50% /\n")
    return code
