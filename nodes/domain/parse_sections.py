"""Cuts the output of a compound script into its parts, and makes every reading of a part total."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar
from xml.etree.ElementTree import ParseError

from nodes.domain.observation import Unknown
from nodes.domain.text import say

T = TypeVar("T")
TIMED_OUT = (124, 137)  # exit codes of timeout(1): ended, killed
RAW_LIMIT = 4000


@dataclass(frozen=True)
class Section:
    """One part's output and exit code; `exit_code` None when the output ended before it."""

    text: str
    exit_code: int | None

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in self.text.splitlines() if line.strip()]


def sections(output: str, mark: str) -> dict[str, Section]:
    """The parts by name. Text that belongs to no part is left out."""
    pieces = re.split(rf"^{re.escape(mark)} (.+)\r?\n?", output, flags=re.MULTILINE)
    found: dict[str, Section] = {}
    name = ""
    for title, body in zip(pieces[1::2], pieces[2::2], strict=False):
        if title.startswith("rc ") and name:
            found[name] = Section(found[name].text, _number(title[3:]))
            name = ""
        elif not title.startswith("rc "):
            name = title.strip()
            found[name] = Section(body.removesuffix("\n"), None)
    return found


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None


def read(
    parts: Mapping[str, Section], name: str, parse: Callable[[Section], T | Unknown]
) -> T | Unknown:
    """What `parse` makes of the part, or Unknown with the reason and what the server said."""
    section = parts.get(name)
    if section is None:
        return Unknown(say("The server did not come to this question."))
    if section.exit_code in TIMED_OUT or section.exit_code is None:
        return Unknown(say("The server did not answer this in time."), section.text[:RAW_LIMIT])
    return parse(section)


def total(parse: Callable[[Section], T | Unknown]) -> Callable[[Section], T | Unknown]:
    """Makes a surprise in the output an Unknown instead of an exception."""

    @wraps(parse)
    def safely(section: Section) -> T | Unknown:
        try:
            return parse(section)
        except (ValueError, LookupError, AttributeError, TypeError, ParseError):
            return not_understood(section)

    return safely


def not_understood(section: Section) -> Unknown:
    return Unknown(say("The server's answer was not understood."), section.text[:RAW_LIMIT])


def refused(section: Section) -> Unknown:
    """The command ran and said no; its own words are the reason."""
    words = (section.lines or ["…"])[-1][:300]
    return Unknown(say("The server answered: %(words)s", words=words), section.text[:RAW_LIMIT])
