"""Text that other people and machines wrote, where it is read line by line: logs and tables."""

from __future__ import annotations

import logging

# U+2400… show a control character by its name. What begins an escape in 8 bits, what ends a line in
# Unicode, and what turns the direction of writing has no such picture.
_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}
_OTHERS = (*range(0x80, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SHOWN = _PICTURES | dict.fromkeys(_OTHERS, "\ufffd")


def one_line(text: str) -> str:
    """Nothing in it ends the line or speaks to a terminal."""
    return text if text.isprintable() else text.translate(_SHOWN)


class OneLine(logging.Formatter):
    """Whoever types a name with a line end in it forges no entry of the log. A traceback keeps its
    lines, each moved to the right, so that none looks like an entry."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = one_line(record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        first, *rest = super().format(record).splitlines()
        return "\n".join([first, *(f"    {one_line(line)}" for line in rest)])
