"""The backup scripts on a real shell, with database programs that misbehave on purpose."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from operations.domain.backup_scripts import ARCHIVE, DUMP, READ_ARCHIVE, READ_DUMP, SIZES

Ran = subprocess.CompletedProcess[str]
GOOD_DUMP = "echo 'CREATE TABLE t (id INT);'; echo '-- Dump completed on 2026-01-01'"
SMALL = "case $* in *SUM*) echo 1 ;; *) printf 'mysql\\ndpiui2\\n' ;; esac"


@pytest.fixture
def programs(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """An environment whose `mariadb` and `mariadb-dump` do what the test says."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(**bodies: str) -> dict[str, str]:
        for name, body in {"mariadb-dump": GOOD_DUMP, "mariadb": SMALL, **bodies}.items():
            file = folder / name.replace("_", "-")
            file.write_text(f"#!/bin/sh\n{body}\n")
            file.chmod(0o755)
        return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}

    return make


def run(script: str, *args: object, env: dict[str, str] | None = None) -> Ran:
    argv = ["sh", "-c", script, "clusterpanel", *map(str, args)]
    return subprocess.run(argv, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def files(target: Path) -> list[str]:
    return sorted(file.name for file in target.parent.iterdir())


def figures(ran: Ran) -> dict[str, str]:
    return dict(line.split("=", 1) for line in ran.stdout.splitlines() if "=" in line)


def test_a_dump_is_whole_private_and_reads_back(
    tmp_path: Path, programs: Callable[..., dict[str, str]]
) -> None:
    target = tmp_path / "backups" / "database-r1.sql.gz"
    ran = run(DUMP, target, env=programs())
    assert ran.returncode == 0, ran.stderr
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert stat.S_IMODE(target.parent.stat().st_mode) == 0o700
    assert gzip.decompress(target.read_bytes()).endswith(b"-- Dump completed on 2026-01-01\n")
    read = figures(run(READ_DUMP, target))
    assert read["bytes"] == str(target.stat().st_size)
    assert read["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert files(target) == [target.name]


def test_every_database_and_every_kind_of_object_is_asked_for(
    tmp_path: Path, programs: Callable[..., dict[str, str]]
) -> None:
    seen = tmp_path / "args"
    env = programs(mariadb_dump=f'echo "$*" > {seen}; {GOOD_DUMP}')
    assert run(DUMP, tmp_path / "b" / "d.sql.gz", env=env).returncode == 0
    wanted = "--all-databases --single-transaction --routines --events --triggers"
    assert seen.read_text().strip() == wanted


@pytest.mark.parametrize(
    ("bodies", "says"),
    [
        ({"mariadb_dump": f"{GOOD_DUMP}; exit 2"}, "exit code 2"),
        ({"mariadb_dump": "echo 'CREATE TABLE t (id INT);'"}, "no closing line"),
        ({"mariadb_dump": "kill -9 $$"}, "exit code 137"),
        ({"mariadb": "echo refused >&2; exit 1"}, "does not answer"),
        ({"gzip": "head -c 3; exit 1"}, "could not be written"),
        ({"df": "printf 'h\\nfs 9 9 0 100%% /\\n'"}, "No space left"),
    ],
)
def test_a_dump_that_fails_anywhere_leaves_nothing_behind(
    tmp_path: Path,
    programs: Callable[..., dict[str, str]],
    bodies: dict[str, str],
    says: str,
) -> None:
    target = tmp_path / "backups" / "database-r1.sql.gz"
    ran = run(DUMP, target, env=programs(**bodies))
    assert ran.returncode != 0
    assert says in ran.stderr
    assert files(target) == []


def test_a_stopped_dump_leaves_nothing_behind(
    tmp_path: Path, programs: Callable[..., dict[str, str]]
) -> None:
    target = tmp_path / "backups" / "database-r1.sql.gz"
    env = programs(mariadb_dump="echo begin; exec sleep 60")
    job = subprocess.Popen(["sh", "-c", DUMP, "x", str(target)], env=env, start_new_session=True)
    deadline = time.monotonic() + 10
    while not list(tmp_path.glob("backups/*.part")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(job.pid, signal.SIGTERM)
    assert job.wait(10) != 0
    assert files(target) == []


def a_storage(tmp_path: Path) -> Path:
    source = tmp_path / "storage"
    (source / "app" / "empty").mkdir(parents=True)
    (source / "app" / "имя с пробелом.txt").write_text("one")
    (source / "new\nline").write_text("two")
    (source / ".hidden").write_text("three")
    (source / "link").symlink_to("app")
    return source


def test_an_archive_holds_every_entry(tmp_path: Path) -> None:
    source, target = a_storage(tmp_path), tmp_path / "b" / "storage-r1.tar.gz"
    ran = run(ARCHIVE, target, source)
    assert ran.returncode == 0, ran.stderr
    with tarfile.open(target) as archive:
        names = set(archive.getnames())
    assert names == {
        ".",
        "./app",
        "./app/empty",
        "./app/имя с пробелом.txt",
        "./new\nline",
        "./.hidden",
        "./link",
    }
    read = figures(run(READ_ARCHIVE, target))
    assert read["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()


def test_an_archive_reads_back_with_the_count_that_was_kept(tmp_path: Path) -> None:
    source, target = a_storage(tmp_path), tmp_path / "b" / "storage-r1.tar.gz"
    assert run(ARCHIVE, target, source).returncode == 0
    read = figures(run(READ_ARCHIVE, target))
    assert read["entries"] == read["expected"]


def test_an_archive_that_lacks_a_file_fails(
    tmp_path: Path, programs: Callable[..., dict[str, str]]
) -> None:
    source, target = a_storage(tmp_path), tmp_path / "b" / "storage-r1.tar.gz"
    tar = shutil.which("tar")
    lossy = f'if [ "$1" = -cf ]; then exec {tar} --exclude=.hidden "$@"; else exec {tar} "$@"; fi'
    ran = run(ARCHIVE, target, source, env=programs(tar=lossy))
    assert ran.returncode != 0
    assert ".hidden" in ran.stderr
    assert files(target) == []


def test_a_missing_directory_is_said_so(tmp_path: Path) -> None:
    ran = run(ARCHIVE, tmp_path / "b" / "s.tar.gz", tmp_path / "nowhere")
    assert ran.returncode != 0
    assert "is missing" in ran.stderr


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, 3),
        (b"", 4),
        (gzip.compress(b"x" * 100_000 + b"\n-- Dump completed\n", mtime=0)[:-20], 5),
        (gzip.compress(b"CREATE TABLE t;\n", mtime=0), 6),
        (b"CREATE TABLE t;\n", 6),
        (b"CREATE TABLE t;\n-- Dump completed on 2026-01-01\n\n", 0),
        (gzip.compress(b"-- Dump completed\n", mtime=0), 0),
    ],
)
def test_an_own_dump_is_read_for_what_it_is(
    tmp_path: Path, content: bytes | None, code: int
) -> None:
    file = tmp_path / "own dump"
    if content is not None:
        file.write_bytes(content)
    assert run(READ_DUMP, file).returncode == code


def test_an_own_archive_may_be_packed_or_not(tmp_path: Path) -> None:
    source = a_storage(tmp_path)
    for mode, name in (("w", "a.tar"), ("w:gz", "a.tgz"), ("w:xz", "a.tar.xz")):
        with tarfile.open(tmp_path / name, mode) as archive:  # type: ignore[call-overload]
            archive.add(source, "storage")
        read = figures(run(READ_ARCHIVE, tmp_path / name))
        assert int(read["entries"]) == 8  # seven, and one name has two lines
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes((tmp_path / "a.tgz").read_bytes()[:-10])
    assert run(READ_ARCHIVE, broken).returncode == 5


def test_sizes_are_told_in_order_and_a_missing_file_is_no_zero(tmp_path: Path) -> None:
    (tmp_path / "one file").write_bytes(b"12345")
    ran = run(SIZES, tmp_path / "one file", tmp_path / "gone", tmp_path)
    assert ran.stdout.split() == ["5", "-", "-"]
