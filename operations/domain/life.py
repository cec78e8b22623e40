"""What a run's life consists of: states, events that can happen, effects to be performed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StepState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    VERIFYING = "verifying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class RunState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


ACTIVE = frozenset({RunState.WAITING, RunState.RUNNING})
RESUMABLE = frozenset({RunState.FAILED, RunState.CANCELLED, RunState.INTERRUPTED})


class WhenUnproven(StrEnum):
    """What a proof that does not hold means for the step."""

    FAIL = "fail"  # the job ran to its end: the step failed
    RUN = "run"  # resumed, effect unknown until now: not there, so run it
    UNKNOWN = "unknown"  # the job vanished: nobody knows what it left behind
    AGAIN = "again"  # it was proven before a resume: what was there is no longer there, a failure


@dataclass(frozen=True)
class StepLife:
    """One step now. `attempt` counts the jobs started for it, from 1; 0 means none yet.

    Steps of one `group` are at work at the same time; "" is a step that has its turn alone.
    """

    key: str
    state: StepState = StepState.PENDING
    attempt: int = 0
    when_unproven: WhenUnproven = WhenUnproven.FAIL
    group: str = ""

    @property
    def in_flight(self) -> bool:
        """A job of it may be at work, or has just ended; several steps are only within one group."""
        again = self.when_unproven is WhenUnproven.AGAIN
        return self.state is StepState.RUNNING or (self.state is StepState.VERIFYING and not again)


@dataclass(frozen=True)
class Life:
    """A run now: its state, its steps in plan order, and whether somebody asked to cancel it."""

    state: RunState
    steps: tuple[StepLife, ...]
    cancelling: bool = False


# Events


@dataclass(frozen=True)
class Claimed:
    """A worker holds the run's lease and asks what to do."""


@dataclass(frozen=True)
class JobEnded:
    """The job left an exit code."""

    step: str
    exit_code: int


@dataclass(frozen=True)
class JobVanished:
    """No exit code and no process: the node was rebooted, or the job was killed from outside."""

    step: str


@dataclass(frozen=True)
class NotStarted:
    """It is certain that the step's job never began (a precondition failed, the node refused)."""

    step: str


@dataclass(frozen=True)
class Proven:
    """The step's check read the effect from the node."""

    step: str


@dataclass(frozen=True)
class Unproven:
    """The step's check did not find the effect within its time."""

    step: str


@dataclass(frozen=True)
class CancelAsked:
    """A person asked to cancel the run."""


@dataclass(frozen=True)
class JobStopped:
    """The job's whole process group was stopped, and it was proven that nothing is left."""

    step: str


@dataclass(frozen=True)
class Resumed:
    """A person asked to go on with a run that had ended without success.

    `moments`: finished steps that are not proven again, because their proof told of a moment.
    """

    moments: frozenset[str] = frozenset()


@dataclass(frozen=True)
class NodeLost:
    """The node does not answer for so long that the worker gives up waiting for it."""

    step: str


Event = (
    Claimed
    | JobEnded
    | JobVanished
    | NotStarted
    | Proven
    | Unproven
    | CancelAsked
    | JobStopped
    | Resumed
    | NodeLost
)


# Effects


@dataclass(frozen=True)
class Begin:
    """Start the step's job `attempt`, or attach to it if its directory is already on the node.

    `only_attach`: resumed; if it is not there it has vanished, and must not start out of its turn.
    """

    step: str
    attempt: int
    only_attach: bool = False


@dataclass(frozen=True)
class Prove:
    """Poll the step's proof until it holds or its time is over."""

    step: str


@dataclass(frozen=True)
class Stop:
    """Stop the step's job with everything it started."""

    step: str
    attempt: int


@dataclass(frozen=True)
class End:
    """The run is over: release the locks on the nodes and the lease."""

    state: RunState


Effect = Begin | Prove | Stop | End
