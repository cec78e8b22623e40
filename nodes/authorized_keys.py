"""What a person pastes on a server so that the panel is let in, and what shuts it out again.

Three scripts for a root shell. Each may be run any number of times. None has an apostrophe, so that the
quoted command is one readable line. Argument 1 is the user, argument 2 a line of `authorized_keys`.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

from django.conf import settings

from nodes.transport.base import PinnedKey, script

# What the panel does there: it runs commands, and it reaches the database's port on the server itself.
# No terminal, no agent, no X11, no other port. `permitlisten` would be refused by OpenSSH below 7.8.
OPTIONS = 'restrict,port-forwarding,permitopen="127.0.0.1:3306"'

# Where sshd looks, unless its AuthorizedKeysFile says otherwise. The body of every key begins with AAAA.
_FILE = (
    'h=$(getent passwd "$1" | cut -d: -f6); f=$h/.ssh/authorized_keys;'
    " k=AAAA${2#*AAAA}; k=${k%% *}; "
)
# A line that somebody made stricter, with from= for example, is left as it is.
_PUT = (
    _FILE + 'umask 077; mkdir -p "$h/.ssh"; touch "$f"; chmod 700 "$h/.ssh"; chmod 600 "$f";'
    ' chown "$1:" "$h/.ssh" "$f";'
    ' grep -v "^ *#" "$f" | grep -qF "$k" || {'
    ' [ -z "$(tail -c 1 "$f")" ] || echo >> "$f"; printf "%s\\n" "$2" >> "$f"; };'
    ' [ -z "$(command -v restorecon)" ] || restorecon -R "$h/.ssh"; echo "The key is in $f"'
)
PUT = "set -e; " + _PUT
PUT_FOR_USER = 'set -e; id "$1" > /dev/null 2>&1 || useradd -m -p "*" "$1"; ' + _PUT
SUDO = (
    "set -e; f=/etc/sudoers.d/clusterpanel; umask 077; command -v visudo > /dev/null || {"
    ' echo "Install the package sudo first" >&2; exit 1; };'
    ' printf "%s\\n" "$1 ALL=(root) NOPASSWD: ALL" "Defaults:$1 !requiretty" > "$f.new";'
    ' visudo -cqf "$f.new"; chmod 440 "$f.new"; mv "$f.new" "$f"; echo "$1 may use sudo: $f"'
)
# By a rename: a full disk leaves the old file, and with it everybody else's keys.
TAKE_OUT = (
    "set -e; " + _FILE + '[ -e "$f" ] || exit 0; f=$(readlink -f "$f"); cp -p "$f" "$f.new";'
    ' grep -vF "$k" "$f" > "$f.new" || [ $? = 1 ]; mv "$f.new" "$f"; echo "The key is out of $f"'
)


@dataclass(frozen=True)
class Commands:
    """Each is pasted into a shell of root. `sudo` is "" when the panel signs in as root."""

    put: str
    sudo: str
    take_out: str


def line(key: PinnedKey) -> str:
    """One line of `authorized_keys`: as little as the panel needs, and whose key it is."""
    return f"{OPTIONS} {key.type} {key.base64} {_comment()}"


def commands(key: PinnedKey, username: str) -> Commands:
    of_root = username == "root"
    what = line(key)
    return Commands(
        put=script(PUT if of_root else PUT_FOR_USER, username, what).line,
        sudo="" if of_root else script(SUDO, username).line,
        take_out=script(TAKE_OUT, username, what).line,
    )


def _comment() -> str:
    """So that somebody who reads the file in a year knows whom to ask."""
    name = settings.PANEL_NAME or socket.gethostname()
    return "clusterpanel@" + re.sub(r"[^A-Za-z0-9.-]+", "-", name)
