"""One entry of the log is one line that nobody else can begin: a name that a stranger types at the
sign-in stands in it, too."""

from __future__ import annotations

import logging
import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def visible(text: str) -> str:
    """Line feeds, escapes and other control characters as `\\x0a`."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


class OneLine(logging.Formatter):
    """A traceback keeps its lines, each moved to the right, so that none looks like an entry."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = visible(record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        first, *rest = super().format(record).splitlines()
        return "\n".join([first, *(f"    {line}" for line in rest)])
