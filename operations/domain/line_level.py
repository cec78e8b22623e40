"""What a line of a node's output reads like: an error, a warning, or neither.

Both streams of a job share one log (ADR 9), so a line does not tell where it came from; its words do.
A mark that is wrong half of the time is soon ignored, so counts of nothing ("0 errors"), names
(`error.log`, `libgpg-error`) and what a shell traces are not marked.
"""

from __future__ import annotations

import re

ERROR, WARNING = "error", "warning"

# A line without any of these, in lower case, is neither: one quick look at most lines.
_STEMS = (
    r"rror|fatal|fail|cannot|can't|could not|denied|refused|no such |not found|unable to|timed out"
    r"|abort|exception|panic|segmentation|killed|warn|vanished|\] [cew] \["
)
_STEMS_RU = "ошибк|не удалось|отказано|невозможно|предупрежд"
_HINT = re.compile(f"{_STEMS}|{_STEMS_RU}")
# The same in bytes whose ASCII is in lower case: for looking at a thousand lines at once.
HINT = re.compile(f"{_STEMS}|{_STEMS_RU}|{_STEMS_RU.title()}|{_STEMS_RU.upper()}".encode())

# Not a part of a path, an option or a name.
_BEFORE, _AFTER = r"(?<![\w./@=-])", r"(?![\w/-]|\.\w|@\w|=\w)"
_ERROR = re.compile(
    rf"{_BEFORE}(?:errors?|fatal|fail(?:ed|ure|ures|s)?|cannot|can't|could not|denied|refused"
    r"|no such \w+|not found|unable to|timed out|abort(?:ing|ed)?|exception|panic"
    rf"|segmentation fault|killed){_AFTER}"
    r"|status=\d+/failure|ошибк[аиу]|не удалось|отказано|невозможно"
)
_WARNING = re.compile(rf"{_BEFORE}(?:warn(?:ings?)?|vanished){_AFTER}|предупреждение")

_TRACE = re.compile(r"\++ ")  # sh -x
_COUNTED = r"(?:errors?|fail(?:ed|ures?)|warnings?|refused|denied|aborted|killed)"
_NOTHING = re.compile(
    rf"\b(?:0|no|zero|without(?: any)?)(?: \w+)? {_COUNTED}\b"
    rf"|\b{_COUNTED}(?:\(s\))?(?: [a-z]+){{0,3}} ?[:=] ?(?:0\b(?![.:\d])|(?:no|none|off|false)$)"
)
# MariaDB's `[Note]`, Gluster's ` E [`, apt's `W: `: the program has said itself how bad it is.
_SAID = re.compile(
    r"\[(error|warning|warn|note|info|debug|system)\]"
    r"|^\[\d{4}-\d\d-\d\d[^\]]*\] ([cewnidt]) \[|^([ew]): "
)
_SAYS = {ERROR: ERROR, "e": ERROR, "c": ERROR, WARNING: WARNING, "warn": WARNING, "w": WARNING}
# Debian's tools complain where nobody sits at a terminal; it is never why a step failed.
_USUAL = re.compile(r"(?:debconf|dpkg-preconfigure|invoke-rc\.d): ")


def level(line: str) -> str:
    """ERROR, WARNING or "" of one line without its escapes."""
    low = line.lower()
    return _read(low) if _HINT.search(low) else ""


def _read(low: str) -> str:
    if _TRACE.match(low):
        return ""
    if said := _SAID.search(low):
        return _SAYS.get(said[said.lastindex or 0], "")
    left = _NOTHING.sub("", low)
    if _ERROR.search(left):
        return WARNING if _USUAL.match(low) else ERROR
    return WARNING if _WARNING.search(left) else ""
