"""What every database and every other program can keep of a JSON value (RFC 7493, I-JSON)."""

from __future__ import annotations

import math
from typing import Any


def check(value: Any) -> None:
    """Raises ValueError with the reason. Python reads more than JSON has: NaN, numbers without an
    end, halves of a character; and PostgreSQL keeps no NUL."""
    try:
        _check(value)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _check(value: Any) -> None:
    match value:
        case str():
            _check_text(value)
        case float() if not math.isfinite(value):
            raise ValueError("it is no finite number")
        case dict():
            for name, each in value.items():
                _check(name)
                _check_in(name, each)
        case list():
            for each in value:
                _check(each)


def _check_in(name: str, value: Any) -> None:
    try:
        _check(value)
    except ValueError as error:
        raise ValueError(f"“{name}”: {error}") from None


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half a character") from None
    if "\0" in text:
        raise ValueError("it holds the character NUL")
