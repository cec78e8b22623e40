"""Three servers for `make demo`: the lab's where this machine can have them, else simulated ones."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clusterpanel import simulated_demo

LAB = Path("lab", "lab")  # as a person would type it in the checkout
NODES = "3"


@dataclass(frozen=True)
class Servers:
    """What a person must know to add them, and what the panel's processes must."""

    text: str
    env: Mapping[str, str] = field(default_factory=dict)
    # Called when the panel has stopped.
    end: Callable[[], None] = lambda: None


def prepare(
    home: Path, root: Path, say: Callable[[str], object], *, simulated: bool = False
) -> Servers:
    """Build three servers, or use those of the last start. Says which ones and why."""
    why = _why_simulated(home, root, asked=simulated)
    if not why:
        if text := _lab_servers(home, root, say):
            return Servers(text)
        why = "the lab did not start, see above"
    say(f"The servers of this demo are simulated: {why}.")
    made = simulated_demo.servers(home, root, say)
    env = {"SIMULATED_NODES": str(made.folder)}
    return Servers(made.text, env, lambda: simulated_demo.end_jobs(made.cluster, say))


def _why_simulated(home: Path, root: Path, *, asked: bool) -> str:
    """Empty when this machine can have a lab and nothing speaks against it."""
    if asked:
        return "SIMULATED=1 asks for it"
    kept = simulated_demo.folder(home)
    if kept.exists():
        return f"those of the last start are used again; without {kept} they would be chosen anew"
    return _problem(root)


def _lab_servers(home: Path, root: Path, say: Callable[[str], object]) -> str | None:
    say(
        "This machine can have real servers of its own (a lab): three are started now. "
        "The first time takes minutes; each step is named."
    )
    up = ("--json", "up", "--name", lab_name(home), "--nodes", NODES)
    built = _lab(root, *up, stderr=None)
    return None if built.returncode else describe(json.loads(built.stdout))


def lab_name(home: Path) -> str:
    """One lab per home, so that two panels on one machine do not share servers."""
    return "demo-" + hashlib.sha256(str(home).encode()).hexdigest()[:8]


def describe(lab: dict[str, Any]) -> str:
    nodes = [f"  {n['name']}  {n['address']:<15} {n['host_key_sha256']}" for n in lab["nodes"]]
    return "\n".join(
        [
            "Next: sign in and add these three servers. Compare each host key with the page:",
            *nodes,
            f"  SSH user {lab['username']}, password {lab['root_password']}, or key {lab['key']}",
            f"They keep running for the next start. Remove them: {LAB} --name {lab['name']} down",
        ]
    )


def _problem(root: Path) -> str:
    """Why this machine cannot have a lab; empty when it can."""
    if sys.platform != "linux":
        return "a lab of real ones needs Linux"
    if not (root / LAB).exists():
        return f"{LAB} is not in this checkout"
    checked = _lab(root, "check", stderr=subprocess.STDOUT)
    if not checked.returncode:
        return ""
    return checked.stdout.strip().removeprefix("lab: ").rstrip(".") or "the lab's check failed"


def _lab(root: Path, *arguments: str, stderr: int | None) -> subprocess.CompletedProcess[str]:
    """With the usual umask: ours would make a system's own folders private to root."""
    return subprocess.run(
        (root / LAB, *arguments),
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        umask=0o022,
    )
