"""The table steps × nodes of a run page, drawn from a run snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

StepData = Mapping[str, Any]


@dataclass
class Row:
    """One kind of step; `cells` follow the order of the columns, None where a node has no such step."""

    label: str
    cells: list[StepData | None]


@dataclass
class Group:
    """One stage of the plan."""

    title: str
    why: str
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Matrix:
    nodes: tuple[str, ...]
    groups: tuple[Group, ...]


def matrix(snapshot: Mapping[str, Any]) -> Matrix:
    """Columns are the nodes in the order in which the plan meets them."""
    stages = snapshot["stages"]
    nodes = tuple(dict.fromkeys(step["node"] for stage in stages for step in stage["steps"]))
    return Matrix(nodes, tuple(_group(stage, nodes) for stage in stages))


def _group(stage: Mapping[str, Any], nodes: Sequence[str]) -> Group:
    rows: list[tuple[str, dict[str, StepData]]] = []
    for step in stage["steps"]:
        kind = same_on_every_node(step)
        free = next((cells for k, cells in rows if k == kind and step["node"] not in cells), None)
        if free is None:
            rows.append((kind, {step["node"]: step}))
        else:
            free[step["node"]] = step
    group = Group(stage["title"], stage["why"])
    group.rows = [
        Row(_label(group.title, cells, len(rows)), [cells.get(node) for node in nodes])
        for _, cells in rows
    ]
    return group


def same_on_every_node(step: StepData) -> str:
    """What the step is, whichever node it runs on: its title without the node's name."""
    return " ".join(str(step["title"]).replace(step["node"], "\0").split())


def _label(stage_title: str, cells: Mapping[str, StepData], rows: int) -> str:
    """A row that is the whole stage needs no second name; a row of one step has its full title."""
    if rows == 1:
        return stage_title
    titles = list(dict.fromkeys(step["title"] for step in cells.values()))
    if len(titles) == 1:
        return str(titles[0])
    first = next(iter(cells.values()))
    return str(first["title"]).replace(first["node"], "…")
