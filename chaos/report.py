"""Tables for docs/reliability.md, as text and as markdown; every measuring command may use it.

A document keeps its place for a table between `<!-- table: NAME -->` and `<!-- end: NAME -->`; what
stands between the two is written by a command, everything else by a person.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELIABILITY = ROOT / "docs" / "reliability.md"

Row = Sequence[str]


def replace_table(document: Path, name: str, content: str) -> None:
    """Put `content` between the markers of `name`. Raises ValueError when they are not there."""
    begin, end = f"<!-- table: {name} -->", f"<!-- end: {name} -->"
    text = document.read_text()
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(end) < text.index(begin):
        raise ValueError(f"{document} has no place for the table {name}: {begin} … {end}")
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    document.write_text(f"{before}{begin}\n{content.strip()}\n{end}{after}")


def markdown(head: Row, rows: Sequence[Row]) -> str:
    """A table whose source can be read, too; all columns but the first are figures."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in _padded((head, rule, *rows), widths))


def plain(head: Row, rows: Sequence[Row]) -> str:
    """The same for a terminal."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return "\n".join("  ".join(cells).rstrip() for cells in _padded((head, *rows), widths))


def _padded(rows: Sequence[Row], widths: Sequence[int]) -> list[list[str]]:
    return [
        [
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    ]


def measured_on() -> str:
    """One line: when, on which machine, with which versions."""
    parts = (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"{os.cpu_count()} CPUs ({_processor()})",
        f"{_memory_gb():.0f} GB",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in ("Django", "celery", "paramiko")),
        f"commit {_commit()}",
    )
    return ", ".join(parts)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _commit() -> str:
    argv = ("git", "describe", "--always", "--dirty")
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
