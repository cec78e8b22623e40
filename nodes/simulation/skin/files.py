"""Small files, read and written whole."""

from __future__ import annotations

from pathlib import Path


def text_of(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return ""


def put(path: Path, text: str | None) -> None:
    """The file says `text`, or is not there. A rename, so that nobody reads half of it."""
    if text is None:
        path.unlink(missing_ok=True)
    elif not path.exists() or text_of(path) != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.new")
        draft.write_text(text)
        draft.replace(path)
