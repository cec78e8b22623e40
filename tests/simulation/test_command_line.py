"""Simulated servers are made and broken from a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nodes.simulation.__main__ import main


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> list[dict[str, str]]:
    assert main(list(argv)) == 0
    nodes: list[dict[str, str]] = json.loads(capsys.readouterr().out)["nodes"]
    return nodes


def test_servers_are_made_once_and_broken_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = str(tmp_path / "servers")
    made = told(capsys, base, "up", "--nodes", "4")
    assert len(made) == 4
    assert re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}", made[0]["host_key_sha256"])

    assert told(capsys, base, "up") == made
    assert [node["state"] for node in told(capsys, base, "crash", "10.0.0.12")] == [
        "running",
        "off",
        "running",
        "running",
    ]
    key = told(capsys, base, "new-key", "10.0.0.11")[0]["host_key_sha256"]
    assert key != made[0]["host_key_sha256"]
