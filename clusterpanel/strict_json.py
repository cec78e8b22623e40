"""Bodies of the API as every database and every other program can keep them (RFC 7493, I-JSON)."""

from __future__ import annotations

import json
import math
from typing import Any, cast

from django.http import HttpRequest
from ninja.parser import Parser
from ninja.types import DictStrAny


class NotJson(Exception):
    """A body that does not call itself JSON."""


class StrictParser(Parser):
    """Only what says that it is JSON is read as JSON: a form of another site can say other things.
    Python reads more than JSON has: NaN, numbers without an end, halves of a character."""

    def parse_body(self, request: HttpRequest) -> DictStrAny:
        if request.content_type != "application/json":
            raise NotJson
        found = json.loads(request.body)
        _check(found)
        return cast(DictStrAny, found)


def _check(value: Any) -> None:
    """Raises ValueError, which the API tells as `bad_json`."""
    match value:
        case str():
            value.encode()
            if "\0" in value:
                raise ValueError("NUL")
        case float() if not math.isfinite(value):
            raise ValueError("no number")
        case dict():
            for name, each in value.items():
                _check(name)
                _check(each)
        case list():
            for each in value:
                _check(each)
