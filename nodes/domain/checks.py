"""The checks before an installation: a closed list. The judges are in `check_judges`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from nodes.domain.observation import ClusterFacts, NodeFacts, Unknown
from nodes.domain.peers import PeerSettings
from nodes.domain.text import Text, say

State = Literal["ok", "warning", "failed", "unknown"]


@dataclass(frozen=True)
class Check:
    """One question to every server. `blocking`: an installation should not start past a failure."""

    id: str
    title: Text
    why: Text
    blocking: bool = True


@dataclass(frozen=True)
class CheckAnswer:
    """What was found, and what to type when it is not as it should be."""

    state: State
    detail: Text
    fix: Text | None = None


@dataclass(frozen=True)
class PortTry:
    """One connection attempt: `code` is the shell's exit code, `said` its last words."""

    host: str
    port: int
    code: int
    said: str = ""


@dataclass(frozen=True)
class CheckFacts:
    """What only the checks ask of a server."""

    ports: tuple[PortTry, ...] | Unknown
    listening: frozenset[int] | Unknown  # ports that something listens on, not on loopback
    names: Mapping[str, str] | Unknown  # host -> address as this server resolves it; "" not at all
    firewall: Mapping[str, str] | Unknown  # selinux, firewalld, ufw -> state; nft -> rules
    jobs: tuple[str, ...] | Unknown  # locks, jobs and set-up scripts that are there now


@dataclass(frozen=True)
class Evidence:
    """Everything that a judge may look at, for one server. `own` is the name of this panel."""

    host: str
    settings: PeerSettings
    facts: ClusterFacts
    checks: Mapping[str, CheckFacts | Unknown] = field(default_factory=dict)
    app_dir: str = ""
    key_pinned: bool = True

    @property
    def node(self) -> NodeFacts:
        return self.facts.node(self.host)

    @property
    def asked(self) -> CheckFacts | Unknown:
        return self.checks.get(self.host, Unknown(say("This was not asked yet.")))


CHECKS = (
    Check("ssh", say("SSH"), say("Every step runs over SSH.")),
    Check(
        "host_key",
        say("Host key"),
        say("The panel signs in only to the server whose key a person accepted."),
    ),
    Check("root", say("Root"), say("“The script must be run as root.”")),
    Check("scripts", say("Set-up scripts"), say("The scripts of dpiui2 do the installation.")),
    Check("env_file", say(".env"), say("The scripts read the cluster's settings from this file.")),
    Check(
        "settings_equal",
        say("Settings"),
        say("All servers must name the same hosts and the same primary."),
    ),
    Check(
        "ports",
        say("Ports"),
        say("“There must be IP connectivity between cluster nodes”: Galera and GlusterFS."),
    ),
    Check(
        "names",
        say("Host names"),
        say("A name that means different servers on different servers builds two clusters."),
    ),
    Check("clock", say("Clock"), say("Clocks that differ make logs and file times misleading.")),
    Check("disk", say("Free disk"), say("A joining server copies the whole database.")),
    Check("memory", say("Memory"), say("A server that swaps leaves the cluster.")),
    Check(
        "versions",
        say("Versions"),
        say("Servers with different versions may refuse each other."),
    ),
    Check(
        "socket",
        say("mariadb.socket"),
        say("This unit takes the database's port, and starts a stopped database again."),
    ),
    Check(
        "firewall_selinux",
        say("Firewall, SELinux"),
        say("Both can stop replication in ways that are hard to see later."),
        blocking=False,
    ),
    Check(
        "no_other_job",
        say("No other work"),
        say("Two set-ups at the same time destroy each other's work."),
    ),
    Check(
        "bootstrap_marker",
        say("No start marker"),
        say("A left-over marker makes the next start of the database begin a second cluster."),
    ),
    Check(
        "dpiui2_version",
        say("dpiui2"),
        say("Clusters are supported from version 2.25.9."),
        blocking=False,
    ),
)
IDS = tuple(check.id for check in CHECKS)
