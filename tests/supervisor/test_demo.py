"""`make demo` with a stand-in for lab/lab: what it asks for and what it says."""

from __future__ import annotations

import json
from pathlib import Path

from clusterpanel import demo

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


def test_a_machine_that_cannot_gets_one_sentence(tmp_path: Path) -> None:
    said: list[str] = []
    lab_that(tmp_path, 'echo "lab: a lab needs root." >&2; exit 3')
    assert demo.prepare(tmp_path, tmp_path, said.append) is None
    assert said == ["No lab servers: a lab needs root. The panel starts alone."]


def test_a_failed_start_leaves_the_panel_alone(tmp_path: Path) -> None:
    said: list[str] = []
    lab_that(tmp_path, "[ $1 = check ] || exit 1")
    assert demo.prepare(tmp_path, tmp_path, said.append) is None
    assert said[-1].endswith("The panel starts alone.")


def test_it_says_all_that_the_wizard_asks_for(tmp_path: Path) -> None:
    (tmp_path / "answer").write_text(json.dumps(LAB))
    lab_that(tmp_path, "[ $1 = check ] || cat answer")
    text = demo.prepare(tmp_path, tmp_path, lambda _: None)
    assert text is not None
    for needed in ("10.9.0.1", "SHA256:abc", "root", "s3cret", "/lab/key", "--name demo-1 down"):
        assert needed in text


def test_the_lab_does_not_inherit_a_private_umask(tmp_path: Path) -> None:
    lab_that(tmp_path, "exit 3")
    demo.prepare(tmp_path, tmp_path, lambda _: None)
    assert (tmp_path / "calls").read_text() == "check\n0022\n"
