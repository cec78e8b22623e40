"""Secrets that are planted, every form in which one could leave the panel, and where to look for it."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import re
import shlex
import sqlite3
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import quote, quote_plus

import zstandard

_SHORTEST = 8  # bytes of a form; what is shorter would be found by chance
_AT_MOST = 64_000_000  # bytes of one unpacked thing
_PACKED = re.compile(rb"\x28\xb5\x2f\xfd|\x78[\x01\x5e\x9c\xda]")  # zstd, zlib
_SIGNED = re.compile(rb"(\.?)([A-Za-z0-9_-]{16,}):[A-Za-z0-9_-]{6}:[A-Za-z0-9_-]{20,}")


@dataclass(frozen=True)
class Secret:
    """`name` is what it is; `value` must never stand anywhere but where EXCEPTIONS say."""

    name: str
    value: bytes = field(repr=False)

    @cached_property
    def forms(self) -> Mapping[str, bytes]:
        """How it could look: as it is, encoded, or quoted by a shell, a page or JSON."""
        found = {"clear": self.value, "hex": self.value.hex().encode()}
        found["HEX"] = found["hex"].upper()
        found |= {f"base64+{skip}": text for skip, text in enumerate(_inside_base64(self.value))}
        with suppress(UnicodeDecodeError):
            found |= _quoted(self.value.decode())
        plain = {name: form for name, form in found.items() if len(form) >= _SHORTEST}
        # The web's alphabet of base64 is another one.
        web = {f"{n} url": f.translate(_WEB) for n, f in plain.items() if n.startswith("base64")}
        return plain | {name: form for name, form in web.items() if form not in plain.values()}

    def found_in(self, data: bytes) -> str | None:
        """The name of the first form that is in there."""
        return next((name for name, form in self.forms.items() if form in data), None)


_WEB = bytes.maketrans(b"+/", b"-_")


def _inside_base64(value: bytes) -> Iterator[bytes]:
    """What base64 makes of it after 0, 1 and 2 other bytes, less the letters that hang on these."""
    for before, drop in ((0, 0), (1, 2), (2, 3)):
        whole = (before + len(value)) // 3 * 4
        yield base64.b64encode(bytes(before) + value)[drop:whole]


def _quoted(text: str) -> dict[str, bytes]:
    forms = {
        "url": quote(text, safe=""),
        "form": quote_plus(text),
        "shell": shlex.quote(text),
        "shell inside": shlex.quote(text)[1:-1] if shlex.quote(text) != text else text,
        "json": json.dumps(text)[1:-1],
        "html": html.escape(text),
        "python": repr(text)[1:-1],
        "utf-16": "",
    }
    found = {name: form.encode() for name, form in forms.items() if form}
    return found | {"utf-16": text.encode("utf-16-le")}


@dataclass(frozen=True)
class Piece:
    """Something that was found in a place: `where` names it, for a person and for an exception."""

    where: str
    data: bytes = field(repr=False)


def unpacked(data: bytes, depth: int = 2) -> Iterator[bytes]:
    """It, and everything that was packed into it: compressed, or signed by Django."""
    yield data
    if depth == 0:
        return
    for match in _PACKED.finditer(data):
        if inner := _decompressed(data, match.start()):
            yield from unpacked(inner, depth - 1)
    for match in _SIGNED.finditer(data):
        text = match[2] + b"=" * (-len(match[2]) % 4)
        with suppress(ValueError, zlib.error):
            inner = base64.urlsafe_b64decode(text)
            yield zlib.decompress(inner) if match[1] else inner


def _decompressed(data: bytes, start: int) -> bytes | None:
    with suppress(zlib.error, zstandard.ZstdError, MemoryError):
        if data[start] == 0x28:
            return zstandard.ZstdDecompressor().decompressobj().decompress(data[start:])
        return zlib.decompressobj().decompress(data[start:], _AT_MOST)
    return None


def files(folder: Path, name: str) -> Iterator[Piece]:
    """Every file below it as bytes, archives also by what is in them."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        with suppress(FileNotFoundError):  # a log or a draft that just went
            data = path.read_bytes()
            yield Piece(f"{name}:{path.relative_to(folder)}", data)
            if path.name.endswith(".gz"):
                yield from _archive(f"{name}:{path.relative_to(folder)}", data)


def _archive(where: str, data: bytes) -> Iterator[Piece]:
    plain = gzip.decompress(data)
    yield Piece(f"{where} unpacked", plain)
    if where.endswith(".tar.gz"):
        with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
            for member in archive:
                if inner := archive.extractfile(member):
                    yield Piece(f"{where} unpacked/{member.name}", inner.read())


def rows(database: Path) -> Iterator[Piece]:
    """Every value of every table, each by itself: compressed ones can only be unpacked whole."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        tables = [
            name.decode()
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        for table in tables:
            cursor = connection.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in cursor.description]
            for row in cursor:
                for column, value in zip(columns, row, strict=True):
                    if isinstance(value, bytes) and len(value) >= _SHORTEST:
                        yield Piece(f"row:{table}.{column}", value)


def memory(pid: int, where: str) -> Iterator[Piece]:
    """What a process of ours has in its memory, like a core of it. Linux."""
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as mem:
        for line in maps:
            span, mode, *_ = line.split()
            if not mode.startswith("rw"):
                continue
            begin, end = (int(part, 16) for part in span.split("-"))
            with suppress(OSError, ValueError):  # a mapping that may not be read
                mem.seek(begin)
                yield Piece(where, mem.read(end - begin))


def hits(pieces: Iterable[Piece], secrets: Iterable[Secret]) -> Iterator[tuple[str, str, str]]:
    """(secret, form, where) of everything that is found."""
    wanted = tuple(secrets)
    for piece in pieces:
        for data in unpacked(piece.data):
            for secret in wanted:
                if form := secret.found_in(data):
                    yield secret.name, form, piece.where
