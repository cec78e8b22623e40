"""Nothing that a page, the API, a stream or a command can call changes the books without a rule.

Read from the code: what writes by itself or through what it calls, down to functions that have a
rule. So `operations.fences`, `pending`, `gates` or `clusterpanel.audit` need no rules of their own:
no door reaches what they change but through a service that asks who it is.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("clusterpanel", "nodes", "operations")
WRITES = frozenset(
    f"{way}{name}"
    for way in ("", "a")
    for name in (
        *("create", "save", "delete", "update", "get_or_create", "update_or_create"),
        *("bulk_create", "bulk_update", "create_user", "create_superuser"),
    )
)
DOORS = (
    *("clusterpanel.audit_page", "clusterpanel.context", "clusterpanel.health"),
    *("operations.metrics", "operations.stream"),
)
# Door -> what it changes past a rule, and why it may.
KNOWN = {
    ("clusterpanel.api", "Token"): "when the token was used last, before anybody is known",
    ("clusterpanel.people.views.sign_in", "clusterpanel.audit.record"): "a password set by a link",
    ("clusterpanel.people.views.oidc", "clusterpanel.audit.record"): (
        "what became of a sign-in at a provider, before anybody is known"
    ),
    ("clusterpanel.people.views.sign_in", "clusterpanel.people.second_factor.opens"): (
        "uses up the code that lets somebody in"
    ),
    ("clusterpanel.management.commands.panel", "clusterpanel.launch.admin_password"): (
        "the first administrator of an empty panel"
    ),
    ("clusterpanel.management.commands.rotate_keys", "clusterpanel.audit.record"): (
        "root at the console"
    ),
    ("operations.management.commands.journal_tidy", "operations.retention.tidy"): (
        "root at the console"
    ),
}
_NO_TABLES = ("SimulatedCluster",)  # what is no table, and is made or changed all the same
Thing = tuple[str, str]  # a function or a class: module, name


def modules() -> Iterator[str]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if not {"migrations", "simulation"} & set(path.parts):
                parts = path.relative_to(ROOT).with_suffix("").parts
                yield ".".join(parts).removesuffix(".__init__")


def is_door(module: str) -> bool:
    *rooms, last = module.split(".")
    inside = {"views", "management"} & {*rooms, last}
    return bool(inside) or last.startswith("api") or module in DOORS


@cache
def tree(module: str) -> ast.Module:
    path = ROOT / Path(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text())


@cache
def bodies(module: str) -> dict[str, ast.stmt]:
    """The functions and classes that a module defines."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name: node for node in tree(module).body if isinstance(node, kinds)}


def writes_itself(body: ast.AST) -> bool:
    """A call like `.save()` or `.update()`; of `router.delete("/…")` the text makes an address."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WRITES
        and not (node.args and isinstance(node.args[0], ast.Constant))
        and ast.unparse(node.func.value) not in _NO_TABLES
        for node in ast.walk(body)
    )


def named(module: str, body: ast.AST) -> Iterator[Thing]:
    """The functions and classes of the panel that a piece of code mentions."""
    room = importlib.import_module(module)
    for node in ast.walk(body):
        found: Any = None
        if isinstance(node, ast.Name):
            found = getattr(room, node.id, None)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            place = getattr(room, node.value.id, None)
            found = getattr(place, node.attr, None) if inspect.ismodule(place) else None
        if (inspect.isfunction(found) or inspect.isclass(found)) and is_ours(found):
            yield found.__module__, found.__name__


def is_ours(thing: Any) -> bool:
    inner = inspect.unwrap(thing)
    return inner.__module__.split(".")[0] in ROOMS and inner.__name__ in bodies(inner.__module__)


def has_rule(thing: Thing) -> bool:
    return hasattr(getattr(importlib.import_module(thing[0]), thing[1], None), "rule")


@cache
def calls(thing: Thing) -> frozenset[Thing]:
    return frozenset(named(thing[0], bodies(thing[0])[thing[1]]))


def passes(thing: Thing) -> bool:
    """Whether the way ends here: a rule stands before it, or it is what is written."""
    return has_rule(thing) or ".models" in thing[0] or ".simulation" in thing[0]


@cache
def writes(thing: Thing) -> bool:
    """By itself, or through what it calls, until somewhere a rule stands in between."""
    seen: set[Thing] = set()
    ahead = [thing]
    while ahead:
        one = ahead.pop()
        if one in seen or passes(one):
            continue
        seen.add(one)
        if writes_itself(bodies(one[0])[one[1]]):
            return True
        ahead += calls(one)
    return False


def past_a_rule(door: str) -> set[tuple[str, str]]:
    own = {(door, name) for name, body in bodies(door).items() if writes_itself(body)}
    called = {
        (door, ".".join(thing))
        for thing in named(door, tree(door))
        if not is_door(thing[0]) and writes(thing)
    }
    return own | called


@pytest.mark.parametrize("door", [name for name in modules() if is_door(name)])
def test_it_changes_nothing_past_a_rule(door: str) -> None:
    assert past_a_rule(door) - set(KNOWN) == set()


def test_what_is_known_is_still_there() -> None:
    found = {each for name in modules() if is_door(name) for each in past_a_rule(name)}
    assert set(KNOWN) - found == set()


@pytest.mark.parametrize(
    "thing",
    [
        ("operations.fences", "open_with"),
        ("operations.pending", "deliver"),
        ("operations.planning", "remember"),
        ("operations.runtime.journal", "append_output"),
        ("clusterpanel.audit", "record"),
        ("nodes.services.revisions", "revision_add"),
    ],
)
def test_what_writes_is_recognised(thing: Thing) -> None:
    assert writes(thing)
