"""Output of a node without its terminal escapes, where only text is shown or searched.

`static/js/run/ansi.js` follows the same rules for the live log.
"""

from __future__ import annotations

import re

# OSC, DCS, SOS, PM and APC run to their terminator; then CSI; then any other escape; then C1.
_ESCAPE = re.compile(
    r"(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)"
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c|$)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x80-\x9f]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_DIRECTION = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def strip_escapes(line: str) -> str:
    """One line as a terminal would leave it, control characters made visible."""
    if line.isprintable():  # most lines are, and this is a hundred times faster
        return line
    shown = line.rstrip("\r").rpartition("\r")[2]
    visible = _CONTROL.sub(_picture, _ESCAPE.sub("", shown))
    return _DIRECTION.sub("\ufffd", visible)


def _picture(match: re.Match[str]) -> str:
    """U+2400… show a control character by its name."""
    code = ord(match.group())
    return "\u2421" if code == 0x7F else chr(0x2400 + code)
