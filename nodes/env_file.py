"""Reads and rewrites single keys of a `.env` file; every other byte stays as it was.

Works on bytes and lines, because a `.env` may hold any encoding and both line ends. What a value
is follows Laravel's reader: blanks around it do not count, quotes are taken off, ` #` starts a
comment outside of quotes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nodes.domain.peers import KEYS
from nodes.domain.text import Text, say

_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_HEAD = re.compile(
    rb"(?P<head>[ \t]*(?:export[ \t]+)?(?P<key>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*)"
)
_BOM = b"\xef\xbb\xbf"
# After an opening quote: the value up to the quote that closes it, then a comment or nothing.
_QUOTED = {
    b'"': re.compile(rb'"(?P<value>(?:[^"\\]|\\.)*)"(?P<tail>[ \t]*(?:#.*)?)', re.DOTALL),
    b"'": re.compile(rb"'(?P<value>[^']*)'(?P<tail>[ \t]*(?:#.*)?)", re.DOTALL),
}
# Hosts and commas; a value made of these means the same with and without quotes.
_PLAIN = re.compile(r"[A-Za-z0-9_.,:%@/+-]*")


class EnvFileError(Exception):
    """The file cannot be understood or changed safely; `why` and `fix` are for a person."""

    def __init__(self, code: str, why: Text, fix: Text) -> None:
        super().__init__(str(why))
        self.code, self.why, self.fix = code, why, fix


@dataclass(frozen=True)
class _Entry:
    """One `KEY=value` line, cut so that head + quote + value + quote + tail + end is the line."""

    number: int
    key: str
    head: bytes
    quote: bytes
    value: bytes
    tail: bytes
    end: bytes

    def with_value(self, value: bytes) -> bytes:
        # `KEY=#comment` has an empty value; a new one must not run into the comment.
        blank = b" " if value and not self.quote and self.tail.startswith(b"#") else b""
        return b"".join((self.head, self.quote, value, self.quote, blank, self.tail, self.end))


def read_keys(data: bytes, keys: Iterable[str] = KEYS) -> dict[str, str | None]:
    """The value of each key; None when the file has no such line (a commented one is none).

    Raises EnvFileError `env_duplicate_key` or `env_bad_quotes`.
    """
    entries = _entries(data, keys)
    return {
        key: entries[key].value.decode(errors="replace") if key in entries else None for key in keys
    }


def key_lines(data: bytes, keys: Iterable[str] = KEYS) -> dict[str, int]:
    """The number of the line, from 1, that each key stands in; absent keys are missing.

    Raises EnvFileError as `read_keys` does.
    """
    return {entry.key: entry.number for entry in _entries(data, keys).values()}


def with_keys(data: bytes, values: Mapping[str, str]) -> bytes:
    """The file with each key set; absent keys are appended. Every other byte is kept.

    Raises EnvFileError as `read_keys` does, and `env_bad_value` for a value that could not be
    written without changing its meaning.
    """
    for key, value in values.items():
        if not _PLAIN.fullmatch(value):
            raise _bad_value(key)
    entries = _entries(data, values)
    changed = {e.number: e.with_value(values[e.key].encode()) for e in entries.values()}
    lines = [changed.get(number, line) for number, line in enumerate(_lines(data), start=1)]
    absent = [key for key in values if key not in entries]
    return b"".join(lines) + _appendix(data, {key: values[key] for key in absent})


def env_payload(current: bytes, values: Mapping[str, str]) -> bytes:
    """What the writing script reads: one line with the old and the new hash, then the content.

    The new hash lets the script tell a whole file from one that was cut off on its way.
    """
    content = with_keys(current, values)
    return f"{sha256(current)} {sha256(content)}\n".encode() + content


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _lines(data: bytes) -> list[bytes]:
    return _LINE.findall(data)


def _entries(data: bytes, keys: Iterable[str]) -> dict[str, _Entry]:
    wanted = {key.encode() for key in keys}
    found: dict[str, _Entry] = {}
    for number, line in enumerate(_lines(data), start=1):
        entry = _entry(number, line, wanted)
        if entry and entry.key in found:
            raise _duplicate(entry.key, found[entry.key].number, number)
        if entry:
            found[entry.key] = entry
    return found


def _entry(number: int, line: bytes, wanted: set[bytes]) -> _Entry | None:
    bom = _BOM if number == 1 and line.startswith(_BOM) else b""
    body = line[len(bom) :].rstrip(b"\r\n")
    match = _HEAD.match(body)
    if not match or match["key"] not in wanted:
        return None
    key, head, rest = match["key"].decode(), bom + match["head"], body[match.end() :]
    quote, value, tail = _cut(rest)
    if value is None:
        raise _unclosed(key, number)
    return _Entry(number, key, head, quote, value, tail, line[len(bom) + len(body) :])


def _cut(rest: bytes) -> tuple[bytes, bytes | None, bytes]:
    """Quote, value (None: the quote is not closed in this line) and what follows the value."""
    quote = rest[:1]
    if quote in _QUOTED:
        match = _QUOTED[quote].fullmatch(rest)
        return (quote, match["value"], match["tail"]) if match else (quote, None, b"")
    comment = re.search(rb"(?:^|[ \t]+)#", rest)
    value = rest[: comment.start()] if comment else rest
    value = value.rstrip(b" \t\r")
    return b"", value, rest[len(value) :]


def _appendix(data: bytes, values: Mapping[str, str]) -> bytes:
    if not values:
        return b""
    end = _end_of_last_line(data)
    start = end if data and not data.endswith(b"\n") else b""
    return start + b"".join(f"{key}={value}".encode() + end for key, value in values.items())


def _end_of_last_line(data: bytes) -> bytes:
    """As the last line that has an end; a file without one gets line feeds."""
    return b"\r\n" if data[: data.rfind(b"\n") + 1].endswith(b"\r\n") else b"\n"


def _duplicate(key: str, first: int, second: int) -> EnvFileError:
    why = say(
        "%(key)s stands twice, in lines %(first)s and %(second)s.",
        key=key,
        first=first,
        second=second,
    )
    return EnvFileError(
        "env_duplicate_key", why, say("Delete the line that is not wanted, then try again.")
    )


def _unclosed(key: str, number: int) -> EnvFileError:
    why = say(
        "The quotes in line %(number)s (%(key)s) do not enclose one value.", number=number, key=key
    )
    return EnvFileError("env_bad_quotes", why, say("Correct the quotes in the file by hand."))


def _bad_value(key: str) -> EnvFileError:
    why = say("The new value of %(key)s has a character that has no place there.", key=key)
    return EnvFileError(
        "env_bad_value", why, say("Use addresses or host names, separated by commas.")
    )
