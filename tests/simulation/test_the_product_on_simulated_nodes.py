"""What the product asks of real servers works on simulated ones: checks, settings, backups, proofs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nodes.env_file import env_payload
from nodes.env_file_script import WRITE
from nodes.probes.check_script import CHECK
from nodes.simulation.cluster import SimulatedCluster
from nodes.transport.base import Output, script
from nodes.transport.simulated import connect
from operations.domain.backup_scripts import ARCHIVE, DUMP
from operations.domain.proofs import PROOFS, Holds
from tests.simulation.scenario import SETTINGS, vendor
from tests.simulation.sides import APP, Simulated

A, B, C = HOSTS = ("10.0.0.11", "10.0.0.12", "10.0.0.13")
STORAGE = f"{APP}/backend/storage"


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """Galera and GlusterFS as the vendor's scripts install them."""
    made = Simulated(SimulatedCluster.create(tmp_path_factory.mktemp("nodes") / "cluster", HOSTS))
    for host in HOSTS:
        run(made, host, SETTINGS, f"{APP}/backend/.env", ",".join(HOSTS), A)
    codes = vendor("galera_setup.sh", "init_cluster", 1, 2, 3)(made)
    codes += vendor("glusterfs_setup.sh", "init_gluster", 1, 2, 3)(made)
    codes += vendor("glusterfs_setup.sh", "init_peers", 1)(made)
    codes += vendor("glusterfs_setup.sh", "init_volume", 1)(made)
    codes += vendor("glusterfs_setup.sh", "mount", 1, 2, 3)(made)
    assert set(codes) == {0}
    yield made
    for host in HOSTS:
        made.power_off(host)


def run(side: Simulated, host: str, text: str, *args: str, stdin: bytes = b"") -> Output:
    command = script(text, *args, stdin=stdin, timeout_s=60)
    return connect(side.cluster, side.target(host)).run(command)


def proven(side: Simulated, name: str, *args: str) -> bool:
    kind = PROOFS[name]
    probes = kind.probes(args, A, HOSTS)
    outputs = {probe.host: run(side, probe.host, probe.script, *probe.args) for probe in probes}
    return isinstance(kind.judge(args, outputs), Holds)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("galera_member", (A, "3", A)),
        ("galera_member", (C, "3", A)),
        ("glusterd_active", (B,)),
        ("peers_connected", HOSTS),
        ("volume_well", (A,)),
        ("storage_shared", (STORAGE, A, B, C)),
        ("primary_able", (B, STORAGE)),
        ("primary_agreed", (f"{APP}/backend/.env", A, A, B, C)),
    ],
)
def test_every_proof_of_the_installation_holds(
    side: Simulated, name: str, args: tuple[str, ...]
) -> None:
    assert proven(side, name, *args)


def test_the_env_file_is_written_and_proven(side: Simulated) -> None:
    path = f"{APP}/backend/.env"
    current = (side.cluster.root(B) / path.lstrip("/")).read_bytes()
    payload = env_payload(current, {"CLUSTER_PRIMARY_HOST": B})
    done = run(side, B, WRITE, path, stdin=payload)
    assert (done.exit_code, done.text.splitlines()[0].startswith(f"wrote {path};")) == (0, True)
    assert proven(side, "env_equals", B, path, f"CLUSTER_PRIMARY_HOST={B}")


def test_backups_are_taken_and_read_back(side: Simulated) -> None:
    dump, files = "/var/lib/clusterpanel/backups/a.sql.gz", "/var/lib/clusterpanel/backups/a.tar.gz"
    assert run(side, A, DUMP, dump).exit_code == 0
    assert run(side, A, ARCHIVE, files, STORAGE).exit_code == 0
    assert proven(side, "dump_readable", A, dump)
    assert proven(side, "archive_readable", A, files)


def test_the_monitoring_account_reaches_every_node(side: Simulated) -> None:
    grants = b"".join(
        b"GRANT USAGE ON *.* TO 'clusterpanel'@'%s' IDENTIFIED BY PASSWORD '*AB';\n" % host
        for host in (b"localhost", b"127.0.0.1")
    )
    assert run(side, A, "mariadb --connect-timeout=10 --batch", stdin=grants).exit_code == 0
    assert proven(side, "monitor_account", *HOSTS)


def test_the_checks_find_open_and_closed_ports(side: Simulated) -> None:
    said = run(side, A, CHECK, B, C, "--", *HOSTS).text
    assert f"{B} 3306 0 " in said
    assert f"{B} 4444 1 bash: connect: Connection refused" in said
    assert f"{B} {B}" in said
    side.partition(B)
    said = run(side, A, CHECK, B, C, "--", *HOSTS).text
    side.rejoin(B)
    assert f"{B} 3306 1 bash: connect: No route to host" in said
    assert f"{C} 3306 0 " in said
