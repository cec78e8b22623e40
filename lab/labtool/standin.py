"""Builds the app layers: the stand-in for dpiui2 at the vendor's paths, and two different databases."""

import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from . import storage
from .mounts import mount_overlay, unmount_below
from .proc import LabError, run

Builder = Callable[[Path], None]

_STANDIN = Path(__file__).resolve().parent.parent / "standin"
_BACKEND = Path("var/www/html/dpiui2/backend")
_DISABLED = ["mariadb.socket", "glusterd", "glustereventsd"]
# Nothing a test looks at; each costs boot time or noise three times over.
_MASKED = [
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer"),
    *(
        "e2scrub_reap.service",
        "fstrim.timer",
        "xfs_scrub_all.timer",
        "getty@.service",
        "console-getty.service",
    ),
    *("systemd-resolved.service", "systemd-timesyncd.service", "systemd-networkd.service"),
]


def build_layers(os_layer: Path, target: Path) -> None:
    """Fill `target` with the layers common, primary and replica, each over the ones before."""
    common = target / "common"
    _with_overlay([os_layer], common, _install_common)
    for database in ("primary", "replica"):
        lower = [common / "upper", os_layer]
        _with_overlay(lower, target / database, partial(_install_data, which=database))


def _with_overlay(lower: list[Path], layer: Path, fill: Builder) -> None:
    root = layer / "root"
    mount_overlay(lower, layer, root)
    try:
        fill(root)
    finally:
        unmount_below(root)


def _install_common(root: Path) -> None:
    _install_app(root)
    _install_worker(root)
    _install_settings(root)
    _leave_out_replication(root)
    _arrange_units(root)


def _install_app(root: Path) -> None:
    backend = root / _BACKEND
    shutil.copytree(_STANDIN / "app_bash", backend / "app_bash")
    _install(_STANDIN / "backend.env", backend / ".env", 0o640)
    _give_to_app(root)


def _install_worker(root: Path) -> None:
    worker = _STANDIN / "worker"
    _install(worker / "dpiui2-worker", root / "usr/local/sbin/dpiui2-worker", 0o755)
    _install(worker / "dpiui2-worker.service", root / "etc/systemd/system/dpiui2-worker.service")


def _install_settings(root: Path) -> None:
    _install(_STANDIN / "etc/mariadb.cnf", root / "etc/mysql/mariadb.conf.d/70-lab.cnf")
    _install(_STANDIN / "etc/sshd.conf", root / "etc/ssh/sshd_config.d/lab.conf")
    # A node's identity is its own: made when the node is made, never inherited.
    for shared in [*(root / "etc/ssh").glob("ssh_host_*"), root / "var/lib/glusterd/glusterd.info"]:
        shared.unlink(missing_ok=True)


def _leave_out_replication(root: Path) -> None:
    """As on EL, where geo-replication is a package of its own. Each start of glusterd runs gsyncd, a
    Python program, 25 times before it looks at its bricks: 10 s instead of 0.3 on a busy machine."""
    for gsyncd in (root / "usr/lib").glob("*/glusterfs/gsyncd"):
        gsyncd.unlink()


def _arrange_units(root: Path) -> None:
    run("systemctl", f"--root={root}", "disable", *_DISABLED)
    run("systemctl", f"--root={root}", "mask", *_MASKED)
    run("systemctl", f"--root={root}", "enable", "mariadb", "ssh", "dpiui2-worker")


def _install_data(root: Path, which: str) -> None:
    """Node1 holds the data; the others something else, so that one sees when it has been replaced."""
    _seed_database(root, which)
    storage.FILL[which](root / _BACKEND / "storage")
    _give_to_app(root)


def _give_to_app(root: Path) -> None:
    run("chroot", str(root), "chown", "-R", "www-data:www-data", "/var/www/html/dpiui2")


def _seed_database(root: Path, database: str) -> None:
    """Feed SQL to the server's bootstrap mode: no network, no privileges, no running daemon."""
    sql = "".join(
        (_STANDIN / "sql" / name).read_text() for name in ("schema.sql", f"{database}.sql")
    )
    server = ["chroot", str(root), "mariadbd", "--user=mysql", "--bootstrap", "--log-warnings=0"]
    done = subprocess.run(server, input=sql, text=True, capture_output=True)
    if done.returncode != 0 or "ERROR" in done.stderr:
        raise LabError(f"the database {database} was not filled: {done.stderr.strip()[-800:]}")


def _install(source: Path, target: Path, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    target.chmod(mode)
