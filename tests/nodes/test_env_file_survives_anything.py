"""Whatever stops the script that replaces a `.env`, and wherever: the file is the old or the new one.

Every command that the script calls is replaced by one that counts. At the chosen one it fails, or the
whole script is killed as a cut power or a `kill -9` would, before the command or after it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from nodes.domain.peers import KEYS
from nodes.env_file import env_payload, with_keys
from nodes.env_file_script import WRITE

NEW = dict.fromkeys(KEYS, "10.0.0.1")
OLD = b"# mine\r\nAPP_KEY='s #1'\r\nGALERA_PEER_HOSTS=\"a\" # c\r\n"
COMMANDS = [
    "readlink",
    "sha256sum",
    "cut",
    "stat",
    "cp",
    "chown",
    "chmod",
    "chcon",
    "cat",
    "sync",
    "touch",
    "mv",
    "rm",
    "ls",
    "sort",
    "tail",
    "grep",
    "date",
    "sleep",
]
# Counting must not call a command that is counted; `kill -9 0` reaches the whole group, and so us.
COUNTING = """#!/bin/sh
count=1
set -C # each number is taken once, also by two commands of one pipe
until (: >"$COUNT/$count") 2>/dev/null; do count=$((count + 1)); done
set +C
[ "$count" = "$AT" ] && case $HOW in
    fail) exit 1 ;;
    before) kill -9 0 ;;
    after) "%(real)s" "$@"; kill -9 0 ;;
esac
exec "%(real)s" "$@"
"""


@dataclass
class Site:
    """A directory with a `.env`, and commands that count."""

    path: Path
    commands: Path
    counter: Path

    def write(self, at: int = 0, how: str = "") -> int:
        shutil.rmtree(self.counter, ignore_errors=True)
        self.counter.mkdir()
        places = {"PATH": f"{self.commands}:{os.environ['PATH']}", "COUNT": str(self.counter)}
        done = subprocess.run(
            ["sh", "-c", WRITE, "clusterpanel", str(self.path)],
            input=env_payload(OLD, NEW),
            capture_output=True,
            check=False,
            timeout=30,
            env={**os.environ, **places, "AT": str(at), "HOW": how},
            start_new_session=True,
        )
        return done.returncode

    def counted(self) -> int:
        return len(list(self.counter.iterdir()))

    def drafts(self) -> list[Path]:
        return list(self.path.parent.glob(".env.clusterpanel-new.*"))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    commands = tmp_path / "commands"
    commands.mkdir()
    for name in COMMANDS:
        if real := shutil.which(name):
            (commands / name).write_text(COUNTING % {"real": real})
            (commands / name).chmod(0o755)
    made = Site(tmp_path / "backend" / ".env", commands, tmp_path / "count")
    made.path.parent.mkdir()
    fresh(made)
    return made


def fresh(site: Site) -> None:
    for left in site.path.parent.iterdir():
        left.unlink()
    site.path.write_bytes(OLD)
    site.path.chmod(0o640)


@pytest.mark.parametrize("how", ["fail", "before", "after"])
def test_at_every_command_the_file_is_the_old_or_the_new_one(site: Site, how: str) -> None:
    assert site.write() == 0
    total = site.counted()
    assert total > 20, "the script does not call what is counted"
    outcomes = set()
    for at in range(1, total + 1):
        fresh(site)
        code = site.write(at, how)
        found = site.path.read_bytes()
        assert found in (OLD, with_keys(OLD, NEW)), (at, found)
        assert site.path.stat().st_mode & 0o777 == 0o640, at
        # "It could not be written" is only said when it was not.
        assert code != 5 or found == OLD, at
        assert code != 0 or found == with_keys(OLD, NEW), at
        assert how != "fail" or not site.drafts(), at
        outcomes.add((code, found == OLD))
    expected = {(5, True), (0, False)} if how == "fail" else {(-9, True), (-9, False)}
    assert outcomes >= expected, outcomes


def test_what_a_killed_script_left_is_removed_by_the_next(site: Site) -> None:
    assert site.write() == 0
    for at in range(1, site.counted() + 1):
        fresh(site)
        assert site.write(at, "after") == -signal.SIGKILL
        if site.drafts():
            break
    else:
        pytest.fail("no kill left a draft behind")
    assert site.path.read_bytes() == OLD
    assert site.write() == 0
    assert not site.drafts()
    assert site.path.read_bytes() == with_keys(OLD, NEW)


def test_the_label_of_the_old_file_is_asked_for(site: Site, tmp_path: Path) -> None:
    """This machine has no SELinux: what is checked is that every new file gets the old one's label."""
    asked = tmp_path / "asked"
    (site.commands / "chcon").write_text(f'#!/bin/sh\necho "$*" >>{asked}\n')
    (site.commands / "chcon").chmod(0o755)
    assert site.write() == 0
    lines = asked.read_text().splitlines()
    assert [line.split(" -- ")[0] for line in lines] == [f"--reference={site.path}"] * 2
    assert ".clusterpanel-2" in lines[0]
    assert ".clusterpanel-new." in lines[1]


IN_A_SMALL_DISK = r"""
set -eu
mount -t tmpfs -o size=64k,mode=700 none "$1"
cat >"$1/.env"
stat -f -c '%a' "$1" >/dev/null
dd if=/dev/zero of="$1/filler" bs=4096 count="$3" 2>/dev/null || :
code=0
printf '%s' "$2" | base64 -d | sh -c "$4" clusterpanel "$1/.env" >/dev/null 2>&1 || code=$?
echo "$code"
ls -A "$1" | grep -v filler | tr '\n' ' '
echo
cat "$1/.env"
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_disk_that_is_full_at_any_point_keeps_the_old_file(tmp_path: Path) -> None:
    import base64

    big = OLD + b"# padding\r\n" * 1000  # three pages
    payload = base64.b64encode(env_payload(big, NEW)).decode()
    outcomes = set()
    for pages in range(4, 14):
        done = subprocess.run(
            [
                "unshare",
                "-m",
                "sh",
                "-c",
                IN_A_SMALL_DISK,
                "x",
                str(tmp_path),
                payload,
                str(pages),
                WRITE,
            ],
            input=big,
            capture_output=True,
            check=False,
            timeout=30,
        )
        if b"ermission" in done.stderr or b"unshare" in done.stderr:
            pytest.skip("mounting is not allowed here")
        code, names, rest = done.stdout.split(b"\n", 2)
        assert rest == (with_keys(big, NEW) if code == b"0" else big), pages
        assert code in (b"0", b"5"), (code, done.stderr)
        assert code == b"0" or names.split() == [b".env"], names
        outcomes.add(code)
    assert outcomes == {b"0", b"5"}
