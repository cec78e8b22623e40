"""When a lock on the nodes was left by a run that nobody drives any more. Pure.

Only what every node of that run says counts; a node that cannot be asked blocks (law 9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nodes.domain.text import Text, say


@dataclass(frozen=True)
class AtWork:
    """A job of the run is running on the node."""

    job: str


@dataclass(frozen=True)
class NoLock:
    """The run neither holds the node nor runs anything there."""


@dataclass(frozen=True)
class Locked:
    """The run holds the node. `silent_s` and `limit_s` None: an older panel made the lock.

    `silent_s` is how long ago the holder gave its last sign of life, by the node's own clock since
    its boot; `limit_s` is what the holder itself allows before it may be called gone.
    """

    silent_s: int | None
    limit_s: int | None
    beat: str = ""


@dataclass(frozen=True)
class NotAsked:
    """The node could not be asked."""

    why: Text


Sign = AtWork | NoLock | Locked | NotAsked


def why_not(signs: Mapping[str, Sign]) -> Text | None:
    """None: the lock is proven abandoned. Else the first reason to leave it alone."""
    for kind in (AtWork, Locked, NotAsked):
        for node, sign in signs.items():
            if isinstance(sign, kind) and (reason := _against(node, sign)) is not None:
                return reason
    held = any(isinstance(sign, Locked) for sign in signs.values())
    return None if held else say("It is not certain on which nodes it works.")


def _against(node: str, sign: Sign) -> Text | None:
    match sign:
        case AtWork(job):
            return say("Its job %(job)s is at work on %(node)s.", job=job, node=node)
        case Locked(silent_s, limit_s):
            return _too_fresh(node, silent_s, limit_s)
        case NotAsked(why):
            return say(
                "Whether it is gone cannot be proven: %(why)s If that panel no longer exists,"
                " remove /var/lib/clusterpanel/lock there.",
                why=why,
            )
    return None


def _too_fresh(node: str, silent_s: int | None, limit_s: int | None) -> Text | None:
    if silent_s is None or limit_s is None:
        return say(
            "Its lock carries no sign of life that could be read. If that panel no longer exists,"
            " remove /var/lib/clusterpanel/lock on %(node)s.",
            node=node,
        )
    if silent_s >= limit_s:
        return None
    return say(
        "Its last sign of life on %(node)s is %(silent)s s old; after %(limit)s s of silence on all"
        " of its nodes a new run takes over.",
        node=node,
        silent=silent_s,
        limit=limit_s,
    )


def silence(signs: Mapping[str, Sign]) -> int:
    """Seconds since the newest sign of life on any of the nodes."""
    heard = [s.silent_s for s in signs.values() if isinstance(s, Locked) and s.silent_s is not None]
    return min(heard, default=0)
