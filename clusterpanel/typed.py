"""What a person typed, or a program sent in a form, as values."""

from __future__ import annotations

_MOST_DIGITS = 15


def number_in(text: str) -> int | None:
    """A whole number, 0 or more; None for anything else.

    `str.isdigit` and `isdecimal` also take “²” and “٣”, and `int` fails at thousands of digits.
    """
    plain = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if plain else None
