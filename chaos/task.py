"""What a lane is told, and the words for whom it strikes and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VICTIMS = ("worker", "worker process", "web", "broker", "connections", "everything")
MACHINE = "machine"  # where there are two
CANCEL = "cancel"  # nothing is killed: a person asks to cancel

# Where in a run's life: before a worker claims it, between start and attach, while a job talks, while
# its proof is read, when it ends, or at any moment.
POINTS = ("claim", "start", "output", "proof", "end", "any")


@dataclass(frozen=True)
class Task:
    """What a lane shall do. `lab`: a lab's status, empty for simulated servers.

    `victims` and `points` are by trial; `numbers` name the trials, so that with `seed` each can be
    had again.
    """

    seed: str
    folder: str
    subnet: int
    machines: int
    doubled: bool
    numbers: Sequence[int]
    victims: Sequence[str]
    points: Sequence[str]
    lab: Mapping[str, Any]
    env: Mapping[str, str]

    def environment(self) -> Mapping[str, str]:
        """Of the panel and of the lane; everything else they have is the panel's own default.

        Simulated servers are looked at five times less often: it is this machine that answers.
        """
        settings = "chaos.settings" if self.doubled else "clusterpanel.settings"
        simulated = {"SIMULATED_NODES": f"{self.folder}/nodes", "OBSERVE_EVERY_S": "10"}
        chosen = {} if self.lab else simulated
        return {**chosen, **self.env, "DJANGO_SETTINGS_MODULE": settings}
