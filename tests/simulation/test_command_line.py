"""Simulated servers are made, broken and mended from a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nodes.simulation.__main__ import FAULTS, main


@pytest.fixture
def base(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    base = str(tmp_path / "servers")
    assert main([base, "up"]) == 0
    capsys.readouterr()
    return base


def told(capsys: pytest.CaptureFixture[str], base: str, *argv: str) -> list[dict[str, str]]:
    assert main([base, "--json", *argv]) == 0
    nodes: list[dict[str, str]] = json.loads(capsys.readouterr().out)["nodes"]
    return nodes


def states(capsys: pytest.CaptureFixture[str], base: str, *argv: str) -> list[str]:
    return [node["state"] for node in told(capsys, base, *argv)]


def test_servers_are_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = str(tmp_path / "servers")
    made = told(capsys, base, "up", "--nodes", "4")
    assert len(made) == 4
    assert re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}", made[0]["host_key_sha256"])
    assert told(capsys, base, "up") == made


def test_each_fault_is_undone_by_its_opposite(
    base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert states(capsys, base, "crash", "node2") == ["running", "off", "running"]
    assert states(capsys, base, "boot", "node2")[1] in ("starting", "running")
    assert states(capsys, base, "partition", "10.0.0.13")[2] == "running, cut off"
    assert states(capsys, base, "fill", "node3")[2] == "running, cut off, disk full"
    assert states(capsys, base, "rejoin", "node3")[2] == "running, disk full"
    assert states(capsys, base, "empty", "node3")[2] == "running"


def test_all_lose_their_power_at_once(base: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert states(capsys, base, "crash", "all") == ["off"] * 3


def test_a_reinstalled_server_shows_another_key(
    base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = told(capsys, base, "status")
    after = told(capsys, base, "new-key", "node1")
    changed = [
        a["host_key_sha256"] != b["host_key_sha256"] for a, b in zip(before, after, strict=True)
    ]
    assert changed == [True, False, False]


def test_a_person_reads_a_table(base: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([base, "crash", "node1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["node1", "10.0.0.11", "off"],
        ["node2", "10.0.0.12", "running"],
        ["node3", "10.0.0.13", "running"],
    ]


def test_a_server_that_is_not_there_is_named_with_those_that_are(
    base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([base, "crash", "node7"])
    assert "there is no server node7; there are node1, node2, node3, or all" in (
        capsys.readouterr().err
    )


def test_without_a_command_it_says_what_can_be_done(
    base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([base])
    said = capsys.readouterr().out
    assert all(name in said for name in FAULTS)
