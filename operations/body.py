"""The bytes of a journal row, plain or compressed; whoever reads a row never sees the difference.

Compressing costs less than what the database would need for the plain bytes, so it is done at once.
"""

from __future__ import annotations

import zlib
from typing import Any

import zstandard
from django.db import models

# Begins every compressed value. A plain body that begins like this is compressed, too, so the two
# can never be taken for one another.
_MARK = b"\x00clusterpanel\xff"
_ZSTD, _ZLIB = _MARK + b"zstd\n", _MARK + b"zlib\n"  # zlib: what earlier versions wrote
_WORTH_BYTES = 256  # a shorter body would not get shorter
_LEVEL = 1  # the quickest; higher ones save a few percent of a log


class BodyField(models.BinaryField):
    """Takes plain bytes and gives plain bytes back."""

    def get_prep_value(self, value: Any) -> Any:
        plain = super().get_prep_value(value)
        if plain is None or (len(plain) < _WORTH_BYTES and not bytes(plain).startswith(_MARK)):
            return plain
        return _ZSTD + zstandard.compress(plain, _LEVEL)

    def from_db_value(self, value: Any, *_: Any) -> bytes | None:
        if value is None:
            return None
        stored = bytes(value)
        if stored.startswith(_ZSTD):
            return zstandard.decompress(memoryview(stored)[len(_ZSTD) :])
        if stored.startswith(_ZLIB):
            return zlib.decompress(memoryview(stored)[len(_ZLIB) :])
        return stored
