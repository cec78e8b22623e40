"""The same story on simulated and on real servers, compared field by field.

Where they differ the model is wrong. What the real servers said is kept in `recorded.json`, so
that the simulated ones are held to it also where no lab can run.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nodes.simulation.cluster import SimulatedCluster
from tests.lab_fixture import TOOL, lab_status, lab_tool
from tests.simulation.scenario import story
from tests.simulation.sides import Looker, Real, Seen, Simulated

RECORDED = Path(__file__).with_name("recorded.json")
PATIENCE_S = 180  # a client waits 42 s for a silent brick, a lock of the pool is given up after 120
Told = tuple[str, list[int], Seen]  # title, exit codes, observation


def differences(simulated: Any, real: Any, where: str = "") -> list[str]:
    """`field: simulated …, real …` for every leaf that is not the same."""
    if isinstance(simulated, dict) and isinstance(real, dict):
        keys = dict.fromkeys([*real, *simulated])
        deeper = (differences(simulated.get(k), real.get(k), f"{where}.{k}") for k in keys)
        return [line for lines in deeper for line in lines]
    if plain(simulated) == plain(real):
        return []
    return [f"{where.lstrip('.')}: simulated {simulated}, real {real}"]


def plain(value: Any) -> Any:
    """As JSON has it, where a tuple is a list."""
    return json.loads(json.dumps(value))


def simulated_story(cluster: SimulatedCluster) -> Iterator[Told]:
    side = Simulated(cluster)
    looker = Looker(side)
    for step in story():
        codes = step.act(side)
        side.rest()
        yield step.title, codes, without(looker.look(), step.late)


def without(seen: Seen, late: tuple[str, ...]) -> Seen:
    return {
        host: {name: value for name, value in fields.items() if name not in late}
        for host, fields in seen.items()
    }


def compared(told: Told, codes: list[int], seen: Seen) -> list[str]:
    title, expected_codes, expected = told
    found = differences(expected_codes, codes, "exit codes") + differences(expected, seen)
    return [f"{title}: {line}" for line in found]


def host_names(seen: Any, hosts: tuple[str, ...]) -> Any:
    """Addresses of a lab are its own: in the record they are node1, node2, node3."""
    text = json.dumps(seen, ensure_ascii=False)
    for number, host in enumerate(hosts, start=1):
        text = text.replace(host, f"10.0.0.1{number}")
    return json.loads(text)


def changes(told: list[Told]) -> list[Any]:
    """Of each step only what it changed, so that a person can read the record."""
    before: Seen = {}
    found = []
    for title, codes, seen in told:
        step: Seen = {
            host: {k: v for k, v in fields.items() if before.get(host, {}).get(k) != v}
            for host, fields in seen.items()
        }
        gone = {host: [k for k in before.get(host, {}) if k not in seen[host]] for host in seen}
        step = {host: fields for host, fields in step.items() if fields}
        found.append([title, codes, step, {host: keys for host, keys in gone.items() if keys}])
        before = seen
    return found


def recorded() -> Iterator[Told]:
    seen: Seen = {}
    for title, codes, step, gone in json.loads(RECORDED.read_text()):
        seen = {
            host: {k: v for k, v in seen.get(host, {}).items() if k not in gone.get(host, ())}
            | step.get(host, {})
            for host in dict.fromkeys([*seen, *step])
        }
        yield title, codes, seen


@pytest.mark.slow
def test_simulated_servers_say_what_real_ones_said(tmp_path: Path) -> None:
    cluster = SimulatedCluster.create(tmp_path / "cluster", ("10.0.0.11", "10.0.0.12", "10.0.0.13"))

    found: list[str] = []
    for told, (title, codes, seen) in zip(simulated_story(cluster), recorded(), strict=True):
        assert told[0] == title
        found += compared(told, codes, seen)

    assert found == []


@pytest.fixture
def lab() -> Iterator[dict[str, Any]]:
    name = f"t{os.getpid()}sim"
    if not TOOL.exists() or "can run" not in lab_tool(name, "check", may_fail=True):
        pytest.skip("no lab on this machine")
    try:
        lab_tool(name, "up", "--nodes", "3")
        yield lab_status(name)
    finally:
        lab_tool(name, "down")


@pytest.mark.lab
@pytest.mark.timeout(1800)
@pytest.mark.skipif(
    "CONFORMANCE" not in os.environ,
    reason="43 steps on real servers take eleven minutes: make conformance",
)
def test_real_servers_say_the_same(lab: dict[str, Any], tmp_path: Path) -> None:
    real = Real(lab)
    looker = Looker(real)
    cluster = SimulatedCluster.create(tmp_path / "cluster", real.hosts)
    kept: list[Told] = []
    found: list[str] = []

    for step, told in zip(story(), simulated_story(cluster), strict=True):
        codes = step.act(real)
        seen, lines = settled(lambda late=step.late: without(looker.look(), late), told, codes)  # type: ignore[misc]
        found += lines
        kept.append((step.title, codes, host_names(seen, real.hosts)))
        note(lines)

    if "CONFORMANCE_RECORD" in os.environ:
        Path(os.environ["CONFORMANCE_RECORD"]).write_text(
            json.dumps(changes(kept), indent=1, ensure_ascii=False) + "\n"
        )
    assert found == []


def settled(look: Callable[[], Seen], told: Told, codes: list[int]) -> tuple[Seen, list[str]]:
    """Real daemons take their time: the last sweep that agrees twice running, or the last of all."""
    until = time.monotonic() + PATIENCE_S
    agreed = 0
    while True:
        seen = look()
        lines = compared(told, codes, seen)
        agreed = 0 if lines else agreed + 1
        if agreed == 2 or time.monotonic() > until:
            return seen, lines
        time.sleep(1)


def note(lines: list[str]) -> None:
    """With `pytest -s` one sees the differences as they come."""
    print("\n".join(lines), flush=True)
