"""One sweep of three lab servers, without glusterd's share: wall and CPU of the panel's side, and
the same facts read by ansible-core."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import install
from bench.lab import Lab
from nodes.probes.sweep import Known, Sweep
from nodes.transport import ssh
from nodes.transport.base import Target, Transport

PASSWORD = "bench-monitor"
SWEEPS, ROUNDS = 100, 3
# What the panel's beat asks, put as one shell task: the shortest that Ansible can do it.
FACTS = (
    "mariadb -N -B -e \\\"SHOW GLOBAL STATUS LIKE 'wsrep%'\\\"; "
    "systemctl show -p Id -p LoadState -p ActiveState -p UnitFileState"
    " mariadb.service mariadb.socket glusterd.service; "
    "systemctl show-environment; cat /var/lib/mysql/grastate.dat /proc/uptime /proc/loadavg"
    " /proc/sys/kernel/random/boot_id /proc/meminfo; "
    "sha256sum /var/www/html/dpiui2/backend/.env;"
    " grep -E 'PEER_HOSTS|PRIMARY_HOST' /var/www/html/dpiui2/backend/.env; "
    "df -P -B1 /var/lib/mysql /data; findmnt /var/www/html/dpiui2/backend/storage; date +%s.%N"
)
PLAYBOOK = f"""
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.shell: "{FACTS}"
"""


def measure(lab: Lab) -> list[str]:
    """On a cluster that plain ssh installed on pristine servers."""
    lab.reset()
    _install(lab)
    quick, whole, cpu = _panel(lab)
    lines = [
        f"panel: p50 {1000 * statistics.median(quick):.1f} ms wall (goal ≤ 60),"
        f" min {1000 * min(quick):.1f} ms,"
        f" p95 {1000 * statistics.quantiles(quick, n=20)[18]:.1f} ms,"
        f" {1000 * cpu:.1f} ms CPU a sweep (goal ≤ 20), {SWEEPS} sweeps of 3 servers,"
        f" load {os.getloadavg()[0]:.1f}",
        f"panel, with what hardly changes and a write to the storage:"
        f" p50 {1000 * statistics.median(whole):.1f} ms, min {1000 * min(whole):.1f} ms",
    ]
    wall, used = _ansible(lab)
    return [
        *lines,
        f"ansible-core: {wall:.2f} s wall, {used:.2f} s CPU (median of {ROUNDS}),"
        f" load {os.getloadavg()[0]:.1f}",
        f"ansible ÷ panel: {wall / statistics.median(quick):.0f} × wall (goal ≥ 20),"
        f" {used / cpu:.0f} × CPU (goal ≥ 50)",
    ]


def _install(lab: Lab) -> None:
    install.by_ssh(lab)
    account = f"CREATE OR REPLACE USER clusterpanel@127.0.0.1 IDENTIFIED BY '{PASSWORD}'"
    lab.ssh(lab.hosts[0], f'mariadb -e "{account}"')


def _panel(lab: Lab) -> tuple[list[float], list[float], float]:
    """Walls of quick sweeps and of whole ones in seconds, and CPU seconds of a quick one."""
    key = Path(lab.status["key"]).read_text()
    targets = [
        Target(host, 22, "root", tuple(ssh.scan_host_key(host, 22)), private_key=key)
        for host in lab.hosts
    ]
    kept: dict[Target, Transport] = {target: ssh.connect(target) for target in targets}
    app = "/var/www/html/dpiui2"
    whole = Sweep(targets, app, PASSWORD)
    facts = whole.run(kept.__getitem__)
    assert all(node.ssh is True for node in facts.nodes)
    known = {
        node.host: Known(str(node.extra["datadir"]), ("/data/brick1",), quick=True, write=False)
        for node in facts.nodes
    }
    quick = Sweep(targets, app, PASSWORD, known=known)
    slow = _walls(lambda: whole.run(kept.__getitem__), 10)
    began = time.process_time()
    fast = _walls(lambda: quick.run(kept.__getitem__), SWEEPS)
    cpu = (time.process_time() - began) / SWEEPS
    for transport in kept.values():
        transport.close()
    return fast, slow, cpu


def _walls(act: Callable[[], object], times: int) -> list[float]:
    walls = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        walls.append(time.perf_counter() - began)
        time.sleep(0.05)  # a beat is never right behind another
    return walls


def _ansible(lab: Lab) -> tuple[float, float]:
    """Seconds of wall and of CPU, its children's included."""
    walls, used = [], []
    with tempfile.TemporaryDirectory() as folder:
        inventory, playbook = Path(folder, "hosts.ini"), Path(folder, "play.yml")
        inventory.write_text("".join(f"{host}\n" for host in lab.hosts))
        playbook.write_text(PLAYBOOK)
        argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory)]
        argv += ["-u", "root", "--private-key", lab.status["key"], str(playbook)]
        argv += ["--ssh-common-args", f"-o UserKnownHostsFile={lab.status['known_hosts']}"]
        for _ in range(ROUNDS):
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            walls.append(time.monotonic() - began)
            used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(walls), statistics.median(used)
