"""A lane in a process of its own: `python -m chaos.process`, its task as one JSON line on stdin.

Prints one JSON line for each trial. Ends, and takes everything down, when its task is done or when
its standard input is closed, so that a killed coordinator leaves nothing behind.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import threading
from pathlib import Path

import django

from chaos.rig import Rig
from chaos.task import Task


def work(task: Task) -> None:
    folder = Path(task.folder)
    (folder / "nodes").mkdir(parents=True)
    rig = Rig(folder, task.environment(), machines=task.machines)
    try:
        os.environ.update(rig.env)
        django.setup()
        _trials(task, rig)
    finally:
        rig.end()


def _trials(task: Task, rig: Rig) -> None:
    """Only now is it known which database the panel's models belong to."""
    from chaos.lane import Lane
    from chaos.sites import Lab, Simulated

    nodes = Path(task.folder) / "nodes" / "site"
    site = Lab(dict(task.lab)) if task.lab else Simulated.create(nodes, task.subnet)
    lane = Lane(task, rig, site)
    for number, victim, point in zip(task.numbers, task.victims, task.points, strict=True):
        result = lane.trial(number, victim, point)
        print(json.dumps(dataclasses.asdict(result)), flush=True)


def _end_with_stdin() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGINT)


def main() -> None:
    task = Task(**json.loads(sys.stdin.readline()))
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    work(task)


if __name__ == "__main__":
    main()
