"""A user who is not root: every command goes through `sudo -n`, quoted once, whatever is in it."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.transport.base import Command, SudoRefused, Target, line_for, script
from nodes.transport.ssh import connect
from tests.fakes.sshd import Sshd, pinned, running

KEY = paramiko.ECDSAKey.generate()
ANYTHING = st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), max_size=5)
HOSTILE = st.lists(st.text("'\"\\$`;|&<>(){}[]*?!~#\n\r\t -a", min_size=1, max_size=12), max_size=5)


@pytest.fixture
def sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in that says it was there and runs what it was given."""
    place = tmp_path / "sudo"
    place.write_text(
        '#!/bin/sh\n[ "$1 $2" = "-n --" ] || exit 9\nshift 2\n'
        'VIA_SUDO=yes PATH=/usr/sbin:/usr/bin:/sbin:/bin exec "$@"\n'
    )
    place.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return place


@pytest.fixture
def server() -> Iterator[Sshd]:
    with running(KEY) as started:
        started.username = "panel"
        yield started


def target(server: Sshd, username: str = "panel") -> Target:
    return Target("127.0.0.1", server.port, username, (pinned(KEY),), password="secret")


def test_every_command_goes_through_sudo(server: Sshd, sudo: Path) -> None:
    connection = connect(target(server))
    said = connection.run(script('printf "%s %s" "$VIA_SUDO" "$1"', "a b; c"))
    assert said.text == "yes a b; c"
    with connection.stream(script("echo $VIA_SUDO")) as stream:
        assert stream.read(5) == b"yes\n"
    connection.close()


def test_a_user_who_may_not_is_told_what_to_write(server: Sshd, sudo: Path) -> None:
    sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n")
    with pytest.raises(SudoRefused) as caught:
        connect(target(server))
    assert "a password is required" in str(caught.value.why)
    assert "panel ALL=(root) NOPASSWD: ALL" in str(caught.value.fix)


@pytest.mark.parametrize(
    ("does", "why", "fix"),
    [
        (
            "echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1",
            "wants a terminal",
            "Defaults:panel !requiretty",
        ),
        (
            "echo 'sudo: извините, для запуска sudo вы должны иметь tty' >&2; exit 1",
            "wants a terminal",
            "Defaults:panel !requiretty",
        ),
        ("echo 'sudo: sh: command not found' >&2; exit 1", "PATH", "secure_path=/usr/local/sbin:"),
        (
            "PATH=/opt/bin:/bin; export PATH; shift 2; exec /bin/sh -c 'echo $PATH'",
            "/opt/bin",
            "Defaults:panel",
        ),
        ("exit 127", "There is no sudo", "Install the package sudo"),
        ("exit 1", "no reason given", "panel ALL=(root) NOPASSWD: ALL"),
    ],
)
def test_whatever_sudo_refuses_names_the_server_and_the_remedy(
    server: Sshd, sudo: Path, does: str, why: str, fix: str
) -> None:
    sudo.write_text(f"#!/bin/sh\n{does}\n")
    with pytest.raises(SudoRefused) as caught:
        connect(target(server))
    assert "127.0.0.1" in str(caught.value.why)
    assert why in str(caught.value.why)
    assert fix in str(caught.value.fix)


def test_sudo_that_is_taken_away_later_is_told_the_same_way(server: Sshd, sudo: Path) -> None:
    connection = connect(target(server))
    sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n")
    with pytest.raises(SudoRefused):
        connection.run(script("id"))
    assert not connection.alive


def test_a_warning_of_sudo_is_no_refusal(server: Sshd, sudo: Path) -> None:
    sudo.write_text(
        "#!/bin/sh\necho 'sudo: unable to resolve host x' >&2; shift 2\n"
        'PATH=/usr/sbin:/usr/bin:/sbin:/bin exec "$@"\n'
    )
    connection = connect(target(server))
    assert connection.run(script("exit 7")).exit_code == 7
    connection.close()


def test_root_needs_no_sudo(server: Sshd) -> None:
    server.username = "root"
    connection = connect(target(server, "root"))
    assert connection.run(script("echo ${VIA_SUDO:-no}")).text == "no\n"
    connection.close()


def told(line: str) -> list[str]:
    said = subprocess.run(["/bin/sh", "-c", line], capture_output=True, check=True).stdout
    return said.decode().split("\0")[:-1]


@settings(max_examples=60)
@given(ANYTHING | HOSTILE, st.sampled_from(["root", "panel"]))
def test_arguments_arrive_as_they_are(arguments: list[str], username: str) -> None:
    """A real shell takes the line apart; what the script gets is what was given."""
    command = script('[ $# = 0 ] || printf "%s\\0" "$@"', *arguments)
    line = line_for(Target("h", 22, username), command)
    if username != "root":
        sudo, dash, end, *rest = shlex.split(line)
        assert (sudo, dash, end) == ("sudo", "-n", "--")
        line = shlex.join(rest)
    assert told(line) == arguments


def test_a_command_is_never_one_string() -> None:
    assert Command(("rm", "-rf", "a; b")).line == "rm -rf 'a; b'"
