"""Editing a `.env` touches the values it was asked to touch and no other byte."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nodes.domain.peers import GALERA_KEY, GLUSTER_KEY, KEYS, PRIMARY_KEY
from nodes.env_file import EnvFileError, env_payload, read_keys, sha256, with_keys

NEW = {GALERA_KEY: "10.0.0.1,10.0.0.2", GLUSTER_KEY: "n1,n2,n3", PRIMARY_KEY: "10.0.0.1"}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"GALERA_PEER_HOSTS=a,b", "a,b"),
        (b"GALERA_PEER_HOSTS=", ""),
        (b'GALERA_PEER_HOSTS="a,b"', "a,b"),
        (b"GALERA_PEER_HOSTS='a,b'", "a,b"),
        (b"  export GALERA_PEER_HOSTS = a,b  ", "a,b"),
        (b"GALERA_PEER_HOSTS=a,b # the three", "a,b"),
        (b'GALERA_PEER_HOSTS="a,b"   # "quoted" comment', "a,b"),
        (b"GALERA_PEER_HOSTS=# nothing", ""),
        (b"GALERA_PEER_HOSTS=a#b", "a#b"),
        (b"\xef\xbb\xbfGALERA_PEER_HOSTS=a", "a"),
        (b"# GALERA_PEER_HOSTS=a", None),
        (b"#GALERA_PEER_HOSTS=a", None),
        (b"MY_GALERA_PEER_HOSTS=a", None),
        (b"GALERA_PEER_HOSTS_OLD=a", None),
        (b"GALERA_PEER_HOSTS", None),
    ],
)
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_line_is_read_as_laravel_reads_it(line: bytes, value: str | None, end: bytes) -> None:
    assert read_keys(line + end)[GALERA_KEY] == value


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"GALERA_PEER_HOSTS=a", b"GALERA_PEER_HOSTS=x"),
        (b'GALERA_PEER_HOSTS="a" # c', b'GALERA_PEER_HOSTS="x" # c'),
        (b"GALERA_PEER_HOSTS='a'", b"GALERA_PEER_HOSTS='x'"),
        (b"export GALERA_PEER_HOSTS=a  # c", b"export GALERA_PEER_HOSTS=x  # c"),
        (b"GALERA_PEER_HOSTS=   # empty", b"GALERA_PEER_HOSTS=   x # empty"),
        (b'GALERA_PEER_HOSTS="a\\"b"', b'GALERA_PEER_HOSTS="x"'),
        (b"#GALERA_PEER_HOSTS=a\r\n", b"#GALERA_PEER_HOSTS=a\r\nGALERA_PEER_HOSTS=x\r\n"),
        (b"", b"GALERA_PEER_HOSTS=x\n"),
        (b"A=1", b"A=1\nGALERA_PEER_HOSTS=x\n"),
        (b"A=\xff\xfe\x00\n", b"A=\xff\xfe\x00\nGALERA_PEER_HOSTS=x\n"),
    ],
)
def test_only_the_value_changes(before: bytes, after: bytes) -> None:
    assert with_keys(before, {GALERA_KEY: "x"}) == after


def test_a_key_that_stands_twice_is_refused_with_both_line_numbers() -> None:
    with pytest.raises(EnvFileError, match="in lines 2 and 4") as caught:
        with_keys(b"A=1\nGALERA_PEER_HOSTS=a\n#\nGALERA_PEER_HOSTS=b\n", NEW)
    assert caught.value.code == "env_duplicate_key"


@pytest.mark.parametrize("line", [b'GALERA_PEER_HOSTS="a', b"GALERA_PEER_HOSTS='a'b'"])
def test_quotes_that_do_not_match_are_refused(line: bytes) -> None:
    with pytest.raises(EnvFileError) as caught:
        with_keys(line, NEW)
    assert caught.value.code == "env_bad_quotes"


@pytest.mark.parametrize("value", ["a b", "a\nB=1", 'a"', "a#b", "$(id)", "`id`", "a\\"])
def test_a_value_that_could_mean_something_else_is_refused(value: str) -> None:
    with pytest.raises(EnvFileError) as caught:
        with_keys(b"", {GALERA_KEY: value})
    assert caught.value.code == "env_bad_value"


def test_the_payload_names_what_it_replaces_and_what_it_brings() -> None:
    head, _, content = env_payload(b"A=1\n", NEW).partition(b"\n")
    assert head.decode().split() == [sha256(b"A=1\n"), sha256(content)]
    assert content == with_keys(b"A=1\n", NEW)


def test_an_appended_line_ends_as_the_last_line_does() -> None:
    assert with_keys(b"A=1\r\nB=2\n", {GALERA_KEY: "x"}).endswith(b"B=2\nGALERA_PEER_HOSTS=x\n")
    assert with_keys(b"A=1\r\nB=2", {GALERA_KEY: "x"}).endswith(b"B=2\r\nGALERA_PEER_HOSTS=x\r\n")


hosts = st.lists(st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,8}[a-z0-9])?", fullmatch=True), max_size=4)
values = st.fixed_dictionaries({key: hosts.map(",".join) for key in KEYS})
other_lines = st.one_of(
    st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"").rstrip(b"\r")),
    st.sampled_from(
        [b"# GALERA_PEER_HOSTS=x", b"", b"APP_KEY='a b' # c", b"export X=", b"\xd0\xff=\x00"]
    ),
)
blanks = st.sampled_from([b"", b" ", b"\t "])
comments = st.sampled_from([b"", b" # a comment", b"\t#GALERA_PEER_HOSTS=no", b"  # \xff"])
written = st.sampled_from([b"", b"a", b"a,b", b"10.0.0.1, 10.0.0.2", b"a#b"])


@st.composite
def key_lines(draw: st.DrawFn, key: str) -> tuple[bytes, bytes, bytes]:
    """A line in any of the ways people write it: what stands before the value, it, and after it."""
    quote = draw(st.sampled_from([b"", b'"', b"'"]))
    export = draw(st.sampled_from([b"", b"export "]))
    head = draw(blanks) + export + key.encode() + draw(blanks) + b"=" + draw(blanks)
    value, comment = draw(written), draw(comments)
    return head + quote, value, quote + comment


@st.composite
def env_files(draw: st.DrawFn) -> tuple[list[tuple[str, bytes, bytes]], bytes]:
    """Lines with their key ("" another line), their end, and the whole file."""
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True))
    ours = [(key, b"".join(draw(key_lines(key)))) for key in keys]
    others = [("", line) for line in draw(st.lists(other_lines, max_size=6))]
    lines = draw(st.permutations(ours + others))
    ends = [draw(st.sampled_from([b"\n", b"\r\n"])) for _ in lines]
    if lines and lines[-1][1] and draw(st.booleans()):
        ends[-1] = b""
    parts = [(key, line, end) for (key, line), end in zip(lines, ends, strict=True)]
    return parts, b"".join(line + end for _, line, end in parts)


@given(file=env_files(), new=values)
def test_what_is_written_is_read_and_every_other_line_is_the_same_to_the_byte(
    file: tuple[list[tuple[str, bytes, bytes]], bytes], new: dict[str, str]
) -> None:
    parts, before = file
    after = with_keys(before, new)
    assert read_keys(after) == new
    assert with_keys(after, new) == after
    there = {key for key, _, _ in parts if key}
    appended = [f"{key}={new[key]}".encode() for key in new if key not in there]
    lines = after.split(b"\n")
    if parts and not parts[-1][2] and not appended:
        assert not after.endswith(b"\n")  # a missing final newline stays missing
    else:
        assert not lines or lines.pop() == b""
    kept, rest = lines[: len(lines) - len(appended)], lines[len(lines) - len(appended) :]
    assert [line.removesuffix(b"\r") for line in rest] == appended
    _same_lines(before, kept, [key for key, _, _ in parts])


def _same_lines(before: bytes, kept: list[bytes], keys: list[str]) -> None:
    old = before.split(b"\n")
    if old[-1] == b"":
        old.pop()
    for was, now, key in zip(old, kept, keys, strict=True):
        if not key:
            # An unfinished last line gets an end when a key is appended after it.
            assert now in (was, was + b"\r"), was


@given(
    line=key_lines(GALERA_KEY), new=hosts.map(",".join), end=st.sampled_from([b"", b"\n", b"\r\n"])
)
def test_in_its_own_line_only_the_value_changes(
    line: tuple[bytes, bytes, bytes], new: str, end: bytes
) -> None:
    before, old, behind = line
    assume(old or not behind.startswith((b" ", b"\t")))  # nothing says whose the blanks are
    after = with_keys(before + line[1] + behind + end, {GALERA_KEY: new})
    assert after.startswith(before + new.encode())
    assert after.endswith(behind + end)
    assert len(after) == len(before) + len(new) + len(behind) + len(end)
