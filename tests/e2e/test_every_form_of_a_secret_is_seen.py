"""The search itself: a secret is found however it was encoded, and wherever it was packed into."""

from __future__ import annotations

import base64
import gzip
import io
import json
import shlex
import sqlite3
import tarfile
import urllib.parse
import zlib
from collections.abc import Callable
from contextlib import closing
from functools import partial
from html import escape
from pathlib import Path

import pytest
from django.core import signing

from operations.body import BodyField
from tests.e2e.canary import Piece, Secret, files, hits, rows

SECRET = Secret("it", "s3cret-wörd 'q\" &<%+$\\ of_somebody".encode())
TEXT = SECRET.value.decode()
FORMS: dict[str, Callable[[], bytes]] = {
    "clear": lambda: SECRET.value,
    "hex": lambda: SECRET.value.hex().encode(),
    "HEX": lambda: SECRET.value.hex().upper().encode(),
    "url": lambda: urllib.parse.quote(TEXT).encode(),
    "form": lambda: urllib.parse.urlencode({"p": TEXT}).encode(),
    "shell": lambda: shlex.quote(TEXT).encode(),
    "shell inside a word": lambda: shlex.quote(f"password={TEXT}").encode(),
    "json": lambda: json.dumps({"p": TEXT}).encode(),
    "page": lambda: escape(TEXT).encode(),
    "python": lambda: repr({"p": TEXT}).encode(),
    "wide": lambda: TEXT.encode("utf-16-le"),
    **{
        f"base64 after {n}": partial(base64.b64encode, b"x" * n + SECRET.value + b"yy")
        for n in range(4)
    },
    "base64 of the web": lambda: base64.urlsafe_b64encode(b"user:" + SECRET.value),
    "journal": lambda: BodyField().get_prep_value(b"line\n" * 100 + SECRET.value),
    "zlib": lambda: zlib.compress(b"line\n" * 100 + SECRET.value),
    "signed by Django": lambda: signing.dumps({"p": TEXT}).encode(),
    "signed and packed": lambda: signing.dumps({"p": TEXT * 20}, compress=True).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_it_is_found(form: str) -> None:
    data = b"\x00something before " + FORMS[form]() + b" and behind\xff"
    assert list(hits([Piece("there", data)], [SECRET]))


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_found_where_it_is_not(form: str) -> None:
    other = Secret("other", b"wholly-different-one")
    assert not list(hits([Piece("there", FORMS[form]())], [other]))


def test_files_and_what_is_packed_into_them(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/dump.sql.gz").write_bytes(gzip.compress(SECRET.value))
    with tarfile.open(tmp_path / "all.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("storage/file")
        member.size = len(SECRET.value)
        archive.addfile(member, io.BytesIO(SECRET.value))
    places = {where for _, _, where in hits(files(tmp_path, "home"), [SECRET])}
    assert "home:deep/dump.sql.gz unpacked" in places
    assert "home:all.tar.gz unpacked/storage/file" in places


def test_values_of_a_database(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "books")) as books:
        books.execute("CREATE TABLE log (body BLOB, note TEXT)")
        packed = BodyField().get_prep_value(b"line\n" * 100 + SECRET.value)
        books.execute("INSERT INTO log VALUES (?, ?)", (packed, TEXT))
        books.commit()
    places = {where for _, _, where in hits(rows(tmp_path / "books"), [SECRET])}
    assert places == {"row:log.body", "row:log.note"}
