"""The base: read-only layers built once and shared by every node of every lab.

    os       Debian with the packages a node needs                (half a minute, from the mirror)
    app      common:  the stand-in for dpiui2, unit settings      (a few seconds, from lab/standin)
             primary: the database of node1, with data
             replica: the database of the other nodes, different on purpose

Each is named by a hash of its recipe and appears by one rename: a half-built one is never used.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import host, mirror, mounts, names, standin
from .proc import LabError, run

_LAB = Path(__file__).resolve().parent.parent
PACKAGES = (
    "systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,iproute2,iputils-ping,procps,less,nano,"
    "ca-certificates,mariadb-server,galera-4,mariadb-backup,glusterfs-server,glusterfs-client,"
    "rsync,socat,lsof,cron,xfsprogs,gzip,pv,sudo"
)


def os_layer() -> Path:
    recipe = f"{mirror.RELEASE} {PACKAGES} {run('dpkg', '--print-architecture')}"
    return names.cache() / f"os-{_digest(recipe.encode())}"


def app_layer() -> Path:
    """Depends on the OS layer, on every file of the stand-in and on the code that installs it."""
    files = sorted(path for path in (_LAB / "standin").rglob("*") if path.is_file())
    files += [_LAB / "labtool" / name for name in ("standin.py", "storage.py")]
    parts = [os_layer().name.encode()] + [
        bytes(path.relative_to(_LAB)) + path.read_bytes() for path in files
    ]
    return names.cache() / f"app-{_digest(*parts)}"


def lower_layers(number: int) -> list[Path]:
    """What a node's own layer lies on, uppermost first."""
    database = "primary" if number == 1 else "replica"
    return [app_layer() / database / "upper", app_layer() / "common" / "upper", os_layer()]


def is_built() -> bool:
    return os_layer().is_dir() and app_layer().is_dir()


def ensure() -> None:
    """Build what is missing. Two at once: the second waits and finds the work done."""
    if is_built():
        return
    host.install_missing_packages()
    with _build_lock():
        if not is_built():
            _build_in_private_namespaces()


def build_missing() -> None:
    """The build itself; runs inside the namespaces made by `ensure`."""
    for debris in names.cache().glob(".build-*"):
        shutil.rmtree(debris)
    if not os_layer().is_dir():
        _build(os_layer(), _install_debian)
    if not app_layer().is_dir():
        _build(app_layer(), lambda target: standin.build_layers(os_layer(), target))


def prune() -> None:
    """Delete the layers of earlier recipes, except those a mounted node lies on."""
    with _build_lock():
        for layer in [*names.cache().glob("os-*"), *names.cache().glob("app-*")]:
            if layer not in (os_layer(), app_layer()) and not mounts.in_use_as_layer(layer):
                shutil.rmtree(layer)


def _build_in_private_namespaces() -> None:
    """Mounts and processes of the build vanish with it, also when this tool is killed."""
    entry = str(_LAB / "lab")
    inner = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        entry,
        "build-layers",
    ]
    if subprocess.run(["setpriv", "--pdeathsig", "KILL", *inner]).returncode != 0:
        raise LabError("the base could not be built; the reason is above")


def _build(layer: Path, build: "standin.Builder") -> None:
    print(f"lab: building {layer}", file=sys.stderr, flush=True)
    draft = layer.with_name(f".build-{layer.name}")
    build(draft)
    draft.rename(layer)


def _install_debian(target: Path) -> None:
    settings = names.cache() / "apt.conf"
    settings.write_text(mirror.settings())
    options = ["--quiet", "--mode=root", "--variant=minbase", f"--aptopt={settings}"]
    command = ["mmdebstrap", *options, f"--include={PACKAGES}", mirror.RELEASE, str(target), "-"]
    sources = "\n".join(mirror.sources())
    done = subprocess.run(command, input=sources, text=True, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise LabError("mmdebstrap failed")


@contextmanager
def _build_lock() -> Iterator[None]:
    names.cache().mkdir(parents=True, exist_ok=True)
    with (names.cache() / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("lab: another build of the base is running; waiting for it", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:12]
