"""Output without its escapes: the same, whether a line or a million are looked at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from operations.plain_text import bytes_without_escapes, strip_escapes, without_escapes

PIECES = [
    "err",
    "OR",
    "ошибка",
    "«",
    "\n",
    "\r",
    "\r\n",
    "\x1b[31m",
    "\x1b[0m",
    "\x1b]0;t\x07",
    "\x1b]0;t",
]
PIECES += [
    "\x1bPq\x1b\\",
    "\x9b31m",
    "\x9d0;t\x9c",
    "\x84",
    "\x1b",
    "\x1b(",
    "\x00",
    "\t",
    "\u202e",
    "[",
    "m",
    "é",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@given(TEXTS)
def test_many_lines_at_once_are_the_lines_one_by_one(text: str) -> None:
    alone = [without_escapes(line) for line in text.split("\n")]
    assert without_escapes(text) == "\n".join(alone)


@given(TEXTS)
def test_bytes_read_like_the_text_that_they_encode(text: str) -> None:
    assert bytes_without_escapes(text.encode()).decode() == without_escapes(text)


def test_a_progress_bar_is_what_it_shows_at_the_end() -> None:
    assert without_escapes("10 %\r20 %\r30 %\r\nnext\r\n") == "30 %\nnext\n"


def test_colours_go_and_control_characters_are_shown() -> None:
    assert strip_escapes("\x1b[31mERR\x1b[0mOR\x00\x9b1m\u202e") == "ERROR\u2400\ufffd"
