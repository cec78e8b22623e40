"""The script of a beat, as a shell of this machine runs it."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from nodes.probes.script import BEAT, MARK

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
SYSTEMCTL = """#!/bin/sh
echo asked >>"$ASKED"
printf 'active\\ninactive\\nactive\\n'
"""


def on_its_own(home: Path) -> str:
    """The script with processes and a place for notes that are this test's alone."""
    (home / "run").mkdir(exist_ok=True)
    found = BEAT
    for said, here in (
        ("/proc/[0-9]*/comm", f"{home}/proc/[0-9]*/comm"),
        ("/proc/$1/stat", f"{home}/proc/$1/stat"),
        ("/run/clusterpanel", f"{home}/run"),
    ):
        assert said in found
        found = found.replace(said, here)
    return found


def told(
    home: Path,
    what: str = "quick",
    token: str = "",
    stdout: int = subprocess.PIPE,
    bricks: Sequence[str] = (),
    known: str = "sql",
    unit: str = "active",
) -> str:
    """What it says of a machine whose systemd is a stand-in."""
    program = home / "bin" / "systemctl"
    program.parent.mkdir(exist_ok=True)
    program.write_text(SYSTEMCTL.replace("active", unit, 1))
    program.chmod(0o755)
    env = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "ASKED": f"{home}/asked"}
    argv = ["sh", "-c", on_its_own(home), "sh", str(home), token, known, what, "/var/lib/mysql", ""]
    argv += bricks
    nothing = subprocess.DEVNULL
    done = subprocess.run(argv, stdin=nothing, stdout=stdout, env=env, timeout=30)
    assert done.returncode == 0
    return (done.stdout or b"").decode()


def test_it_is_told_in_few_writes(tmp_path: Path) -> None:
    """Each write is a packet of its own to the panel, which costs more than what is in it."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with here, there:
        told(tmp_path, stdout=there.fileno())
        there.close()
        writes = list(iter(lambda: here.recv(65536), b""))
    assert b"".join(writes).decode().count(f"{MARK} rc ") == 14
    assert len(writes) <= 2


def alive(home: Path, pid: int, name: str, since: int) -> None:
    """A process of this name."""
    place = home / "proc" / str(pid)
    place.mkdir(parents=True, exist_ok=True)
    (place / "comm").write_text(f"{name}\n")
    (place / "stat").write_text(f"{pid} ({name}) S 1 {'0 ' * 17}{since} 0\n")


def asked(home: Path) -> int:
    place = home / "asked"
    return len(place.read_text().splitlines()) if place.exists() else 0


def test_systemd_is_not_asked_again_while_the_same_processes_are_alive(tmp_path: Path) -> None:
    alive(tmp_path, 50, "glusterd", 1000)
    alive(tmp_path, 60, "mariadbd", 1000)
    first = told(tmp_path, token="t1")
    assert asked(tmp_path) == 1
    again = told(tmp_path)
    assert asked(tmp_path) == 1
    units = "Id=glusterd.service\nActiveState=active\n"
    assert units in first
    assert units in again
    told(tmp_path, "quick marker")  # something is about to be decided
    assert asked(tmp_path) == 3  # of the units, and of the marker
    told(tmp_path, token="t2")
    assert asked(tmp_path) == 4
    alive(tmp_path, 60, "mariadbd", 2000)  # the number of a process may come again
    told(tmp_path)
    assert asked(tmp_path) == 5
    told(tmp_path)
    assert asked(tmp_path) == 5
    shutil.rmtree(tmp_path / "proc" / "60")
    told(tmp_path)
    told(tmp_path)
    assert asked(tmp_path) == 7  # one of them is down: it may be started at any moment


def env_part(text: str) -> list[str]:
    return text.split(f"{MARK} env_keys\n")[1].split(f"\n{MARK} rc ")[0].splitlines()


def test_a_settings_file_is_read_again_when_it_was_changed(tmp_path: Path) -> None:
    """Also by who puts its old time back, and by who changes it in place without a new size."""
    file = tmp_path / "backend" / ".env"
    file.parent.mkdir()
    file.write_text("A=1\nGALERA_PEER_HOSTS=a,b\nTAIL=é\x00\n")
    when = file.stat().st_mtime_ns
    first = env_part(told(tmp_path, token="t1"))
    assert first[0] == f"{hashlib.sha256(file.read_bytes()).hexdigest()}  -"
    assert first[1:] == [f"mtime {when // 10**9}", "2:GALERA_PEER_HOSTS=a,b"]
    note = tmp_path / "run" / "env"
    note.write_text(note.read_text().replace("a,b", "as kept"))
    assert env_part(told(tmp_path))[2] == "2:GALERA_PEER_HOSTS=as kept"
    assert env_part(told(tmp_path, token="t2"))[1:] == first[1:]
    file.write_text(file.read_text().replace("a,b", "a,c"))
    os.utime(file, ns=(when, when))
    assert env_part(told(tmp_path))[1:] == [first[1], "2:GALERA_PEER_HOSTS=a,c"]
    half = note.read_text().replace("a,c", "half").splitlines()[:-1]
    note.write_text("\n".join(half))  # it is being written just now
    assert env_part(told(tmp_path))[2] == "2:GALERA_PEER_HOSTS=a,c"
    file.unlink()
    assert env_part(told(tmp_path)) == ["absent"]


def free(text: str) -> list[str]:
    return text.split(f"{MARK} free\n")[1].split(f"\n{MARK} rc ")[0].splitlines()


DF = """#!/bin/sh
echo "$*" >>"$ASKED.df"
shift 2
echo 'Filesystem 1-blocks Used Available Capacity Mounted on'
for path in "$@"; do
    case $path in *away*) rc=1 ;; *) echo "dev $((${#path} * 10)) 1 ${#path} 1% /" ;; esac
done
exit ${rc:-0}
"""


def place(home: Path, name: str) -> str:
    (home / name).mkdir(exist_ok=True, parents=True)
    return str(home / name)


def test_places_are_measured_together_and_each_under_its_own_name(tmp_path: Path) -> None:
    program = Path(place(tmp_path, "bin")) / "df"
    program.write_text(DF)
    program.chmod(0o755)
    bricks = [place(tmp_path, "b1"), str(tmp_path / "gone"), place(tmp_path, "longer")]
    storage = f"{place(tmp_path, 'backend')}/storage"

    def row(path: str, name: str = "") -> str:
        return f"{len(path)} {len(path) * 10} {name or path}"

    text = told(tmp_path, bricks=bricks)
    assert (tmp_path / "asked.df").read_text().count("\n") == 1
    rows = free(text)
    assert rows[:2] == [row(bricks[0]), row(bricks[2])]
    assert rows[-1] == row(storage)
    assert rows[-2].endswith(" /var/lib/clusterpanel")
    away = place(tmp_path, "away")  # there, but it cannot be measured
    rows = free(told(tmp_path, bricks=[*bricks, away]))
    assert rows[-1] == row(storage)
    assert len(rows) > 1


def test_the_time_is_told_also_while_the_storage_hangs(tmp_path: Path) -> None:
    """Then there is no note of now, and an old one must not be taken for it."""
    for hanging in (False, True):
        if hanging:
            alive(tmp_path, 77, "sh", 5)
            note = tmp_path / "run" / "stuck-77"
            note.write_text("5 0\n")
            os.utime(note, (10**9, 10**9))
        began = time.time()
        text = told(tmp_path)
        said = float(text.split(f"{MARK} clock\n")[1].split("\n")[0])
        assert began - 0.1 <= said <= time.time()
        assert ("hangs since an earlier question" in text) is hanging


@pytest.mark.parametrize("unit", ["active", "inactive", "failed", "activating", ""])
def test_the_client_is_left_out_only_where_systemd_too_says_that_nobody_runs(
    tmp_path: Path, unit: str
) -> None:
    """A process that is not found is not yet a database that is down."""
    program = Path(place(tmp_path, "bin")) / "mariadb"
    program.write_text("#!/bin/sh\necho 'the client was asked'\n")
    program.chmod(0o755)
    text = told(tmp_path, known="", unit=unit)
    assert ("the client was asked" in text) is (unit in ("active", ""))
    assert ("ERROR 2002" in text) is (unit not in ("active", ""))
