"""Overlay mounts: a node's disk is a thin layer over the base, thrown away by removing the layer."""

import re
from functools import partial
from pathlib import Path

from .proc import LabError, run, succeeds, wait_until


def mounted_below(directory: Path) -> list[Path]:
    """Every mount point at or below a directory, innermost first."""
    found = [
        _unescape(line.split()[4]) for line in Path("/proc/self/mountinfo").read_text().splitlines()
    ]
    return sorted((path for path in found if path.is_relative_to(directory)), reverse=True)


def in_use_as_layer(path: Path) -> bool:
    """Whether some mounted overlay lies on this directory or on one below it."""
    mounted = Path("/proc/self/mountinfo").read_text()
    return re.search(rf"{re.escape(str(path))}[/:,]", mounted) is not None


def is_mounted(path: Path) -> bool:
    return path in mounted_below(path)


def mount_overlay(lower: list[Path], layer: Path, target: Path) -> None:
    """Mount `target`; what is changed there is kept in `layer`/upper."""
    missing = [path for path in lower if not path.is_dir()]
    if missing:
        raise LabError(
            f"the base layer {missing[0]} is gone: reset the lab to start from a new base"
        )
    upper, work = layer / "upper", layer / "work"
    for path in (upper, work, target):
        path.mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={':'.join(map(str, lower))},upperdir={upper},workdir={work}"
    run("mount", "-t", "overlay", "overlay", "-o", options, str(target))


def unmount_below(directory: Path) -> None:
    """Unmount everything at or below a directory, waiting a little for the last user to go."""
    for path in mounted_below(directory):
        if not wait_until(partial(succeeds, "umount", str(path)), seconds=3):
            run("umount", "--lazy", str(path))


def _unescape(field: str) -> Path:
    """Mountinfo writes blanks and the like as octal."""
    return Path(re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), field))
