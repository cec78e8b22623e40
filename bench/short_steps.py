"""Six short steps on three nodes, one after the other: panel, a plain ssh loop, ansible-core."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import direct
from bench.lab import Lab
from tests.e2e import steps
from tests.e2e.panel import Panel

COMMAND = "sleep 0.25; echo done"
ROUNDS = 5


def measure(lab: Lab, panel: Panel) -> list[str]:
    client = panel.client()
    cluster = steps.create_cluster(client, lab.status, "Short steps")
    steps.trust_all(client, cluster, lab.status)
    steps.run_to_success(client, cluster, "apply_settings", force=True)
    times: dict[str, list[float]] = {"panel": [], "ssh": [], "ansible": []}
    for _ in range(ROUNDS):  # in turn, so that a drift of the machine's speed hits all alike
        times["panel"].append(_panel(client, panel, cluster, lab))
        times["ssh"].append(_ssh(lab))
        times["ansible"].append(_ansible(lab))
    return _report(times)


def _report(times: dict[str, list[float]]) -> list[str]:
    middle = {name: statistics.median(values) for name, values in times.items()}
    lines = [f"{name:8} {value:6.2f} s (median of {ROUNDS})" for name, value in middle.items()]
    for other, goal in (("ssh", 0.75), ("ansible", 0.5)):
        pairs = [a / b for a, b in zip(times["panel"], times[other], strict=True)]
        lines.append(f"panel ÷ {other}: {statistics.median(pairs):.2f} (goal ≤ {goal})")
    return lines


def _panel(client: Any, panel: Panel, cluster: int, lab: Lab) -> float:
    """Seconds from the accepted plan to the finished run, as the run's own times say."""
    snapshot = client.finished(direct.start(panel, cluster, _plan(lab)))
    assert snapshot["state"] == "succeeded", snapshot
    return seconds(snapshot, "created_at")


def _plan(lab: Lab) -> dict[str, Any]:
    return direct.plan(lab.hosts, [(h, ("sh", "-c", COMMAND)) for h in lab.hosts for _ in "12"])


def seconds(snapshot: dict[str, Any], since: str) -> float:
    begin, end = (datetime.fromisoformat(snapshot[name]) for name in (since, "ended_at"))
    return (end - begin).total_seconds()


def _ssh(lab: Lab) -> float:
    began = time.monotonic()
    for host in lab.hosts:
        for _ in range(2):
            lab.ssh(host, COMMAND)
    return time.monotonic() - began


def _ansible(lab: Lab) -> float:
    with tempfile.TemporaryDirectory() as folder:
        inventory, playbook = Path(folder, "hosts.ini"), Path(folder, "play.yml")
        inventory.write_text("".join(f"{host}\n" for host in lab.hosts))
        playbook.write_text(PLAYBOOK)
        argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory)]
        argv += ["-u", "root", "--private-key", lab.status["key"], str(playbook)]
        argv += ["--ssh-common-args", f"-o UserKnownHostsFile={lab.status['known_hosts']}"]
        began = time.monotonic()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        return time.monotonic() - began


PLAYBOOK = f"""
- hosts: all
  serial: 1
  gather_facts: false
  tasks:
    - ansible.builtin.shell: {COMMAND}
    - ansible.builtin.shell: {COMMAND}
"""
