"""The bytes of a journal row, plain or compressed; whoever reads a row never sees the difference."""

from __future__ import annotations

import zlib
from typing import Any

from django.db import models

# Marks a compressed value. A plain body that begins like this is compressed too, so the two can
# never be taken for one another.
_MARK = b"\x00clusterpanel\xffzlib\n"


class Packed(bytes):
    """A body in its compressed form, as the database has it."""


def pack(body: bytes) -> Packed:
    return Packed(_MARK + zlib.compress(body))


class BodyField(models.BinaryField):
    """Takes plain bytes or `Packed` ones, and always gives the plain ones back."""

    def get_prep_value(self, value: Any) -> Any:
        plain = super().get_prep_value(value)
        if plain is None or isinstance(plain, Packed) or not bytes(plain[:21]).startswith(_MARK):
            return plain
        return pack(bytes(plain))

    def from_db_value(self, value: Any, *_: Any) -> bytes | None:
        if value is None:
            return None
        stored = bytes(value)
        return zlib.decompress(stored[len(_MARK) :]) if stored.startswith(_MARK) else stored
