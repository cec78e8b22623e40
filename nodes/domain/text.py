"""Sentences that can be stored, compared and translated.

The domain may not import Django, so it cannot translate. It returns a `Text`: the English
template and its parameters. Pages translate the template and fill it in; logs, the journal and
the API use `str(text)`. `say` is a keyword of our `makemessages`, so each template is extracted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Text:
    """One sentence: an English `%(name)s` template and its parameters."""

    template: str
    params: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.template % dict(self.params) if self.params else self.template

    def to_json(self) -> dict[str, Any]:
        return {"template": self.template, "params": dict(self.params)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Text:
        return cls(data["template"], tuple(sorted(data.get("params", {}).items())))


def say(template: str, **params: object) -> Text:
    """A sentence of the product; every parameter becomes a string at once, so it stays plain data."""
    return Text(template, tuple(sorted((name, str(value)) for name, value in params.items())))
