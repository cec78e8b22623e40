"""The commands that are pasted on a server, in a real shell, on folders of this machine."""

from __future__ import annotations

import getpass
import os
import shlex
import stat
import subprocess
from pathlib import Path

import pytest
from django.test import override_settings

from nodes import authorized_keys, credentials
from nodes.transport.base import PinnedKey

KEY = PinnedKey("ssh-ed25519", credentials.public_half(credentials.made()).base64)
OTHERS = "ssh-rsa AAAAB3Nza somebody@else"
ME = getpass.getuser()


class Server:
    """A home, and a `getent` that says that it is mine."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home with a blank"
        self.home.mkdir()
        self.tools = folder / "tools"
        self.tools.mkdir()
        self.tool("getent", f'echo "$2:x:0:0::{self.home}:/bin/sh"')
        self.file = self.home / ".ssh" / "authorized_keys"

    def tool(self, name: str, does: str) -> None:
        (self.tools / name).write_text(f"#!/bin/sh\n{does}\n")
        (self.tools / name).chmod(0o755)

    def paste(self, command: str) -> subprocess.CompletedProcess[str]:
        """As into a shell of any kind: the whole line, as it is shown."""
        env = {**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}"}
        return subprocess.run(
            ["/bin/sh", "-c", command], env=env, capture_output=True, text=True, check=False
        )

    def has(self, content: str) -> None:
        self.file.parent.mkdir(mode=0o755, exist_ok=True)
        self.file.write_text(content)

    @property
    def lines(self) -> list[str]:
        return self.file.read_text().splitlines()


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


LINE = authorized_keys.line(KEY)
COMMANDS = authorized_keys.commands(KEY, ME)


def test_the_line_allows_what_the_panel_needs_and_says_whose_it_is() -> None:
    with override_settings(PANEL_NAME="head office; rm -rf /"):
        line = authorized_keys.line(KEY)
    options, kind, body, comment = line.split(" ")
    assert options == 'restrict,port-forwarding,permitopen="127.0.0.1:3306"'
    assert (kind, body) == (KEY.type, KEY.base64)
    assert comment == "clusterpanel@head-office-rm--rf-"


@pytest.mark.parametrize("before", ["", OTHERS, f"{OTHERS}\n", f"# {LINE}\n"])
def test_the_line_is_added_once_and_nothing_else_changes(server: Server, before: str) -> None:
    if before:
        server.has(before)
    for _ in range(2):
        done = server.paste(COMMANDS.put)
        assert done.returncode == 0, done.stderr
        assert str(server.file) in done.stdout
    assert server.lines == [*before.splitlines(), LINE]
    assert stat.S_IMODE(server.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(server.file.parent.stat().st_mode) == 0o700


def test_a_line_that_somebody_made_stricter_is_left_as_it_is(server: Server) -> None:
    stricter = f'from="10.0.0.1",{LINE}'
    server.has(f"{stricter}\n")
    assert server.paste(COMMANDS.put).returncode == 0
    assert server.lines == [stricter]


def test_it_is_taken_out_alone(server: Server) -> None:
    server.has(f"{OTHERS}\n{LINE}\n# a remark\n")
    server.file.chmod(0o640)
    for _ in range(2):
        assert server.paste(COMMANDS.take_out).returncode == 0
    assert server.lines == [OTHERS, "# a remark"]
    assert stat.S_IMODE(server.file.stat().st_mode) == 0o640
    assert [path.name for path in server.file.parent.iterdir()] == ["authorized_keys"]


def test_taking_out_the_only_line_leaves_an_empty_file(server: Server) -> None:
    server.has(f"{LINE}\n")
    assert server.paste(COMMANDS.take_out).returncode == 0
    assert server.lines == []


def test_what_cannot_be_written_shuts_nobody_out(server: Server) -> None:
    """A grep that dies half way, as on a full disk."""
    server.has(f"{OTHERS}\n{LINE}\n")
    server.tool("grep", "printf half; exit 2")
    assert server.paste(COMMANDS.take_out).returncode != 0
    assert server.lines == [OTHERS, LINE]


def test_where_there_is_nothing_there_is_nothing_to_take_out(server: Server) -> None:
    assert server.paste(COMMANDS.take_out).returncode == 0
    assert not server.file.exists()


def test_a_user_that_is_not_there_is_made_first(server: Server) -> None:
    command = authorized_keys.commands(KEY, "nobody-of-that-name")
    server.tool("useradd", f'echo "$@" > {shlex.quote(str(server.home / "made"))}')
    server.tool("chown", "exit 0")
    assert server.paste(command.put).returncode == 0
    assert (server.home / "made").read_text() == "-m -p * nobody-of-that-name\n"
    assert server.lines == [LINE]


def test_root_gets_no_sudo_and_is_never_made(server: Server) -> None:
    commands = authorized_keys.commands(KEY, "root")
    assert commands.sudo == ""
    assert "useradd" not in commands.put


def test_without_sudo_its_command_says_so(server: Server) -> None:
    command = authorized_keys.commands(KEY, "panel").sudo
    done = subprocess.run(
        ["/bin/sh", "-c", command], env={"PATH": str(server.tools)}, capture_output=True, text=True
    )
    assert done.returncode != 0


def test_the_commands_can_be_read() -> None:
    """An apostrophe within would be quoted into a riddle; a line feed would start half a command."""
    for command in (COMMANDS.put, COMMANDS.take_out, COMMANDS.sudo):
        assert "\n" not in command
        assert "'\"'\"'" not in command
