"""Bring up servers and a panel of their own, measure, print, and take everything down again.

`python -m bench` measures everything, `python -m bench NAME …` only what is named.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from bench import install, latency, million, reconnects, short_steps, simulated, viewers
from bench.lab import Lab
from tests.e2e.panel import Panel

Measure = Callable[[Panel], list[str]]
ON_SIMULATED: dict[str, Measure] = {
    "reconnects": reconnects.measure,
    "viewers": viewers.measure,
}
ON_LAB: dict[str, Callable[[Lab, Panel], list[str]]] = {
    "short-steps": short_steps.measure,
    "latency": latency.measure,
    "million": million.measure,
    "install": install.measure,
}


def main(wanted: list[str]) -> int:
    known = [*ON_SIMULATED, *ON_LAB]
    unknown = set(wanted) - set(known)
    if unknown:
        print(f"Not a measure: {', '.join(sorted(unknown))}. There are: {', '.join(known)}.")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        _on_simulated(Path(folder), [name for name in ON_SIMULATED if name in (wanted or known)])
        _on_lab(Path(folder), [name for name in ON_LAB if name in (wanted or known)])
    return 0


def _on_simulated(folder: Path, names: list[str]) -> None:
    """Needs neither root nor a lab."""
    if names:
        with simulated.nodes(folder / "nodes"):
            _with_panel(folder / "simulated", ((name, ON_SIMULATED[name]) for name in names))


def _on_lab(folder: Path, names: list[str]) -> None:
    if names:
        with Lab.up(f"bench{os.getpid()}") as lab:
            _with_panel(folder / "lab", ((name, partial(ON_LAB[name], lab)) for name in names))


def _with_panel(home: Path, measures: Iterable[tuple[str, Measure]]) -> None:
    panel = Panel(home)
    try:
        for name, measure in measures:
            print(f"\n{name}", flush=True)
            for line in measure(panel):
                print(f"  {line}", flush=True)
    finally:
        panel.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
