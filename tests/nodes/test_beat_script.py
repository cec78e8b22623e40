"""The script of a beat, as a shell of this machine runs it."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from nodes.probes.script import BEAT, MARK


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_is_told_in_few_writes(tmp_path: Path) -> None:
    """Each write is a packet of its own to the panel, which costs more than what is in it."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    quick = ["sh", "-c", BEAT, "sh", str(tmp_path), "", "sql", "quick", "/var/lib/mysql", ""]
    with here, there:
        done = subprocess.run(quick, stdin=subprocess.DEVNULL, stdout=there.fileno(), timeout=30)
        there.close()
        writes = list(iter(lambda: here.recv(65536), b""))
    told = b"".join(writes).decode()
    assert done.returncode == 0
    assert told.count(f"{MARK} rc ") == 14
    assert len(writes) <= 2
