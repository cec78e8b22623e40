"""A lab as files: what must survive the tool, its being killed, and the host's processes."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from . import addresses
from .names import Names
from .proc import LabError


@dataclass(frozen=True)
class Lab:
    """What was decided once and then stays: address range, password, number of nodes."""

    name: str
    home: Path
    subnet: IPv4Network
    count: int
    root_password: str

    @property
    def names(self) -> Names:
        return Names(self.name, self.home)

    @property
    def dir(self) -> Path:
        return self.home / self.name

    @property
    def key(self) -> Path:
        """The private key that opens root on every node."""
        return self.dir / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.dir / "known_hosts"

    @property
    def nodes(self) -> "list[Node]":
        return [Node(self, number) for number in range(1, self.count + 1)]


@dataclass(frozen=True)
class Node:
    """One node's place on the host."""

    lab: Lab
    number: int

    @property
    def name(self) -> str:
        return f"node{self.number}"

    @property
    def address(self) -> IPv4Address:
        return addresses.node_address(self.lab.subnet, self.number)

    @property
    def dir(self) -> Path:
        return self.lab.dir / "nodes" / self.name

    @property
    def root(self) -> Path:
        """Where the node's overlay is mounted."""
        return self.dir / "root"

    @property
    def data(self) -> Path:
        """The node's /data: a plain host directory, because bricks need trusted.* attributes."""
        return self.dir / "data"

    @property
    def console(self) -> Path:
        return self.lab.dir / "console" / f"{self.name}.log"

    @property
    def host_keys(self) -> Path:
        return self.lab.dir / "host_keys" / self.name

    @property
    def prepared(self) -> Path:
        """Exists once the node's disk is complete; a disk without it is debris."""
        return self.dir / "prepared"

    @property
    def settled(self) -> Path:
        """Exists once the pristine node has answered: an `up` that was killed before must wait again."""
        return self.dir / "settled"

    @property
    def layers(self) -> Path:
        """Names the base layers this disk was started on: a newer base must not slide under it."""
        return self.dir / "layers"

    @property
    def cgroup(self) -> str:
        return self.lab.names.node_cgroup(self.number)

    @property
    def netns(self) -> str:
        return self.lab.names.netns(self.number)


def load(names: Names) -> Lab | None:
    """The lab as stored, or None when there is none (or `up` died before deciding anything)."""
    try:
        stored = json.loads((names.home / names.lab / "lab.json").read_text())
    except FileNotFoundError:
        return None
    return Lab(
        names.lab,
        names.home,
        IPv4Network(stored["subnet"]),
        stored["count"],
        stored["root_password"],
    )


def load_existing(names: Names) -> Lab:
    lab = load(names)
    if lab is None:
        raise LabError(f"there is no lab {names.lab!r}: lab --name {names.lab} up")
    return lab


def create(names: Names, count: int) -> Lab:
    """Decide on a lab and store it; call it under `allocation_lock`."""
    taken = addresses.routed_networks() + addresses.reserved_networks(names.home)
    lab = Lab(names.lab, names.home, addresses.choose(taken), count, secrets.token_urlsafe(12))
    save(lab)
    return lab


def grown(lab: Lab, count: int) -> Lab:
    """The same lab with more nodes; never with fewer, that would throw a node away unasked."""
    if count < lab.count:
        raise LabError(f"lab {lab.name!r} has {lab.count} nodes; take it down to have fewer")
    if count == lab.count:
        return lab
    bigger = replace(lab, count=count)
    save(bigger)
    return bigger


def save(lab: Lab) -> None:
    lab.dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    stored = {key: str(value) if key == "subnet" else value for key, value in asdict(lab).items()}
    del stored["home"]
    write_atomically(lab.dir / "lab.json", json.dumps(stored, indent=1) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Whole or not at all, also when the tool is killed here."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)


@contextmanager
def lab_lock(names: Names) -> Iterator[None]:
    """One changing command at a time per lab; the kernel lets go of it when the tool dies."""
    with _flock(names.home / ".locks" / names.lab):
        yield


@contextmanager
def allocation_lock() -> Iterator[None]:
    """Held from looking for a free range until the bridge owns it; the same for every home."""
    with _flock(Path("/run/lock/clusterpanel-lab.lock")):
        yield


@contextmanager
def _flock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
