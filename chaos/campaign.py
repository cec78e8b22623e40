"""Many trials on several lanes at once: who does what, progress, and a time after which it is over."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from chaos.report import ROOT
from chaos.rig import kill, leftovers
from chaos.task import Task

START_S, TRIAL_S = 120, 60  # a lane that takes longer hangs


@dataclass(frozen=True)
class Campaign:
    """`count` trials, their victims in turn, on `lanes` panels side by side."""

    name: str
    where: str
    count: int
    victims: Sequence[str]
    points: Sequence[str]
    machines: int = 1
    doubled: bool = False
    lanes: int = 1
    lab: bool = False
    env: Mapping[str, str] = field(default_factory=dict)  # of the panel, for other settings


@dataclass(frozen=True)
class Outcome:
    """Results as the lanes said them, and what went wrong with the lanes themselves."""

    campaign: Campaign
    results: Sequence[Mapping[str, Any]]
    failures: Sequence[str]


Say = Callable[[str], None]


def carry_out(
    campaign: Campaign, seed: str, say: Say, lab: Mapping[str, Any] | None = None
) -> Outcome:
    """Runs to the end, or to the end of its time; what was not done then is a failure.

    The panels' folders are kept when something was not well.
    """
    folder = Path(tempfile.mkdtemp(prefix="chaos-")).resolve()
    try:
        tasks = list(_tasks(campaign, seed, folder, lab or {}))
        with _running(tasks, folder) as lanes:
            results = _gather(campaign, lanes, say)
            failures = _ended(lanes, campaign.count - len(results), folder)
    finally:
        kill(leftovers(folder))  # of a lane that was killed: its panel, jobs on its servers
    for failure in failures:
        say(f"  {failure}")
    if failures or any(result["complaints"] for result in results):
        say(f"  look into {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return Outcome(campaign, results, failures)


def _tasks(campaign: Campaign, seed: str, folder: Path, lab: Mapping[str, Any]) -> Iterator[Task]:
    """Every victim is struck at every point about equally often, in an order that the seed gives."""
    victims, points = campaign.victims, campaign.points
    chosen = [
        (victims[number % len(victims)], points[(number + number // len(victims)) % len(points)])
        for number in range(campaign.count)
    ]
    Random(f"{seed} {campaign.name}").shuffle(chosen)
    lanes = min(campaign.lanes, campaign.count)
    for lane in range(lanes):
        numbers = range(lane, campaign.count, lanes)
        yield Task(
            seed=f"{seed} {campaign.name}",
            folder=str(folder / f"lane{lane}"),
            subnet=lane + 1,
            machines=campaign.machines,
            doubled=campaign.doubled,
            numbers=list(numbers),
            victims=[chosen[number][0] for number in numbers],
            points=[chosen[number][1] for number in numbers],
            lab=lab,
            env=campaign.env,
        )


@contextmanager
def _running(tasks: Sequence[Task], folder: Path) -> Iterator[list[subprocess.Popen[str]]]:
    lanes = []
    try:
        for number, task in enumerate(tasks):
            with (folder / f"lane{number}.log").open("w") as log:
                lane = subprocess.Popen(
                    [sys.executable, "-m", "chaos.process"],
                    cwd=ROOT,
                    env=_environment(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
            lanes.append(lane)
            assert lane.stdin is not None
            lane.stdin.write(json.dumps(asdict(task)) + "\n")
            lane.stdin.flush()
        yield lanes
    finally:
        for lane in lanes:
            _let_go(lane)


def _environment() -> dict[str, str]:
    """Without what would point a lane at another panel's database, broker or settings."""
    ours = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PANEL_HOME", "PORT")
    return {name: value for name, value in os.environ.items() if name not in ours}


def _let_go(lane: subprocess.Popen[str]) -> None:
    """Its input is closed: it takes its panel down and ends."""
    assert lane.stdin is not None
    with suppress(OSError):
        lane.stdin.close()
    try:
        lane.wait(60)
    except subprocess.TimeoutExpired:
        lane.kill()
        lane.wait()
    assert lane.stdout is not None
    lane.stdout.close()


def _gather(
    campaign: Campaign, lanes: Sequence[subprocess.Popen[str]], say: Say
) -> list[Mapping[str, Any]]:
    lines: queue.Queue[str | None] = queue.Queue()
    for lane in lanes:
        threading.Thread(target=_read, args=(lane, lines), daemon=True).start()
    longest = -(-campaign.count // len(lanes))
    deadline = time.monotonic() + START_S + TRIAL_S * longest
    results: list[Mapping[str, Any]] = []
    ended = 0
    while ended < len(lanes):
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        if line is None:
            ended += 1
            continue
        results.append(json.loads(line))
        _progress(campaign, results, say)
    return results


def _read(lane: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert lane.stdout is not None
    with suppress(ValueError):  # closed while it is read: the time was over
        for line in lane.stdout:
            lines.put(line)
    lines.put(None)


def _progress(campaign: Campaign, results: Sequence[Mapping[str, Any]], say: Say) -> None:
    """A line for every ten, and one for each that is not as it must be."""
    newest = results[-1]
    which = (
        f"trial {newest['number']}, {newest['victim']} at {newest['point']}, run {newest['run']}"
    )
    for kind, text in newest["complaints"]:
        say(f"  {which}: {kind}: {text}")
    if newest["complaints"]:
        say(f"  {which} itself says: {newest['sentence']}")
    if len(results) % 10 == 0 or len(results) == campaign.count:
        bad = sum(bool(result["complaints"]) for result in results)
        say(f"  {time.strftime('%H:%M:%S')} {len(results)} of {campaign.count}, {bad} not well")


def _ended(lanes: Sequence[subprocess.Popen[str]], missing: int, folder: Path) -> list[str]:
    if not missing:
        return []
    found = [f"{missing} trials were not done"]
    for number, lane in enumerate(lanes):
        log = (folder / f"lane{number}.log").read_text().strip()
        if log or lane.poll() is None:
            found.append(f"lane {number}: {log[-3000:] or 'its time was over'}")
    return found
