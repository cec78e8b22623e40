"""Rules about the code itself that no linter knows."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("clusterpanel", "nodes", "operations")
SOURCES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts
)
# Two pure files lie beside the domain, because a person looks for them there.
PURE_NODES = ("nodes.domain", "nodes.env_file", "nodes.env_file_script")
DOMAIN = [p for p in SOURCES if "domain" in p.parts or p.stem in ("env_file", "env_file_script")]
FILE_LINES, FUNCTION_LINES = 300, 25
EXCUSE = "# Long because"  # as the first comment: a reader learns at once why it could not be less


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def allowed_in_domain(module: str, package: str) -> bool:
    pure = PURE_NODES if package == "nodes" else (*PURE_NODES, "operations.domain")
    if any(module == home or module.startswith(home + ".") for home in pure):
        return True
    return module.split(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize("path", DOMAIN, ids=relative)
def test_the_domain_imports_the_standard_library_and_itself(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    foreign = {
        m for m in imported(ast.parse(path.read_text())) if not allowed_in_domain(m, package)
    }
    assert foreign == set()


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code: from `def` to the end, less the docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) and isinstance(first, ast.Expr):
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    lines = text.splitlines()
    if not any(line.startswith(EXCUSE) for line in lines[:30]):
        assert len(lines) <= FILE_LINES
    too_long = {
        node.name: length(node)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and length(node) > FUNCTION_LINES
        and not any(EXCUSE in line for line in lines[node.lineno - 2 : node.lineno + 8])
    }
    assert too_long == {}
