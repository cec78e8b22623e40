"""Paths of a script become paths of the node, and nothing else of it changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nodes import env_file_script
from nodes.probes import script as probes
from nodes.simulation.skin.layout import Layout
from operations.domain import backup_scripts, power_scripts
from operations.domain.proofs import look
from operations.runtime import scripts

H = "10.0.0.11"
LAYOUT = Layout(Path("/tmp/cluster"))
ROOT = "/tmp/cluster/nodes/10.0.0.11"
PRODUCT = {
    f"{module.__name__}.{name}": text
    for module in (probes, scripts, backup_scripts, env_file_script, power_scripts, look)
    for name, text in vars(module).items()
    if name.isupper() and isinstance(text, str)
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/var/lib/mysql", "{}/var/lib/mysql"),
        ("cat /etc/fstab", "cat {}/etc/fstab"),
        ("datadir=/var/lib/mysql;", "datadir={}/var/lib/mysql;"),
        ("'/run/mysqld'", "'{}/run/mysqld'"),
        ("PATH=/usr/local/sbin:/usr/bin:/sbin", "PATH={}/usr/local/sbin:/usr/bin:/sbin"),
        ("for path in /data* /data/x", "for path in {}/data* {}/data/x"),
        ("cat /proc/[0-9]*/comm", "cat {}/proc/[0-9]*/comm"),
        ("</proc/sys/kernel/random/boot_id", "<{}/proc/sys/kernel/random/boot_id"),
    ],
)
def test_a_path_of_the_node_is_carried_over(text: str, expected: str) -> None:
    assert LAYOUT.inward(H, text) == expected.replace("{}", ROOT)


@pytest.mark.parametrize(
    "text",
    [
        "/bin/sh",
        "/dev/null",
        "2>/dev/null",
        "$app/backend/.env",
        "${dir}/etc",
        "a/var/b",
        "https://host/var/x",
        "/variable",
        "/proc/$pid/stat",
        "/proc/[0-9]*/environ",
        "s/var/lib/",
        "10.0.0.11:24007",
    ],
)
def test_what_is_no_path_of_the_node_stays(text: str) -> None:
    assert LAYOUT.inward(H, text) == text


@pytest.mark.parametrize("name", PRODUCT)
def test_every_script_of_the_product_is_carried_over_whole(name: str) -> None:
    """Twice is the same as once, back again is the original, and no mapped path is left over."""
    text = PRODUCT[name]
    inward = LAYOUT.inward(H, text)

    assert LAYOUT.inward(H, inward) == inward
    assert LAYOUT.outward(H, inward.encode()).decode() == text
    bare = inward.replace(ROOT, "ROOT")
    assert re.findall(r"(?<!ROOT)(?<![\w$}./])/(?:var|etc|run|data|root|srv|opt)/\S*", bare) == []


@pytest.mark.parametrize("name", PRODUCT)
def test_no_script_of_the_product_ends_processes_by_their_name(name: str) -> None:
    """A name is not whose process it is: on a machine with containers it also ends strangers'."""
    assert re.findall(r"\b(?:pkill|killall|pidof)\b", PRODUCT[name]) == []


def test_a_base_with_blanks_or_quotes_is_refused() -> None:
    with pytest.raises(ValueError, match="plain absolute path"):
        Layout(Path("/tmp/my cluster"))
