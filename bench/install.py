"""Galera and GlusterFS installed by the panel, and by the same scripts in an ssh loop."""

from __future__ import annotations

import statistics
import time

from bench.lab import Lab
from bench.short_steps import seconds
from tests.e2e import steps
from tests.e2e.panel import Client, Panel

APP = "/var/www/html/dpiui2/backend/app_bash"
ROUNDS = 2


def measure(lab: Lab, panel: Panel) -> list[str]:
    client = panel.client()
    by_panel, plain = [], []
    for number in range(ROUNDS):
        lab.reset()
        by_panel.append(_panel(client, lab, f"Install {number}"))
        lab.reset()
        plain.append(by_ssh(lab))
    pairs = [a / b for a, b in zip(by_panel, plain, strict=True)]
    return [
        f"panel {statistics.median(by_panel):6.1f} s, ssh loop {statistics.median(plain):6.1f} s"
        f" (median of {ROUNDS}, backups aside)",
        f"panel ÷ ssh: {statistics.median(pairs):.2f} (goal ≤ 1.05)",
    ]


def _panel(client: Client, lab: Lab, name: str) -> float:
    cluster = steps.create_cluster(client, lab.status, name)
    steps.trust_all(client, cluster, lab.status)
    for procedure in ("apply_settings", "backup_database", "backup_storage"):
        steps.run_to_success(client, cluster, procedure)
    total = 0.0
    for procedure in ("install_galera", "install_glusterfs"):
        answers = steps.confirm_all(client, cluster, procedure)
        total += seconds(steps.run_to_success(client, cluster, procedure, answers), "created_at")
    return total


def by_ssh(lab: Lab) -> float:
    """The cluster installed as the manual says, one ssh after the other; seconds without settings."""
    _settings(lab)
    return _ssh(lab)


def _settings(lab: Lab) -> None:
    hosts = ",".join(lab.hosts)
    edit = (
        f"sed -i 's/^GALERA_PEER_HOSTS=.*/GALERA_PEER_HOSTS={hosts}/;"
        f"s/^CLUSTER_FS_PEER_HOSTS=.*/CLUSTER_FS_PEER_HOSTS={hosts}/;"
        f"s/^CLUSTER_PRIMARY_HOST=.*/CLUSTER_PRIMARY_HOST={lab.hosts[0]}/' {APP}/../.env"
    )
    for host in lab.hosts:
        lab.ssh(host, edit)


def _ssh(lab: Lab) -> float:
    first = lab.hosts[0]
    began = time.monotonic()
    for host in lab.hosts:
        lab.ssh(host, f"sh {APP}/galera_setup.sh -a init_cluster")
    for host in lab.hosts:
        lab.ssh(host, f"sh {APP}/glusterfs_setup.sh -a init_gluster")
    lab.ssh(first, f"sh {APP}/glusterfs_setup.sh -a init_peers")
    lab.ssh(first, f"sh {APP}/glusterfs_setup.sh -a init_volume")
    for host in lab.hosts:
        lab.ssh(host, f"sh {APP}/glusterfs_setup.sh -a mount")
    return time.monotonic() - began
