"""Key files of the panel: made once, readable by their owner alone, one key a line, the newest first."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

_SHORTEST, _FEWEST = 32, 10  # characters of a key, and different ones among them


def read_or_create(path: Path, *, fernet: bool = False, fresh: bool = True) -> list[str]:
    """The keys in `path`; a new random one is written there at the first start.

    `fresh` False: there is a database already, so a missing key was lost and not never made. Raises
    ImproperlyConfigured then, and when others than the owner may read the file, or when a key in it
    is none that chance made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        if not fresh:
            raise ImproperlyConfigured(
                f"{path} is missing, and there is a database that needs it: put the file back from"
                " your backup of PANEL_HOME."
            )
        _create(path, new(fernet=fernet))
    return read(path)


def new(*, fernet: bool) -> str:
    return Fernet.generate_key().decode() if fernet else secrets.token_urlsafe(50)


def read(path: Path) -> list[str]:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ImproperlyConfigured(f"{path} can be read by others: run chmod 600 {path}")
    found = path.read_text().split()
    if not found:
        raise ImproperlyConfigured(f"{path} is empty: put the file back from your backup.")
    for key in found:
        refuse_weak(str(path), key)
    return found


def replace(path: Path, found: list[str]) -> None:
    """All or nothing."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(found) + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(draft).replace(path)


def refuse_weak(where: str, key: str) -> None:
    """Raises ImproperlyConfigured for an example that was copied, and for what somebody typed."""
    guessable = len(key) < _SHORTEST or len(set(key)) < _FEWEST
    if guessable or key.startswith("django-insecure"):
        raise ImproperlyConfigured(
            f"{where} holds a key that can be guessed. Make one with: python3 -c"
            " 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
        )


def _create(path: Path, key: str) -> None:
    """Of two processes that start together one wins; the link makes the file appear whole."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    Path(draft).unlink()
