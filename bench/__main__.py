"""Bring up a lab and a panel of their own, measure, print, and take everything down again."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import install, latency, short_steps
from bench.lab import Lab
from tests.e2e.panel import Panel

MEASURES: dict[str, Callable[[Lab, Panel], list[str]]] = {
    "short-steps": short_steps.measure,
    "latency": latency.measure,
    "install": install.measure,
}


def main(wanted: list[str]) -> int:
    unknown = set(wanted) - set(MEASURES)
    if unknown:
        print(f"Not a measure: {', '.join(sorted(unknown))}. There are: {', '.join(MEASURES)}.")
        return 2
    with Lab.up(f"bench{os.getpid()}") as lab, tempfile.TemporaryDirectory() as folder:
        panel = Panel(Path(folder) / "home")
        try:
            for name in wanted or MEASURES:
                print(f"\n{name}", flush=True)
                for line in MEASURES[name](lab, panel):
                    print(f"  {line}", flush=True)
        finally:
            panel.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
