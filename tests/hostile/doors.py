"""Every field that a person can fill in anywhere, found in the product itself.

By door: bodies and parameters of the API, forms, what a page reads of a request without a form,
parts of an address, and the params of procedures.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django import forms
from django.urls import URLPattern, URLResolver, get_resolver

from clusterpanel.api import Body
from operations.api import api
from operations.domain.planners import PLANNERS

ROOT = Path(__file__).resolve().parents[2]
_OURS = ("clusterpanel", "nodes", "operations")


def fields() -> set[str]:
    """Each as `door:name`."""
    return {*_bodies(), *_parameters(), *_forms(), *_addresses(), *_pages(), *_params()}


def _bodies() -> Iterator[str]:
    for body in _below(Body):
        yield from (f"body:{body.__name__}.{name}" for name in body.model_fields)


def _parameters() -> Iterator[str]:
    for methods in api.get_openapi_schema()["paths"].values():
        for operation in methods.values():
            yield from (f"query:{p['name']}" for p in operation.get("parameters", ()))


def _forms() -> Iterator[str]:
    for form in _below(forms.Form):
        if form.__module__.split(".")[0] in _OURS:
            yield from (f"form:{form.__name__}.{name}" for name in form.base_fields)


def _below(kind: Any) -> Iterator[Any]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def _addresses() -> Iterator[str]:
    for pattern in _patterns(get_resolver().url_patterns):
        yield from (f"address:{name}" for name in pattern.pattern.converters)


def _patterns(found: Iterable[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for each in found:
        if isinstance(each, URLPattern):
            yield each
        elif each.namespace != "api":
            yield from _patterns(each.url_patterns)


def _pages() -> Iterator[str]:
    """`request.POST.get("x")` and its like. "…": the name is known only at run time, or all that
    was sent is handed on, to a form for example."""
    for path, tree in _sources():
        place = path.relative_to(ROOT)
        read = [found for node in ast.walk(tree) if (found := _read(node))]
        yield from (f"page:{place}:{name}" for _, name in read)
        known = {id(source) for source, _ in read}
        if any(_is_given(node) and id(node) not in known for node in ast.walk(tree)):
            yield f"page:{place}:…"


def _read(node: ast.AST) -> tuple[ast.AST, str] | None:
    match node:
        case (
            ast.Call(func=ast.Attribute(value=source, attr="get" | "getlist"), args=[name, *_])
            | ast.Subscript(value=source, slice=name)
            | ast.Compare(left=name, ops=[ast.In() | ast.NotIn()], comparators=[source])
        ) if _is_given(source):
            return source, str(name.value) if isinstance(name, ast.Constant) else "…"
    return None


def _is_given(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name("request"), attr="POST" | "GET" | "FILES" | "body"):
            return True
    return False


def _params() -> Iterator[str]:
    """What a procedure takes: every planner names it where it refuses all other names."""
    for _, tree in _sources("operations/domain/planners"):
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name("unexpected_params"), args=[_, *names]):
                    yield from (f"params:{ast.literal_eval(name)}" for name in names)


def planners_that_take_any_name() -> set[str]:
    """Those that never refuse an unknown param: their fields could not be found."""
    found = set()
    for name, planner in PLANNERS.items():
        path = Path(str(inspect.getsourcefile(planner)))
        if "unexpected_params(" not in path.read_text() and name != "change_primary":
            found.add(name)
    return found


def _sources(*below: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in below or _OURS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text())
