"""The script that replaces a `.env` on a node: all or nothing, and nobody else's change is lost."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from nodes.domain.peers import KEYS
from nodes.env_file import env_payload, with_keys
from nodes.env_file_script import WRITE

NEW = dict.fromkeys(KEYS, "10.0.0.1")
OLD = b"# mine\r\nAPP_KEY='s #1'\r\nGALERA_PEER_HOSTS=\"a\" # c\r\n"


@pytest.fixture
def env(tmp_path: Path) -> Path:
    path = tmp_path / "backend" / ".env"
    path.parent.mkdir()
    path.write_bytes(OLD)
    path.chmod(0o640)
    return path


def write(path: Path, payload: bytes, *, limit: str = "") -> subprocess.CompletedProcess[bytes]:
    argv = ["sh", "-c", limit + WRITE, "clusterpanel", str(path)]
    return subprocess.run(argv, input=payload, capture_output=True, check=False, timeout=30)


def others(path: Path) -> list[Path]:
    return sorted(p for p in path.parent.iterdir() if p != path)


def test_the_file_is_replaced_and_the_old_one_kept(env: Path) -> None:
    done = write(env, env_payload(OLD, NEW))
    assert done.returncode == 0, done.stderr
    assert env.read_bytes() == with_keys(OLD, NEW)
    assert env.stat().st_mode & 0o777 == 0o640
    (copy,) = others(env)
    assert copy.name.startswith(".env.clusterpanel-2")
    assert copy.read_bytes() == OLD
    assert copy.stat().st_mode & 0o777 == 0o640


def test_it_prints_the_three_lines_as_they_stand_in_the_file(env: Path) -> None:
    printed = write(env, env_payload(OLD, NEW)).stdout.decode().splitlines()
    assert [line.split("=")[0] for line in printed[1:]] == list(KEYS)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_owner_and_group_stay(env: Path) -> None:
    os.chown(env, 33, 44)
    write(env, env_payload(OLD, NEW))
    assert [(p.stat().st_uid, p.stat().st_gid) for p in (env, *others(env))] == [(33, 44)] * 2


def test_a_symlink_stays_a_symlink_and_its_target_is_edited(env: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.env"
    env.rename(real)
    env.symlink_to(real)
    assert write(env, env_payload(OLD, NEW)).returncode == 0
    assert env.is_symlink()
    assert real.read_bytes() == with_keys(OLD, NEW)


def test_a_file_that_changed_meanwhile_is_left_alone(env: Path) -> None:
    env.write_bytes(OLD + b"B=2\n")
    done = write(env, env_payload(OLD, NEW))
    assert done.returncode == 4
    assert b"was changed meanwhile; nothing was written" in done.stderr
    assert env.read_bytes() == OLD + b"B=2\n"
    assert others(env) == []


def test_content_that_was_cut_off_on_its_way_is_not_put_in_place(env: Path) -> None:
    done = write(env, env_payload(OLD, NEW)[:-5])
    assert done.returncode == 5
    assert env.read_bytes() == OLD
    assert others(env) == []


def test_a_full_disk_leaves_the_old_file_whole_and_no_leftovers(env: Path) -> None:
    big = OLD + b"#" * 4000  # larger than the limit, so the write fails in the middle
    env.write_bytes(big)
    done = write(env, env_payload(big, NEW), limit="trap '' XFSZ; ulimit -f 2\n")
    assert done.returncode == 5
    assert b"is as it was" in done.stderr
    assert env.read_bytes() == big
    assert others(env) == []


def test_a_missing_file_is_named(env: Path) -> None:
    env.unlink()
    done = write(env, env_payload(OLD, NEW))
    assert (done.returncode, env.exists()) == (3, False)
    assert b"is missing" in done.stderr


def test_the_newest_ten_copies_are_kept(env: Path) -> None:
    for second in range(12):
        Path(f"{env}.clusterpanel-202001010000{second:02}").write_bytes(b"old")
    write(env, env_payload(OLD, NEW))
    names = [p.name for p in others(env)]
    assert len(names) == 10
    assert names[0].endswith("03")
