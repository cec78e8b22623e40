"""Where a private broker listens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import redis

from clusterpanel import broker


def test_its_socket_lies_in_the_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert broker.socket_path(home) == home / "broker" / "broker.sock"
    assert (home / "broker").stat().st_mode & 0o777 == 0o700


def test_a_path_too_long_for_a_socket_gives_a_private_folder(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    path = broker.socket_path(home)
    assert path == broker.socket_path(home)
    assert len(os.fsencode(path)) <= broker.LONGEST_SOCKET_PATH
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.parent.rmdir()


def test_a_folder_that_others_may_enter_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "SHORT_PLACE", tmp_path)
    home = tmp_path / ("long" * 30)
    broker.socket_path(home).parent.chmod(0o755)
    with pytest.raises(PermissionError, match="this user alone"):
        broker.socket_path(home)


def test_it_answers(broker_url: str) -> None:
    with redis.Redis.from_url(broker_url) as client:
        assert client.ping()
