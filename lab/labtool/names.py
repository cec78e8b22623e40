"""Every kernel-wide name a lab uses, computed from its own name: nothing to remember, nothing to lose."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from .proc import LabError

MAX_NODES = 9
_LAB_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?")
_NODE_NAME = re.compile(r"(?:node)?([1-9])")


def home() -> Path:
    """Where the labs keep their state."""
    return Path(os.environ.get("CLUSTERPANEL_LAB_HOME", "/var/lib/clusterpanel-lab")).absolute()


def cache() -> Path:
    """Where the built base lives; outlives every lab."""
    return Path(os.environ.get("CLUSTERPANEL_LAB_CACHE", "/var/cache/clusterpanel-lab")).absolute()


def node_number(text: str) -> int:
    """`node2` or `2` as 2."""
    match = _NODE_NAME.fullmatch(text)
    if match is None:
        raise LabError(f"{text!r} is no node name: they are node1, node2, ... node{MAX_NODES}")
    return int(match[1])


@dataclass(frozen=True)
class Names:
    """The names of one lab. Two homes may each have a lab "demo": the home is part of the tag."""

    lab: str
    home: Path

    def __post_init__(self) -> None:
        if not _LAB_NAME.fullmatch(self.lab):
            raise LabError(
                f"{self.lab!r} is no lab name: a-z, 0-9 and inner '-', at most 24 characters"
            )

    @property
    def tag(self) -> str:
        """Eight characters for interface names, which the kernel cuts off at 15."""
        return hashlib.sha256(f"{self.home}\0{self.lab}".encode()).hexdigest()[:8]

    @property
    def bridge(self) -> str:
        return f"cpl{self.tag}"

    def veth(self, number: int) -> str:
        """The host's end of a node's cable; the bridge's name is its prefix, so one prefix finds all."""
        return f"{self.bridge}.{number}"

    @property
    def netns_prefix(self) -> str:
        return f"cplab-{self.lab}-{self.tag}-node"

    def netns(self, number: int) -> str:
        return f"{self.netns_prefix}{number}"

    def machine(self, number: int) -> str:
        """Unique on the host; the hostname inside is plain `node1`."""
        return self.netns(number)

    @property
    def cgroup(self) -> str:
        """Relative to the root of a cgroup hierarchy."""
        return f"clusterpanel-lab/{self.lab}-{self.tag}"

    def node_cgroup(self, number: int) -> str:
        return f"{self.cgroup}/node{number}"
