"""The model as JSON and back, so that a person can read the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from nodes.simulation import world as model

_CLASSES = {name: found for name, found in vars(model).items() if isinstance(found, type)}
_TAG = "!"


def encode(value: Any) -> Any:
    """Dataclasses, enums and sets carry their type's name; a list means a tuple."""
    if isinstance(value, Enum):
        return {_TAG: type(value).__name__, "value": value.value}
    if is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in fields(value))
        return {_TAG: type(value).__name__} | {n: encode(getattr(value, n)) for n in names}
    if isinstance(value, frozenset):
        return {_TAG: "set", "items": sorted((encode(item) for item in value), key=repr)}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    return value


def decode(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(decode(item) for item in value)
    if not isinstance(value, dict):
        return value
    tag = value.get(_TAG)
    if tag is None:
        return {key: decode(item) for key, item in value.items()}
    if tag == "set":
        return frozenset(decode(item) for item in value["items"])
    found = _CLASSES[tag]
    if issubclass(found, Enum):
        return found(value["value"])
    return found(**{key: decode(item) for key, item in value.items() if key != _TAG})
