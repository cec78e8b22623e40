"""From "all three databases are down, the primary behind" to a cluster of three: panel and a script.

The script is what a skilled admin would keep ready: positions read on all servers at the same time,
the highest one bootstrapped, the others one at a time. It looks at nothing twice and asks nobody;
the panel surveys, plans twice by a look at every server, and proves each step. What a person takes
to read and to type is in neither.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.install import by_ssh
from bench.lab import Lab
from tests.e2e import steps
from tests.e2e.panel import Client, Panel

ROUNDS = 3
KILL = "systemctl kill -s KILL mariadb; systemctl stop mariadb; systemctl reset-failed mariadb"
SCRIPT = r"""
set -eu
key=$1 known=$2; shift 2
on() { host=$1; shift; ssh -q -i "$key" -o BatchMode=yes -o UserKnownHostsFile="$known" "root@$host" "$@"; }
folder=$(mktemp -d)
for host in "$@"; do
    on "$host" "systemctl stop mariadb; galera_recovery 2>/dev/null" >"$folder/$host" &
done
wait
best= top=-1 uuids=
for host in "$@"; do
    place=$(sed -n 's/.*wsrep_start_position=//p' "$folder/$host" | tail -n 1)
    [ "${place##*:}" -le "$top" ] || { top=${place##*:} best=$host; }
done
on "$best" "sed -i 's/^safe_to_bootstrap: 0/safe_to_bootstrap: 1/' /var/lib/mysql/grastate.dat
    galera_new_cluster && mariadb -Ne \"show status like 'wsrep_cluster_status'\" | grep -q Primary"
size=1
for host in "$@"; do
    [ "$host" != "$best" ] || continue
    size=$((size + 1))
    on "$host" "systemctl reset-failed mariadb; systemctl start mariadb
        until mariadb -Ne \"show status where variable_name in ('wsrep_cluster_size', 'wsrep_local_state')\" |
            sort | tr '\n\t' '  ' | grep -q 'wsrep_cluster_size $size .*wsrep_local_state 4'; do sleep 0.1; done"
done
rm -rf "$folder"
"""


def measure(lab: Lab, panel: Panel) -> list[str]:
    lab.reset()
    by_ssh(lab)
    for host in lab.hosts:
        lab.ssh(host, "systemctl stop dpiui2-worker; systemctl disable dpiui2-worker")
    lab.ssh(lab.hosts[0], "mariadb -e 'CREATE TABLE dpiui2.night (id INT)'")
    client = panel.client()
    cluster = steps.create_cluster(client, lab.status, "Recovery")
    steps.trust_all(client, cluster, lab.status)
    taken: dict[str, list[float]] = {"panel": [], "script": []}
    for _ in range(ROUNDS):
        _all_down(lab)
        taken["panel"].append(_panel(client, cluster))
        _all_down(lab)
        taken["script"].append(_script(lab))
    pairs = [a / b for a, b in zip(taken["panel"], taken["script"], strict=True)]
    return [
        f"panel {statistics.median(taken['panel']):6.1f} s, script"
        f" {statistics.median(taken['script']):6.1f} s (median of {ROUNDS})",
        f"panel ÷ script: {statistics.median(pairs):.2f} (goal ≤ 1.15)",
    ]


def _all_down(lab: Lab) -> None:
    """The primary dies first and misses what is written then; the others die together."""
    first, second, third = lab.hosts
    lab.ssh(first, KILL)
    until = time.monotonic() + 30
    size = "mariadb -Ne \"show status like 'wsrep_cluster_size'\""
    while lab.ask(second, size).split()[-1:] != ["2"]:
        assert time.monotonic() < until
        time.sleep(0.2)
    lab.ssh(second, "mariadb -e 'INSERT INTO dpiui2.night VALUES (1), (2)'")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: lab.ssh(host, KILL), (second, third)))
    time.sleep(1)


def _panel(client: Client, cluster: int) -> float:
    began = time.monotonic()
    _run(client, cluster, "survey_galera")
    run = _start(client, cluster, "recover_galera")
    joined = 0.0
    while not joined:
        seen = client.get(f"/runs/{run}")
        found = [s for g in seen["stages"] for s in g["steps"] if s["key"].split("-")[0] == "join"]
        assert seen["state"] in ("waiting", "running", "succeeded")
        if all(step["state"] == "succeeded" for step in found):
            joined = time.monotonic() - began
        time.sleep(0.1)
    assert client.finished(run)["state"] == "succeeded"
    return joined


def _run(client: Client, cluster: int, procedure: str) -> None:
    run = _start(client, cluster, procedure)
    while (state := client.get(f"/runs/{run}")["state"]) in ("waiting", "running"):
        time.sleep(0.1)
    assert state == "succeeded"


def _start(client: Client, cluster: int, procedure: str) -> str:
    """The plan that is shown is the plan that is started: one preview, one start."""
    plan: Any = client.plan(cluster, procedure)
    answers = {
        gate["id"]: {"typed": "Recovery"} if gate["kind"] == "typed" else {"accept": True}
        for gate in plan["gates"]
    }
    body = {
        "procedure": procedure,
        "params": {},
        "plan_hash": plan["hash"],
        "confirmations": answers,
    }
    return str(client.post(f"/clusters/{cluster}/runs", body, expect=201)["id"])


def _script(lab: Lab) -> float:
    began = time.monotonic()
    argv = ["sh", "-c", SCRIPT, "sh", lab.status["key"], lab.status["known_hosts"], *lab.hosts]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return time.monotonic() - began
