"""Bring up a lab and a panel of their own, measure, print, and take everything down again."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from bench import install, latency, short_steps, viewer
from bench.lab import Lab
from tests.e2e.panel import Panel

MEASURES: dict[str, Callable[[Lab, Panel], list[str]]] = {
    "short-steps": short_steps.measure,
    "latency": latency.measure,
    "install": install.measure,
}
# These bring what they need themselves and take no lab.
ALONE: dict[str, Callable[[], Iterable[str]]] = {
    "viewer": viewer.measure,
}


def main(wanted: list[str]) -> int:
    names = wanted or [*MEASURES, *ALONE]
    unknown = set(names) - {*MEASURES, *ALONE}
    if unknown:
        known = ", ".join((*MEASURES, *ALONE))
        print(f"Not a measure: {', '.join(sorted(unknown))}. There are: {known}.")
        return 2
    for name in ALONE:
        if name in names:
            report(name, ALONE[name])
    with_lab([name for name in MEASURES if name in names])
    return 0


def report(name: str, measure: Callable[[], Iterable[str]]) -> None:
    print(f"\n{name}", flush=True)
    for line in measure():
        print(f"  {line}", flush=True)


def with_lab(names: list[str]) -> None:
    if not names:
        return
    with Lab.up(f"bench{os.getpid()}") as lab, tempfile.TemporaryDirectory() as folder:
        panel = Panel(Path(folder) / "home")
        try:
            for name in names:
                report(name, partial(MEASURES[name], lab, panel))
        finally:
            panel.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
