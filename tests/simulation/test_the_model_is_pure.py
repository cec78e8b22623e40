"""The rules of the simulated cluster touch no file, no clock and no network."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import nodes.simulation

FOLDER = Path(nodes.simulation.__file__).parent
HANDLES = ("__main__.py", "cluster.py")  # how the model is held, beside the model
MODEL = sorted(path for path in FOLDER.glob("*.py") if path.name not in HANDLES)
ALLOWED = {"__future__", "collections", "dataclasses", "enum", "typing", "uuid"}


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            inside = base == "nodes.simulation"
            found |= {f"{base}.{alias.name}" if inside else base for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODEL, ids=lambda path: path.name)
def test_the_model_imports_values_only(path: Path) -> None:
    own = {f"nodes.simulation.{other.stem}" for other in MODEL}
    foreign = {name for name in imported(path) - own if name.split(".")[0] not in ALLOWED}
    assert foreign == set()
