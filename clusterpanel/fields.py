"""A model field whose value is encrypted at rest (law 13)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models

from clusterpanel import keys


def field_keys() -> tuple[str, ...]:
    """The keys now, the newest first: a file that `rotate_keys` wrote counts at once, everywhere."""
    if settings.FIELD_KEYS:
        return tuple(settings.FIELD_KEYS)
    stat = settings.FIELD_KEYS_FILE.stat()
    return _of_file(stat.st_mtime_ns, stat.st_ino)


@lru_cache(maxsize=2)
def _of_file(_changed_ns: int, _inode: int) -> tuple[str, ...]:
    return tuple(keys.read(settings.FIELD_KEYS_FILE))


@lru_cache
def _cipher(found: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in found])


def cipher() -> MultiFernet:
    """Encrypts with the first key, decrypts with any: that is how keys are rotated."""
    return _cipher(field_keys())


class EncryptedTextField(models.TextField):
    """Text in Python, a Fernet token in the database; an empty string stays empty."""

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return cipher().encrypt(text.encode()).decode() if text else text

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return cipher().decrypt(value.encode()).decode() if value else value
