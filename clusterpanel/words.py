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
    return template % dict(known.params) if known.params else template
