"""Key files of the panel: made once, readable by their owner alone."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured


def read_or_create(path: Path, *, fernet: bool = False) -> str:
    """The key in `path`; a new random one is written there at the first start.

    Raises ImproperlyConfigured when others than the owner may read the file.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _create(path, Fernet.generate_key().decode() if fernet else secrets.token_urlsafe(50))
    return _read(path)


def _create(path: Path, key: str) -> None:
    """Of two processes that start together one wins; the link makes the file appear whole."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    Path(draft).unlink()


def _read(path: Path) -> str:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ImproperlyConfigured(f"{path} can be read by others: run chmod 600 {path}")
    return path.read_text().strip()
