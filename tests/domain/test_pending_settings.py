"""Settings that wait for a node: every way it can stand, and that nothing starts on the unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nodes.domain.observation import EnvFacts, NodeFacts, Unknown
from nodes.domain.text import say
from operations.domain.pending import Fate, fate
from tests.fakes.facts import SETTINGS, node, silent

OTHER = EnvFacts(True, "", {**SETTINGS.as_env(), "GALERA_PEER_HOSTS": "n9"})
BACK = node("n3", env=OTHER)


def judged(**changes: Any) -> Fate:
    given: dict[str, Any] = {
        "shown": (4, ""),
        "now": (4, ""),
        "settings": SETTINGS,
        "node": BACK,
        "may_run": True,
        "busy": False,
        "tried_s_ago": None,
    }
    return fate(**{**given, **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Fate.START),
        ({"tried_s_ago": 300.0}, Fate.START),
        ({"tried_s_ago": 10.0}, Fate.WAIT),
        ({"busy": True}, Fate.WAIT),
        ({"node": None}, Fate.WAIT),
        ({"node": silent("n3")}, Fate.WAIT),
        ({"node": node("n3", env=Unknown(say("?")))}, Fate.WAIT),
        ({"node": node("n3")}, Fate.DONE),
        ({"node": node("n3"), "busy": True, "may_run": False}, Fate.DONE),
        ({"now": (5, "")}, Fate.SUPERSEDED),
        ({"now": (5, ""), "node": node("n3")}, Fate.SUPERSEDED),
        ({"now": (4, "reboot")}, Fate.SUPERSEDED),  # another command than the one that was shown
        ({"may_run": False}, Fate.ORPHANED),
        ({"may_run": False, "node": silent("n3")}, Fate.ORPHANED),
        ({"node": node("n3", env=EnvFacts(False))}, Fate.START),  # the planner says what is missing
    ],
)
def test_the_fate_of(changes: dict[str, Any], expected: Fate) -> None:
    assert judged(**changes) is expected


def test_a_file_that_was_not_read_is_not_taken_for_equal() -> None:
    unread: NodeFacts = replace(BACK, env=Unknown(say("No such directory.")))
    assert judged(node=unread) is Fate.WAIT
