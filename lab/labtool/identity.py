"""What makes a node itself: name, keys, password, machine id. Made per lab, never baked into the base."""

import base64
import hashlib
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import base
from .proc import LabError, run
from .state import Lab, Node, write_atomically

_KEY_TYPES = ("ed25519", "ecdsa", "rsa")


def ensure_keys(lab: Lab) -> None:
    """The root key and every node's host keys. They outlive a reset, so nobody has to pin anew."""
    waiting = [node for node in lab.nodes if not node.host_keys.is_dir()]
    with _drafts(lab) as drafts:
        started = [
            _host_keygen(drafts / node.name, key_type)
            for node in waiting
            for key_type in _KEY_TYPES
        ]
        if not lab.key.exists():
            started.append(
                _keygen(drafts / lab.key.name, "ed25519", f"clusterpanel-lab-{lab.name}")
            )
        if any(process.wait() != 0 for process in started):
            raise LabError("ssh-keygen failed")
        _publish(lab, drafts, waiting)
    _write_known_hosts(lab)


def forget_host_keys(lab: Lab) -> None:
    """The next `ensure_keys` makes new ones, as a reinstalled server would."""
    for node in lab.nodes:
        shutil.rmtree(node.host_keys, ignore_errors=True)


def install(node: Node, password_hash: str) -> None:
    """Write the node's identity into its mounted root."""
    etc = node.root / "etc"
    (etc / "hostname").write_text(f"{node.name}\n")
    (etc / "hosts").write_text(_hosts(node.lab))
    (etc / "machine-id").write_text(f"{uuid.uuid4().hex}\n")
    for key in node.host_keys.iterdir():
        shutil.copy(key, etc / "ssh")
    _set_root_password(etc / "shadow", password_hash)
    ssh = node.root / "root/.ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(node.lab.key.with_suffix(".pub"), ssh / "authorized_keys")


def password_hash(lab: Lab) -> str:
    """Hashed by the base's own openssl: the host may have none, and argv would show the password."""
    hashing = ["chroot", str(base.os_layer()), "openssl", "passwd", "-6", "-stdin"]
    return run(*hashing, stdin=lab.root_password).strip()


def host_key_sha256(node: Node) -> str:
    """As `ssh-keygen -l` prints it."""
    public = (node.host_keys / "ssh_host_ed25519_key.pub").read_text().split()[1]
    digest = hashlib.sha256(base64.b64decode(public)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


@contextmanager
def _drafts(lab: Lab) -> Iterator[Path]:
    """Where keys are made. A directory per call: the ssh-keygen of a killed call may still be writing."""
    directory = lab.dir / f"drafts.{os.getpid()}"
    for old in lab.dir.glob("drafts.*"):
        shutil.rmtree(old, ignore_errors=True)
    directory.mkdir()
    yield directory
    shutil.rmtree(directory)


def _publish(lab: Lab, drafts: Path, waiting: list[Node]) -> None:
    """Complete keys get their names; of root's the public half first: who sees the private one may use both."""
    for node in waiting:
        node.host_keys.parent.mkdir(exist_ok=True)
        (drafts / node.name).rename(node.host_keys)
    for name in (f"{lab.key.name}.pub", lab.key.name):
        if (drafts / name).exists():
            (drafts / name).rename(lab.dir / name)


def _host_keygen(directory: Path, key_type: str) -> "subprocess.Popen[bytes]":
    directory.mkdir(exist_ok=True)
    return _keygen(directory / f"ssh_host_{key_type}_key", key_type, f"root@{directory.name}")


def _keygen(target: Path, key_type: str, comment: str) -> "subprocess.Popen[bytes]":
    command = ["ssh-keygen", "-q", "-t", key_type, "-N", "", "-C", comment, "-f", str(target)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL)


def _write_known_hosts(lab: Lab) -> None:
    lines = [
        " ".join([str(node.address), *public.read_text().split()[:2]])
        for node in lab.nodes
        for public in sorted(node.host_keys.glob("*.pub"))
    ]
    write_atomically(lab.known_hosts, "\n".join(lines) + "\n")


def _hosts(lab: Lab) -> str:
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
    return "\n".join(lines + [f"{node.address} {node.name}" for node in lab.nodes]) + "\n"


def _set_root_password(shadow: Path, password_hash: str) -> None:
    lines = shadow.read_text().splitlines()
    fields = [line.split(":") for line in lines]
    changed = [
        ":".join(["root", password_hash, *rest[2:]] if rest[0] == "root" else rest)
        for rest in fields
    ]
    shadow.write_text("\n".join(changed) + "\n")
