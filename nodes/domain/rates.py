"""What two observations say together: fractions, rates, remaining times. Pure; None: not known."""

from __future__ import annotations

from collections.abc import Sequence

from nodes.domain.observation import NodeFacts, Sample, Transfer, Unknown
from nodes.domain.verdict import Progress
from nodes.domain.view import DONOR, View

PAUSE_WINDOW_S = 60.0  # flow control is judged over a minute
HEAL_STUCK_S = 900.0  # the self-heal daemon looks every 600 s; then something stands in its way
RATE_WINDOW_S = 30.0


def between(older: float | None, newer: float | None, seconds: float) -> float | None:
    """Growth a second of a counter; None when it went back (restart, FLUSH STATUS) or is unknown."""
    if older is None or newer is None or seconds <= 0 or newer < older:
        return None
    return (newer - older) / seconds


def paused_fraction(samples: Sequence[Sample]) -> float | None:
    """Part of the last minute, 0 to 1, that flow control held the node back.

    Needs two samples at least ten seconds apart within the window.
    """
    counted = [s for s in samples if s.paused_ns is not None]
    if len(counted) < 2:
        return None
    last = counted[-1]
    recent = [s for s in counted if s.at >= last.at - PAUSE_WINDOW_S]
    first = recent[0]
    if last.at - first.at < 10:
        return None
    rate = between(first.paused_ns, last.paused_ns, last.at - first.at)
    return None if rate is None else min(1.0, rate / 1e9)


def heal_is_stuck(samples: Sequence[Sample]) -> bool:
    """Entries wait all the time, and not fewer than at the beginning. Certain, or False.

    Every sample of the window must have a count, and they must reach back far enough.
    """
    if not samples:
        return False
    last = samples[-1]
    window = [s for s in samples if s.at >= last.at - HEAL_STUCK_S]
    counts = [s.heal_pending for s in window]
    if len(counts) < 3 or window[0].at > last.at - HEAL_STUCK_S * 0.9 or None in counts:
        return False
    known = [count for count in counts if count is not None]
    return min(known) > 0 and known[-1] >= known[0]


def transfers(view: View) -> tuple[Progress, ...]:
    """State transfers under way, one for each joiner."""
    running = [node for node in view.nodes if node.mysqld_running is not False]
    joiners = [node for node in running if _role(node) == "joiner"]  # no left-over marker
    return tuple(_progress(view, node) for node in joiners)


def _role(node: NodeFacts) -> str:
    return node.transfer.role if isinstance(node.transfer, Transfer) else ""


def _progress(view: View, joiner: NodeFacts) -> Progress:
    transfer = joiner.transfer
    assert isinstance(transfer, Transfer)
    donor = _donor(view)
    if transfer.kind == "IST":
        return _ist(joiner.host, donor, transfer, _newest_change(view))
    rate = growth(view.samples(joiner.host), joiner.taken_at, transfer.bytes)
    total = _total(view, donor)
    left = None if total is None or transfer.bytes is None else max(0, total - transfer.bytes)
    return Progress(
        kind=transfer.kind,
        joiner=joiner.host,
        donor=donor,
        method=transfer.method,
        done=transfer.bytes,
        total=total,
        rate=rate,
        remaining_s=left / rate if left is not None and rate else None,
    )


def _donor(view: View) -> str:
    """The server that says so itself: its script runs, or its state is Donor. "" nobody."""
    running = [node.host for node in view.nodes if _role(node) == "donor"]
    donors = [member.host for member in view.galera if member.local_state == DONOR]
    return next(iter([*running, *donors]), "")


def _total(view: View, donor: str) -> int | None:
    transfer = view.node(donor).transfer if donor else None
    return None if isinstance(transfer, Unknown) or transfer is None else transfer.bytes


def _newest_change(view: View) -> int | None:
    """The number of the last change that any member of the cluster has applied."""
    told = [member.raw("wsrep_last_committed") for member in view.primary]
    return max((int(number) for number in told if number.isdecimal()), default=None)


def _ist(joiner: str, donor: str, transfer: Transfer, last: int | None) -> Progress:
    if transfer.first is None or transfer.current is None or last is None:
        return Progress("IST", joiner, donor)
    done, total = transfer.current - transfer.first, last - transfer.first
    return Progress("IST", joiner, donor, done=max(0, done), total=max(0, total))


def growth(samples: Sequence[Sample], at: float, size: int | None) -> float | None:
    """Bytes a second that a joiner's data directory grew by, over the last half minute."""
    older = [s for s in samples if s.transfer_bytes is not None and at - s.at >= 2]
    recent = [s for s in older if at - s.at <= RATE_WINDOW_S] or older[-1:]
    if not recent:
        return None
    return between(recent[0].transfer_bytes, size, at - recent[0].at)
