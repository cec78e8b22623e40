"""A command replaces its own table in a document and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos import report

DOCUMENT = """# Before

<!-- table: one -->
old
<!-- end: one -->
between
<!-- table: two -->
<!-- end: two -->
after
"""


def test_only_the_named_table_changes_and_again(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text(DOCUMENT)
    for content in ("first", "second"):
        report.replace_table(document, "one", f"{content}\n")
        assert document.read_text() == DOCUMENT.replace("old", content)


@pytest.mark.parametrize("name", ["three", "on"])
def test_a_document_without_a_place_is_left_alone(tmp_path: Path, name: str) -> None:
    document = tmp_path / "document.md"
    document.write_text(DOCUMENT)
    with pytest.raises(ValueError, match=name):
        report.replace_table(document, name, "new")
    assert document.read_text() == DOCUMENT


def test_a_table_is_markdown_that_can_be_read_as_it_stands() -> None:
    rows = [("worker", "12"), ("web", "7")]
    assert report.markdown(("killed", "times"), rows).splitlines() == [
        "| killed | times |",
        "| ------ | ----: |",
        "| worker |    12 |",
        "| web    |     7 |",
    ]
