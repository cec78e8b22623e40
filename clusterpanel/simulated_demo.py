"""Three simulated servers in a panel's home: made once, kept from start to start."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import CommandError

from nodes.simulation.__main__ import CALLED, FAULTS, describe
from nodes.simulation.cluster import WATCHABLE, SimulatedCluster
from nodes.simulation.skin import processes

# Set apart for examples (RFC 5737): no server anywhere has them, also when real ones are meant.
HOSTS = ("192.0.2.11", "192.0.2.12", "192.0.2.13")
PATIENCE_S = 10.0
CONTROL = "servers"  # the script in the home that breaks and mends them


@dataclass(frozen=True)
class Made:
    cluster: SimulatedCluster
    folder: Path
    text: str


def folder(home: Path) -> Path:
    """What `SIMULATED_NODES` names."""
    return home / "simulated"


def servers(home: Path, root: Path, say: Callable[[str], object]) -> Made:
    """Those of the last start in the state they were left in, or new ones."""
    base = folder(home) / "servers"
    try:
        cluster = _kept(base, say) or SimulatedCluster.create(base, HOSTS, pace=WATCHABLE)
    except ValueError as unfit:  # a path that a shell would take apart
        raise CommandError(f"{unfit}. For example: make demo PANEL_HOME=/tmp/panel") from None
    control = _control(home, root, base)
    return Made(cluster, folder(home), _text(describe(cluster), _short(control), folder(home)))


def _kept(base: Path, say: Callable[[str], object]) -> SimulatedCluster | None:
    if not base.exists():
        return None
    cluster = SimulatedCluster.at(base)
    try:
        cluster.refresh()
    except (OSError, ValueError, TypeError, KeyError):
        say(f"The simulated servers in {base} were made by another version: new ones are made.")
        shutil.rmtree(base)
        return None
    return cluster


def _control(home: Path, root: Path, base: Path) -> Path:
    """A command short enough to be typed, for any home and from any folder."""
    place = home / CONTROL
    run = shlex.join((sys.executable, "-m", "nodes.simulation", str(base)))
    place.write_text(
        "#!/bin/sh\n"
        "# See, break and mend the simulated servers of this panel. Alone it says how.\n"
        f"{CALLED}=$0; export {CALLED}\n"
        f'cd {shlex.quote(str(root))} && exec {run} "$@"\n'
    )
    place.chmod(0o755)
    return place


def _short(path: Path) -> str:
    """As it is typed from here."""
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else near


def _text(found: dict[str, Any], control: str, kept: Path) -> str:
    nodes = [f"  {n['name']}  {n['address']:<11} {n['host_key_sha256']}" for n in found["nodes"]]
    return "\n".join(
        [
            "Next: sign in and add these three servers. Compare each host key with the page:",
            *nodes,
            f"  SSH user {found['username']}, any password",
            "Break one from another terminal, and watch what the dashboard says:",
            f"  {control} crash node2",
            f"  {control} boot node2",
            f"  {control} status",
            f"  also {', '.join(name for name in FAULTS if name not in ('crash', 'boot'))}",
            "They keep their state for the next start. New ones: stop the panel, then",
            f"  rm -r {_short(kept)}",
        ]
    )


def end_jobs(cluster: SimulatedCluster, say: Callable[[str], object]) -> None:
    """Leave no process of the servers behind: what they do is finished, or killed after a while.

    As on real servers a job outlives the panel, and the next start finds what it did; but nobody
    expects a program that was stopped to go on for minutes. A second Ctrl-C means now.
    """
    roots = [cluster.root(host) for host in HOSTS]
    until = time.monotonic() + PATIENCE_S
    try:
        if _busy(roots):
            say(f"The servers finish what they are doing, in at most {PATIENCE_S:.0f} s.")
        while _busy(roots) and time.monotonic() < until:
            time.sleep(0.1)
    finally:
        for root in roots:
            processes.kill_all(root)


def _busy(roots: list[Path]) -> bool:
    return any(processes.of_node(root) for root in roots)
