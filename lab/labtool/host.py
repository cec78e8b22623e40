"""Can this host run a lab at all, and if not, which one thing is missing?"""

import os
import shutil
import sys
from pathlib import Path

from . import cgroups
from .proc import LabError, run, succeeds

CANNOT_RUN = 3

# Command -> the Debian package that has it.
_NEEDED = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nft": "nftables",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "mount": "mount",
}
# Each systemd of each node watches some files; a host's default of 128 ends with the sixth lab,
# and a node that gets none hangs half-way through its boot.
_INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
_INOTIFY_NEEDED = 1024

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def check() -> None:
    """Raise with one sentence if no lab can run here, whatever gets installed."""
    missing = _first_missing()
    if missing:
        raise LabError(missing, CANNOT_RUN)


def require_root() -> None:
    """For commands that only take away: they must work where a lab could no longer start."""
    if os.geteuid() != 0:
        raise LabError("this needs root", CANNOT_RUN)


def missing_packages() -> list[str]:
    """The Debian packages this host lacks."""
    found = {package for command, package in _NEEDED.items() if shutil.which(command) is None}
    if not _KEYRING.exists():
        found.add("debian-archive-keyring")
    return sorted(found)


def install_missing_packages() -> None:
    """Name what the host lacks, then install it."""
    packages = missing_packages()
    if not packages:
        return
    print(
        f"lab: this host needs the Debian packages {' '.join(packages)}; installing them",
        file=sys.stderr,
    )
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    succeeds("apt-get", "update")
    run("apt-get", "install", "-y", "--no-install-recommends", *packages)


def raise_limits() -> None:
    """Enough watches for many nodes side by side. The limit stays raised; nothing else uses it up."""
    if int(_INOTIFY.read_text()) < _INOTIFY_NEEDED:
        _INOTIFY.write_text(str(_INOTIFY_NEEDED))


def _first_missing() -> str | None:
    if sys.platform != "linux":
        return "a lab needs Linux: its nodes are namespaces of this kernel"
    if os.geteuid() != 0:
        return "a lab needs root: it makes namespaces, mounts and bridges"
    if not Path("/dev/fuse").is_char_device():
        return "a lab needs /dev/fuse: GlusterFS mounts through it"
    return _missing_control_groups() or _missing_kernel_part() or _missing_tools()


def _missing_control_groups() -> str | None:
    hierarchies = cgroups.hierarchies()
    if not hierarchies:
        return "a lab needs control groups for systemd: a cgroup v2, or a name=systemd hierarchy, below /sys/fs/cgroup"
    probe = f"clusterpanel-lab.probe.{os.getpid()}"
    try:
        cgroups.create(probe)
    except OSError as error:
        return f"a lab needs a writable cgroup tree: {error}"
    finally:
        for path in cgroups.paths(probe):
            if path.exists():
                path.rmdir()
    return None


def _missing_kernel_part() -> str | None:
    if shutil.which("unshare") and not succeeds(
        "unshare", "--mount", "--net", "--pid", "--fork", "true"
    ):
        return "a lab needs mount, network and pid namespaces: unshare says no"
    if "overlay" not in Path("/proc/filesystems").read_text() and not succeeds(
        "modprobe", "overlay"
    ):
        return "a lab needs the overlay file system in the kernel"
    return None


def _missing_tools() -> str | None:
    packages = missing_packages()
    if packages and shutil.which("apt-get") is None:
        return f"a lab needs {', '.join(packages)}, and there is no apt-get here to install them"
    return None
