"""Builds the app layers: the stand-in for dpiui2 at the vendor's paths, and two different databases."""

import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from labtool.mounts import mount_overlay, unmount_below
from labtool.proc import LabError, run

Builder = Callable[[Path], None]

_STANDIN = Path(__file__).resolve().parent.parent / "standin"
_BACKEND = Path("var/www/html/dpiui2/backend")
_DISABLED = ["mariadb.socket", "glusterd", "glustereventsd"]
# Nothing a test looks at; each costs boot time or noise three times over.
_MASKED = [
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer"),
    *("e2scrub_reap.service", "fstrim.timer", "xfs_scrub_all.timer", "getty@.service", "console-getty.service"),
    *("systemd-resolved.service", "systemd-timesyncd.service", "systemd-networkd.service"),
]


def build_layers(os_layer: Path, target: Path) -> None:
    """Fill `target` with the layers common, primary and replica, each over the ones before."""
    common = target / "common"
    _with_overlay([os_layer], common, _install_common)
    for database in ("primary", "replica"):
        lower = [common / "upper", os_layer]
        _with_overlay(lower, target / database, lambda root: _seed_database(root, database))


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
    _arrange_units(root)


def _install_app(root: Path) -> None:
    backend = root / _BACKEND
    shutil.copytree(_STANDIN / "app_bash", backend / "app_bash")
    _install(_STANDIN / "backend.env", backend / ".env", 0o640)
    fill_storage(backend / "storage")
    run("chroot", str(root), "chown", "-R", "www-data:www-data", "/var/www/html/dpiui2")


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


def _arrange_units(root: Path) -> None:
    run("systemctl", f"--root={root}", "disable", *_DISABLED)
    run("systemctl", f"--root={root}", "mask", *_MASKED)
    run("systemctl", f"--root={root}", "enable", "mariadb", "ssh", "dpiui2-worker")


def _seed_database(root: Path, database: str) -> None:
    """Feed SQL to the server's bootstrap mode: no network, no privileges, no running daemon."""
    sql = "".join((_STANDIN / "sql" / name).read_text() for name in ("schema.sql", f"{database}.sql"))
    server = ["chroot", str(root), "mariadbd", "--user=mysql", "--bootstrap", "--log-warnings=0"]
    done = subprocess.run(server, input=sql, text=True, capture_output=True)
    if done.returncode != 0 or "ERROR" in done.stderr:
        raise LabError(f"the database {database} was not filled: {done.stderr.strip()[-800:]}")


def _install(source: Path, target: Path, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    target.chmod(mode)


def fill_storage(storage: Path) -> None:
    """A Laravel storage directory as one finds it: many small files, a big one, awkward names."""
    dice = random.Random(2025)  # the same bytes every time, so that checksums can be compared
    _write(storage / "app/exports/traffic dump 2024.bin", dice.randbytes(2_500_000))
    _write(storage / "app/public/logo.png", b"\x89PNG\r\n\x1a\n" + dice.randbytes(40_000))
    for number in range(12):
        _write(storage / f"app/reports/Отчёт за {number + 1} месяц.csv", _csv(dice, 300))
        _write(storage / f"framework/cache/data/{number:02x}/{dice.randbytes(20).hex()}", dice.randbytes(900))
        _write(storage / f"framework/sessions/{dice.randbytes(20).hex()}", b'a:1:{s:6:"_token";s:4:"none";}')
    for day in range(1, 8):
        _write(storage / f"logs/laravel-2025-06-{day:02}.log", _log(day).encode())
    _write(storage / "app/uploads/Договор № 15 (копия).txt", "Договор об оказании услуг\n".encode())
    _write(storage / "app/uploads/it's a \"quoted\" name.txt", b"quotes\n")
    _write(storage / "app/.gitignore", b"*\n")
    (storage / "framework/views").mkdir()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _csv(dice: random.Random, rows: int) -> bytes:
    lines = (f"{row};абонент {row};{dice.randrange(10**9)}\n" for row in range(rows))
    return "".join(lines).encode()


def _log(day: int) -> str:
    return "".join(f"[2025-06-{day:02} 03:{minute:02}:00] production.INFO: sync finished\n" for minute in range(60))
