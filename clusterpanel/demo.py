"""Three lab servers for `make demo`, by way of lab/lab."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

LAB = Path("lab", "lab")  # as a person would type it in the checkout
NODES = "3"


def prepare(home: Path, root: Path, say: Callable[[str], object]) -> str | None:
    """Build three servers, or use those of the last start; what a person needs to add them.

    None, after one sentence of why, when this machine cannot have them.
    """
    if problem := _problem(root):
        say(f"No lab servers: {problem}. The panel starts alone.")
        return None
    name = lab_name(home)
    say("Starting three lab servers; the first time takes minutes. Each step is named.")
    built = _lab(root, "--json", "up", "--name", name, "--nodes", NODES, stderr=None)
    if built.returncode:
        say("The lab servers did not start; see above. The panel starts alone.")
        return None
    return describe(json.loads(built.stdout))


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
    if not (root / LAB).exists():
        return f"{LAB} is not in this checkout"
    checked = _lab(root, "check", stderr=subprocess.STDOUT)
    if not checked.returncode:
        return ""
    return checked.stdout.strip().removeprefix("lab: ").rstrip(".") or "the check failed"


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
