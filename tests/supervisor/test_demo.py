"""`make demo` with a stand-in for lab/lab: which servers it takes, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError

from clusterpanel import demo, simulated_demo

LAB = {
    "name": "demo-1",
    "nodes": [{"name": "node1", "address": "10.9.0.1", "host_key_sha256": "SHA256:abc"}],
    "key": "/lab/key",
    "username": "root",
    "root_password": "s3cret",
}


def lab_that(root: Path, script: str) -> None:
    (root / "lab").mkdir()
    program = root / "lab" / "lab"
    program.write_text(f'#!/bin/sh\necho "$@" >>calls\numask >>calls\n{script}\n')
    program.chmod(0o755)


def test_a_machine_that_cannot_have_a_lab_gets_simulated_servers_and_the_reason(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    lab_that(tmp_path, 'echo "lab: a lab needs root." >&2; exit 3')
    servers = demo.prepare(tmp_path, tmp_path, said.append)
    assert said == ["The servers of this demo are simulated: a lab needs root."]
    assert servers.env == {"SIMULATED_NODES": str(tmp_path / "simulated")}


def test_simulated_servers_also_stand_in_for_a_lab_that_did_not_start(tmp_path: Path) -> None:
    said: list[str] = []
    lab_that(tmp_path, "[ $1 = check ] || exit 1")
    servers = demo.prepare(tmp_path, tmp_path, said.append)
    assert "the lab did not start" in said[-1]
    assert "SIMULATED_NODES" in servers.env


def test_whoever_asks_gets_simulated_servers_where_a_lab_could_run(tmp_path: Path) -> None:
    lab_that(tmp_path, "echo a lab can run here")
    demo.prepare(tmp_path, tmp_path, lambda _: None, simulated=True)
    assert not (tmp_path / "calls").exists()


def test_simulated_servers_of_the_last_start_go_on_as_they_were(tmp_path: Path) -> None:
    said: list[str] = []
    lab_that(tmp_path, "echo a lab can run here")
    first = simulated_demo.servers(tmp_path, tmp_path, said.append)
    first.cluster.power_cut("192.0.2.12")
    again = demo.prepare(tmp_path, tmp_path, said.append)
    assert "those of the last start are used again" in said[0]
    assert not first.cluster.node("192.0.2.12").up
    assert first.text == again.text


def test_servers_that_this_version_cannot_read_are_made_anew(tmp_path: Path) -> None:
    said: list[str] = []
    first = simulated_demo.servers(tmp_path, tmp_path, said.append)
    first.cluster.power_cut("192.0.2.12")
    text = first.cluster.layout.world.read_text()
    first.cluster.layout.world.write_text(text.replace('"booted_at"', '"of_old"'))
    again = simulated_demo.servers(tmp_path, tmp_path, said.append)
    assert "were made by another version" in said[-1]
    assert again.cluster.node("192.0.2.12").up


def test_a_home_that_no_script_could_name_is_refused_with_a_way_out(tmp_path: Path) -> None:
    home = tmp_path / "with blanks"
    home.mkdir()
    with pytest.raises(CommandError, match="make demo PANEL_HOME="):
        simulated_demo.servers(home, tmp_path, lambda _: None)


def test_it_says_all_that_the_wizard_asks_for(tmp_path: Path) -> None:
    (tmp_path / "answer").write_text(json.dumps(LAB))
    lab_that(tmp_path, "[ $1 = check ] || cat answer")
    servers = demo.prepare(tmp_path, tmp_path, lambda _: None)
    assert servers.env == {}
    for needed in ("10.9.0.1", "SHA256:abc", "root", "s3cret", "/lab/key", "--name demo-1 down"):
        assert needed in servers.text


def test_it_says_the_same_of_simulated_servers_and_how_to_break_them(tmp_path: Path) -> None:
    made = simulated_demo.servers(tmp_path, tmp_path, lambda _: None)
    for needed in ("192.0.2.13", "SHA256:", "SSH user root", f"{tmp_path}/servers crash node2"):
        assert needed in made.text
    for fault in ("poweroff", "reboot", "partition", "rejoin", "fill", "empty", "cut", "new-key"):
        assert fault in made.text


def test_the_lab_does_not_inherit_a_private_umask(tmp_path: Path) -> None:
    lab_that(tmp_path, "exit 3")
    demo.prepare(tmp_path, tmp_path, lambda _: None)
    assert (tmp_path / "calls").read_text() == "check\n0022\n"
