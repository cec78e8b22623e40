"""What becomes of settings that wait for a node which was away when they were written."""

from __future__ import annotations

from enum import StrEnum

from nodes.domain.find_settings import drifted
from nodes.domain.observation import EnvFacts, NodeFacts
from nodes.domain.peers import PeerSettings

RETRY_S = 300.0  # a node that comes and goes is not written to at every beat


class Fate(StrEnum):
    WAIT = "wait"
    START = "start"
    DONE = "done"  # the node's file reads as it should, whoever wrote it
    SUPERSEDED = "superseded"  # other settings were saved since
    ORPHANED = "orphaned"  # the person in whose name it would run may do nothing any more


def fate(
    *,
    shown: tuple[int, str],
    now: tuple[int, str],
    settings: PeerSettings,
    node: NodeFacts | None,
    may_run: bool,
    busy: bool,
    tried_s_ago: float | None,
) -> Fate:
    """`shown` and `now`: revision and apply command, as the person saw them and as they are; `settings`
    are those of now. `may_run`: the author still has an active account.

    Unknown is not equal and not different: nothing starts on it (law 9).
    """
    if shown != now:
        return Fate.SUPERSEDED
    known = node is not None and node.ssh is True and isinstance(node.env, EnvFacts)
    if node is not None and known and _equal(node, settings):
        return Fate.DONE
    if not may_run:
        return Fate.ORPHANED
    tired = tried_s_ago is not None and tried_s_ago < RETRY_S
    return Fate.WAIT if not known or busy or tired else Fate.START


def _equal(node: NodeFacts, settings: PeerSettings) -> bool:
    assert isinstance(node.env, EnvFacts)
    return node.env.present and not drifted(node, settings)
