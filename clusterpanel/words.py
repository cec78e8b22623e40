"""A domain sentence in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from nodes.domain.text import Text


def translated(text: Text | Mapping[str, Any] | None) -> str | None:
    """Also from the JSON that is stored of it; None stays None."""
    if text is None:
        return None
    known = text if isinstance(text, Text) else Text.from_json(text)
    template = gettext(known.template) if known.template else ""
    return template % {n: _filled(v) for n, v in known.params} if known.params else template


def _filled(value: str | Text) -> str:
    """A sentence that is quoted by another one is translated as well."""
    return translated(value) or "" if isinstance(value, Text) else value
