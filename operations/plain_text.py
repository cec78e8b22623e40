"""Output of a node without its terminal escapes, where only text is shown or searched.

`static/js/run/ansi.js` follows the same rules for the live log.
"""

from __future__ import annotations

import re

# CSI (colours); OSC, DCS, SOS, PM and APC, which run to their terminator or the end of the line; others.
_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"
    r"|\][^\x07\x1b\n]*(?:\x07|\x1b\\|$)"
    r"|[PX^_][^\x1b\n]*(?:\x1b\\|$)"
    r"|[ -/]*[0-~]?)",
    re.MULTILINE,
)
_C1 = re.compile("[\x80-\x9f]")  # each is short for an escape and one letter
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_DIRECTION = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# A progress bar writes "10 %\r20 %\r30 %": a terminal shows the last one.
_OVERWRITTEN = re.compile(r"^[^\n]*\r(?=[^\r\n])", re.MULTILINE)
_RETURNS = re.compile(r"\r+$", re.MULTILINE)


def strip_escapes(text: str) -> str:
    """Lines as a terminal would leave them, control characters made visible."""
    if text.isprintable():  # most lines are, and this is a hundred times faster
        return text
    return _DIRECTION.sub("\ufffd", _CONTROL.sub(_picture, without_escapes(text)))


def without_escapes(text: str) -> str:
    """One line or many, with neither escapes nor what was written over."""
    if "\r" in text:
        text = _RETURNS.sub("", _OVERWRITTEN.sub("", text.replace("\r\n", "\n")))
    if not text.isascii():
        text = _C1.sub(lambda match: "\x1b" + chr(ord(match[0]) - 0x40), text)
    return _ESCAPE.sub("", text) if "\x1b" in text else text


def _picture(match: re.Match[str]) -> str:
    """U+2400… show a control character by its name."""
    code = ord(match.group())
    return "\u2421" if code == 0x7F else chr(0x2400 + code)
