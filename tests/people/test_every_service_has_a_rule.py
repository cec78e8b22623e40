"""Whoever writes a service says who may call it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import clusterpanel.people.services as people
import nodes.services as nodes
import operations.services as operations
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import OPEN, PANEL


def services() -> Iterator[tuple[str, Callable[..., Any]]]:
    for package in (nodes, people):
        for name in package.__all__:
            if inspect.isfunction(found := getattr(package, name)):
                yield f"{package.__name__}.{name}", found
    for name, found in inspect.getmembers(operations, inspect.isfunction):
        if found.__module__ == operations.__name__ and not name.startswith("_"):
            yield f"{operations.__name__}.{name}", found


ALL = dict(services())


@pytest.mark.parametrize("name", ALL)
def test_it_has_a_rule(name: str) -> None:
    assert getattr(ALL[name], "rule", None) in (OPEN, PANEL, *Role)


@pytest.mark.parametrize("name", [n for n in ALL if "by" in inspect.signature(ALL[n]).parameters])
def test_what_a_person_does_needs_a_role(name: str) -> None:
    assert getattr(ALL[name], "rule", None) in list(Role)


def test_the_services_are_found() -> None:
    assert {"nodes.services.settings_save", "operations.services.run_start"} <= set(ALL)
