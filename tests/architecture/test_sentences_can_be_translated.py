"""Domain sentences are found by `makemessages`, like the strings of pages."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from clusterpanel.management.commands.makemessages import Command

SOURCE = Path(__file__).resolve().parents[2] / "nodes" / "domain" / "peers.py"


def test_the_domains_sentences_are_found() -> None:
    if shutil.which("xgettext") is None:
        pytest.skip("xgettext is not installed (Debian package gettext)")
    command = ["xgettext", *Command.xgettext_options, "--from-code=UTF-8", "-o", "-", str(SOURCE)]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert 'msgid "Remove one of the two entries."' in found
