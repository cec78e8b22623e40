"""Output of a node without its terminal escapes, where only text is shown or searched.

`static/js/run/ansi.js` follows the same rules for the live log.
"""

from __future__ import annotations

import re

# CSI (colours); OSC, DCS, SOS, PM and APC, which run to their terminator or the end of the line; others.
_ESCAPES = (
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"
    r"|\][^\x07\x1b\n]*(?:\x07|\x1b\\|$)"
    r"|[PX^_][^\x1b\n]*(?:\x1b\\|$)"
    r"|[ -/]*[0-~]?)"
)
# A progress bar writes "10 %\r20 %\r30 %": a terminal shows the last one.
_WRITTEN_OVER, _RETURNS = r"^[^\n]*\r(?=[^\r\n])", r"\r+$"
_OF_TEXT = [re.compile(each, re.MULTILINE) for each in (_ESCAPES, _WRITTEN_OVER, _RETURNS)]
_OF_BYTES = [re.compile(each.pattern.encode(), re.MULTILINE) for each in _OF_TEXT]
# Each is short for an escape and one letter.
_C1, _C1_BYTES = re.compile("[\x80-\x9f]"), re.compile(b"\xc2[\x80-\x9f]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_DIRECTION = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def strip_escapes(text: str) -> str:
    """Lines as a terminal would leave them, control characters made visible."""
    if text.isprintable():  # most lines are, and this is a hundred times faster
        return text
    return _DIRECTION.sub("\ufffd", _CONTROL.sub(_picture, without_escapes(text)))


def without_escapes(text: str) -> str:
    """One line or many, with neither escapes nor what was written over."""
    escapes, written_over, returns = _OF_TEXT
    if "\r" in text:
        text = returns.sub("", written_over.sub("", text.replace("\r\n", "\n")))
    if not text.isascii():
        text = _C1.sub(lambda match: "\x1b" + chr(ord(match[0]) - 0x40), text)
    return escapes.sub("", text) if "\x1b" in text else text


def bytes_without_escapes(body: bytes) -> bytes:
    """The same for UTF-8 that is not decoded: many lines at once, at the cost of those with escapes."""
    escapes, written_over, returns = _OF_BYTES
    if b"\r" in body:
        body = returns.sub(b"", written_over.sub(b"", body.replace(b"\r\n", b"\n")))
    if b"\xc2" in body:
        body = _C1_BYTES.sub(lambda match: bytes((0x1B, match[0][1] - 0x40)), body)
    return escapes.sub(b"", body) if b"\x1b" in body else body


def _picture(match: re.Match[str]) -> str:
    """U+2400… show a control character by its name."""
    code = ord(match.group())
    return "\u2421" if code == 0x7F else chr(0x2400 + code)
