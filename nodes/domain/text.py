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
    """One sentence: an English `%(name)s` template and its parameters.

    A parameter may be a sentence itself, so that a quoted reason is translated with what quotes it.
    """

    template: str
    params: tuple[tuple[str, str | Text], ...] = ()

    def __str__(self) -> str:
        return self.template % dict(self.params) if self.params else self.template

    def to_json(self) -> dict[str, Any]:
        params = {n: v.to_json() if isinstance(v, Text) else v for n, v in self.params}
        return {"template": self.template, "params": params}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Text:
        """Also from the pairs that `dataclasses.asdict` makes of the parameters."""
        params = dict(data.get("params", {}))
        return cls(data["template"], tuple(sorted((n, _param(v)) for n, v in params.items())))


def _param(value: Any) -> str | Text:
    return Text.from_json(value) if isinstance(value, Mapping) else str(value)


def say(template: str, **params: object) -> Text:
    """A sentence of the product; a parameter that is no sentence becomes a string at once."""
    plain = {n: v if isinstance(v, Text) else str(v) for n, v in params.items()}
    return Text(template, tuple(sorted(plain.items())))
