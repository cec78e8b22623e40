"""Whatever a script prints is in the journal, byte for byte, numbered without a gap."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.runtime import journal, lines
from operations.runtime.frames import Answer, Frames
from tests.runtime.conftest import World, make_run, step

NASTY = {
    "no newline at the end": rb"printf 'a\nb'",
    "invalid utf-8 and NUL": rb"printf 'a\377\376\000b\n'",
    "escapes": rb"printf '\033[31mred\033[0m\r50%%\r100%%\n'",
    "markup": rb"echo '<script>alert(1)</script>'",
    "blank lines": rb"printf '\n\n\n'",
    "nothing": rb"true",
    "2 MB in one line": rb"head -c 2097152 /dev/zero | tr '\0' x; echo",
    "50,000 lines": rb"seq 50000",
    "the list of processes": rb"sleep 0.2; cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\0' ' '",
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", NASTY)
def test_the_journal_equals_the_log_on_the_node(world: World, name: str) -> None:
    run = make_run(step("one", "node1", NASTY[name].decode("latin-1")))
    world.execute(run)
    on_node = world.node_log(run, "one", "node1")
    assert hashlib.sha256(world.log(run, "one")).digest() == hashlib.sha256(on_node).digest()
    assert run.steps.get().log_bytes == len(on_node)
    read = journal.read(run.pk, limit=1_000_000)
    assert [line.number for line in read] == list(range(1, run.next_line))
    assert b"".join(line.data for line in read if line.kind == "output") == on_node


@pytest.mark.django_db(transaction=True)
def test_a_window_of_the_journal_is_the_same_wherever_it_begins(world: World) -> None:
    run = make_run(step("one", "node1", "seq 1000"), step("two", "node2", "seq 3"))
    world.execute(run)
    whole = journal.read(run.pk, limit=100_000)
    for after in (0, 1, 17, 500, len(whole) - 1, len(whole)):
        assert journal.read(run.pk, after=after, limit=7) == whole[after : after + 7]
    of_two = journal.read(run.pk, step="two", limit=100)
    assert [line.text for line in of_two if line.kind == "output"] == ["1", "2", "3"]


@pytest.mark.django_db(transaction=True)
def test_an_unfinished_line_is_shown_after_a_silence(world: World) -> None:
    run = make_run(step("one", "node1", "printf Password:; sleep 2.6; echo; echo end"))
    world.execute(run)
    output = [line.data for line in journal.read(run.pk) if line.kind == "output"]
    assert output == [b"Password:", b"\n", b"end\n"]


@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"x", b"\n")), max_size=30))
def test_chunks_together_are_the_bytes_that_went_in(pieces: list[bytes]) -> None:
    buffer = lines.LineBuffer()
    chunks = [row for piece in pieces for row in buffer.feed(piece) + buffer.whole()]
    chunks += buffer.drain()
    assert b"".join(chunks) == b"".join(pieces)
    assert all(len(lines.split(chunk)) == lines.count(chunk) for chunk in chunks)
    assert all(chunk.endswith(b"\n") for chunk in chunks[:-1])


def test_a_long_line_is_cut_between_characters() -> None:
    line = "я".encode() * lines.LONGEST_CHUNK + b"\n"
    buffer = lines.LineBuffer()
    chunks = buffer.feed(b"x" + line) + buffer.drain()
    assert b"".join(chunks) == b"x" + line
    assert max(map(len, chunks)) <= lines.LONGEST_CHUNK
    assert [chunk.decode() for chunk in chunks]


@given(st.binary(max_size=200), st.integers(1, 9))
def test_answers_are_found_wherever_the_stream_is_cut(log: bytes, size: int) -> None:
    whole = b"motd\n@1#HEAD started\n" + log + b"@1#TAIL ended 0 5 -\n"
    frames = Frames("@1#")
    parts = [
        part for at in range(0, len(whole), size) for part in frames.feed(whole[at : at + size])
    ]
    answers = [part for part in parts if isinstance(part, Answer)]
    begun = parts.index(answers[0])
    assert [answer.kind for answer in answers] == ["HEAD", "TAIL"]
    assert b"".join(part for part in parts[begun:] if isinstance(part, bytes)) == log
