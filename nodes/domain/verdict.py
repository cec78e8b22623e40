"""What `assess` says: one state, one sentence, one next action, and everything that needs attention.

    verdict = assess(settings, facts, now)      nodes.domain.assess
    verdict.state, verdict.sentence, verdict.severity, verdict.tolerates
    verdict.action          Action | None       the one next thing to do
    verdict.findings        Finding…            worst first; the first one made the state
    verdict.transfers       Progress…           state transfers under way, with donor, bytes, rate

States: healthy; busy (all are members, data moves); flow_controlled (writes are held back);
degraded (it works with less reserve, or something endangers it); recovering (members come back);
non_primary, split_brain, full_stop; not_installed; unknown, which is neither well nor down.
"""

from __future__ import annotations

from dataclasses import dataclass

from nodes.domain.text import Text

# Worst first. Among findings of one severity the first state here is told.
STATES = (
    "split_brain",
    "full_stop",
    "non_primary",
    "not_installed",
    "recovering",
    "degraded",
    "unknown",
    "flow_controlled",
    "busy",
    "healthy",
)
SEVERITIES = ("critical", "warning", "notice")


@dataclass(frozen=True)
class Action:
    """One thing to do now. `text` is the whole sentence, in the imperative.

    `kind`: "procedure" (a procedure of the panel by its name in `procedure`), "command" (typed as
    root on `node`), "look" (a person must find something out), "wait".
    `command` is also given beside a procedure when one command does the same by hand.
    `allowed` False: it must not be done now, and `why` says what stands against it.
    `why` of an allowed action is what to know before.
    """

    kind: str
    text: Text
    procedure: str = ""
    command: str = ""
    node: str = ""
    allowed: bool = True
    why: Text | None = None
    service: str = ""  # of `node`, where the procedure is about one of several


@dataclass(frozen=True)
class Finding:
    """Something that needs attention.

    `id` is stable while the same thing is wrong ("brick_down:n3:/data/b"), so that it can be
    acknowledged. `what` is the sentence; `why` says what it means for the users and the data.
    `state` is what the cluster is if nothing worse was found.
    """

    id: str
    severity: str
    state: str
    what: Text
    why: Text
    action: Action
    node: str = ""  # "" concerns the whole cluster

    @property
    def fix(self) -> Text:
        return self.action.text

    @property
    def rank(self) -> tuple[int, int]:
        """Small is worse."""
        return SEVERITIES.index(self.severity), STATES.index(self.state)


@dataclass(frozen=True)
class Progress:
    """A state transfer under way. None: not known.

    SST: `total` is the bytes of the donor's data directory, `done` what the transfer has written at
    the joiner, or the bytes there where that is not told; IST: write sets. `rate` is per second,
    `remaining_s` seconds at this rate.
    """

    kind: str  # SST, IST
    joiner: str
    donor: str = ""  # "" unknown
    method: str = ""
    done: int | None = None
    total: int | None = None
    rate: float | None = None
    remaining_s: float | None = None

    @property
    def percent(self) -> int | None:
        if self.done is None or not self.total:
            return None
        return min(100, round(100 * self.done / self.total))


@dataclass(frozen=True)
class Verdict:
    """`galera_tolerates`, `gluster_tolerates`: how many more servers may crash before the database
    takes no writes, before the storage takes none; None: not known or not installed.
    `age_s`: seconds since the oldest answer. `stale`: too old to be taken for the present; then
    `state` is "unknown" and the sentence tells what was true.
    """

    state: str
    sentence: Text
    action: Action | None = None
    galera_tolerates: int | None = None
    gluster_tolerates: int | None = None
    findings: tuple[Finding, ...] = ()
    transfers: tuple[Progress, ...] = ()
    age_s: float | None = None
    stale: bool = False

    @property
    def tolerates(self) -> int | None:
        """Crashes that both layers survive, as far as they are known."""
        known = [n for n in (self.galera_tolerates, self.gluster_tolerates) if n is not None]
        return min(known, default=None)

    @property
    def severity(self) -> str:
        """Of the worst finding; "" when there is none."""
        return self.findings[0].severity if self.findings else ""
