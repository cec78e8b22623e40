"""Editing a `.env` touches the values it was asked to touch and no other byte."""

from __future__ import annotations

import pytest
from hypothesis import given
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


hosts = st.lists(st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,8}[a-z0-9])?", fullmatch=True), max_size=4)
values = st.fixed_dictionaries({key: hosts.map(",".join) for key in KEYS})
other_lines = st.lists(
    st.one_of(
        st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"")),
        st.sampled_from([b"# GALERA_PEER_HOSTS=x", b"", b"APP_KEY='a b' # c", b"export X=\r"]),
    ),
    max_size=8,
)
key_lines = st.permutations(
    [b"GALERA_PEER_HOSTS=a", b'export CLUSTER_FS_PEER_HOSTS = "b" # c', b"CLUSTER_PRIMARY_HOST=''"]
).flatmap(lambda lines: st.integers(0, 3).map(lambda count: lines[:count]))
ends = st.sampled_from([b"\n", b"\r\n"])


@given(others=other_lines, ours=key_lines, end=ends, last=st.booleans(), new=values)
def test_what_is_written_is_read_and_every_other_line_is_kept(
    others: list[bytes], ours: list[bytes], end: bytes, last: bool, new: dict[str, str]
) -> None:
    lines = [*others[:4], *ours, *others[4:]]
    before = end.join(lines) + (end if last else b"")
    after = with_keys(before, new)
    assert read_keys(after) == new
    assert with_keys(after, new) == after
    kept = iter(after.split(b"\n"))
    for line in before.rstrip(b"\n").split(b"\n"):
        if line.rstrip(b"\r") not in ours and line:
            assert any(line.rstrip(b"\r") == other.rstrip(b"\r") for other in kept), line
