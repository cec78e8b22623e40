"""Everything known of one server, in groups: each fact with its words, where it was read, and when.

A row without words is unknown, and says why, with what the server answered instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nodes.domain import fact_words as words
from nodes.domain.fact_words import Words
from nodes.domain.observation import NodeFacts, Unknown
from nodes.domain.text import Text, say


@dataclass(frozen=True)
class Row:
    """`command` is what was asked on the server. `read_at` in seconds since the epoch."""

    label: Text
    command: str
    read_at: float
    words: Words = ()
    unknown: Unknown | None = None


@dataclass(frozen=True)
class Group:
    title: Text
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class _Question:
    label: Text
    fact: str
    command: str
    tell: Callable[[Any], Words]
    beat: str = "beat"  # of nodes.domain.observation.GROUPS


def sheet(node: NodeFacts) -> list[Group]:
    return [
        Group(title, tuple(_row(node, question) for question in questions))
        for title, questions in _GROUPS
    ]


def _row(node: NodeFacts, question: _Question) -> Row:
    value = getattr(node, question.fact)
    read_at = node.group_read_at(question.beat)
    if isinstance(value, Unknown):
        return Row(question.label, question.command, read_at, unknown=value)
    # Of a disk the free bytes are one fact and its size another.
    told = question.tell(node if question.tell is words.disks else value)
    return Row(question.label, question.command, read_at, told or (say("none"),))


_GROUPS: tuple[tuple[Text, tuple[_Question, ...]], ...] = (
    (
        say("Server"),
        (
            _Question(say("Answers SSH"), "ssh", "ssh", words.yes_no),
            _Question(say("Signed in as root"), "is_root", "id -u", words.yes_no, "slow"),
            _Question(say("Name"), "hostname", "hostname", words.plain, "slow"),
            _Question(
                say("Addresses"),
                "addresses",
                "hostname -I",
                lambda found: tuple(map(words.text, found)),
                "slow",
            ),
            _Question(say("Boot"), "boot_id", "cat /proc/sys/kernel/random/boot_id", words.plain),
            _Question(say("Uptime"), "uptime_s", "cat /proc/uptime", words.up),
            _Question(say("Load of one minute"), "load1", "cat /proc/loadavg", words.plain),
            _Question(say("Memory"), "memory", "cat /proc/meminfo", words.sizes),
            _Question(say("Disks"), "disk_free", "df -P -B1", words.disks),
            _Question(
                say("Clock, less the panel's"), "clock_offset_s", "date +%s.%N", words.seconds
            ),
            _Question(say("Units"), "units", "systemctl show", words.pairs),
            _Question(say("Versions"), "versions", "mariadbd --version …", words.pairs, "slow"),
        ),
    ),
    (
        say("Database"),
        (
            _Question(say("Process runs"), "mysqld_running", "cat /proc/*/comm", words.yes_no),
            _Question(say("Galera"), "galera", "SHOW GLOBAL STATUS LIKE 'wsrep\\_%'", words.galera),
            _Question(say("Position on disk"), "grastate", "cat grastate.dat", words.grastate),
            _Question(say("State transfer"), "transfer", "cat /proc/*/cmdline; du", words.transfer),
            _Question(
                say("Would start a new cluster"),
                "bootstrap_marker",
                "systemctl show-environment; ls /run/*wsrep-new-cluster",
                words.marker,
                "slow",
            ),
            _Question(
                say("Databases and their tables"),
                "databases",
                "SELECT … FROM information_schema.tables",
                words.pairs,
                "slow",
            ),
        ),
    ),
    (
        say("Storage"),
        (
            _Question(
                say("Gluster peers"), "gluster_peers", "gluster peer status", words.peers, "gluster"
            ),
            _Question(
                say("Volumes and bricks"),
                "gluster_volumes",
                "gluster volume info; gluster volume status; gluster volume heal … info summary",
                words.volumes,
                "gluster",
            ),
            _Question(say("Storage directory"), "mount", "cat /proc/self/mounts", words.mount),
        ),
    ),
    (
        say("dpiui2"),
        (
            _Question(
                say("Settings in .env"), "env", "grep …_HOST .env; sha256sum .env", words.env
            ),
            _Question(say("Scripts"), "scripts", "ls app_bash", words.scripts),
            _Question(say("Its own page"), "page", "curl", words.page, "slow"),
        ),
    ),
)
