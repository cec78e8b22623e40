"""Bring up servers and a panel of their own, measure, print, and take everything down again.

`python -m bench` measures everything, `python -m bench NAME …` only what is named.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench import (
    broken,
    dashboard,
    install,
    latency,
    many_nodes,
    million,
    reconnects,
    recovery,
    short_steps,
    simulated,
    sweep,
    viewer,
    viewers,
)
from bench.lab import Lab
from tests.e2e.panel import NOTHING, Panel

Lines = Iterable[str]
# These bring what they need themselves.
ALONE: dict[str, Callable[[], Lines]] = {
    "dashboard": dashboard.measure,
    "log-page": viewer.measure,
    "many-nodes": many_nodes.measure,
}
ON_SIMULATED: dict[str, Callable[[Panel], Lines]] = {
    "reconnects": reconnects.measure,
    "viewers": viewers.measure,
}
ON_LAB: dict[str, Callable[[Lab, Panel], Lines]] = {
    "short-steps": short_steps.measure,
    "latency": latency.measure,
    "million": million.measure,
    "install": install.measure,
    "recovery": recovery.measure,
    "sweep": lambda lab, panel: sweep.measure(lab),
    "broken": broken.measure,
}
ALL = (*ALONE, *ON_SIMULATED, *ON_LAB)


def main(wanted: list[str]) -> int:
    if unknown := set(wanted) - set(ALL):
        print(f"Not a measure: {', '.join(sorted(unknown))}. There are: {', '.join(ALL)}.")
        return 2
    names = [name for name in ALL if name in (wanted or ALL)]
    for name in (name for name in names if name in ALONE):
        _print(name, ALONE[name])
    with tempfile.TemporaryDirectory() as folder:
        _on_simulated(Path(folder), [name for name in names if name in ON_SIMULATED])
        _on_lab(Path(folder), [name for name in names if name in ON_LAB])
    return 0


def _on_simulated(folder: Path, names: list[str]) -> None:
    """Needs neither root nor a lab."""
    if not names:
        return
    with (
        simulated.nodes(folder / "nodes") as site,
        _panel(folder / "simulated", env={"SIMULATED_NODES": str(site)}) as panel,
    ):
        for name in names:
            _print(name, partial(ON_SIMULATED[name], panel))


def _on_lab(folder: Path, names: list[str]) -> None:
    if not names:
        return
    with Lab.up(f"bench{os.getpid()}") as lab, _panel(folder / "lab") as panel:
        for name in names:
            _print(name, partial(ON_LAB[name], lab, panel))


@contextmanager
def _panel(home: Path, *, env: Mapping[str, str] = NOTHING) -> Iterator[Panel]:
    panel = Panel(home, env=env)
    try:
        yield panel
    finally:
        panel.stop()


def _print(name: str, measure: Callable[[], Lines]) -> None:
    print(f"\n{name}", flush=True)
    for line in measure():
        print(f"  {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
