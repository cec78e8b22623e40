"""The end of a recovery and of a start: whose background work goes on, read from every server.

A difference is said, with “apply settings” as what to do; nothing is written unasked (ADR 15).
"""

from __future__ import annotations

from collections.abc import Sequence

from nodes.domain.text import say
from operations.domain.plan import Proof, Stage, Step
from operations.domain.planners.common import step_key
from operations.domain.power import view_of
from operations.domain.proofs.primary import FENCED
from operations.domain.situation import Situation

_READ = r"""
grep -a -E "^[[:space:]]*(export[[:space:]]+)?(GALERA_PEER_HOSTS|CLUSTER_[A-Z_]*_HOSTS?)=" -- "$1"
:
"""


def stages(situation: Situation, work: Sequence[Stage] = ()) -> tuple[Stage, ...]:
    """`work` gives the background work back: before it, everybody must name the same primary."""
    named = _stage("named", situation, _named(situation)) if work else None
    agreed = _stage("agree", situation, _agreed(situation))
    return (*((named,) if named else ()), *work, agreed)


def _stage(key: str, situation: Situation, proof: Proof) -> Stage:
    host = _asked_first(situation)
    step = Step(
        key=step_key(situation, key, host),
        node=host,
        title=say("Read on every server whose background work goes on"),
        argv=("sh", "-c", _READ, "clusterpanel", situation.env_path),
        proof=proof,
        timeout_s=60,
        proof_timeout_s=30,
    )
    why = say(
        "Each server compares itself with its own .env: two that find themselves there do everything"
        " twice."
    )
    return Stage(key, say("One primary"), why, (step,))


def _named(situation: Situation) -> Proof:
    return Proof("primary_agreed", (situation.env_path, situation.primary, *_hosts(situation)))


def _agreed(situation: Situation) -> Proof:
    backend = situation.env_path.removesuffix("/.env")
    lines = (f"{key}={value}" for key, value in situation.settings.as_env().items())
    args = (backend, situation.workers.check, *lines, *_hosts(situation))
    return Proof("primary_consistent", args)


def _hosts(situation: Situation) -> tuple[str, ...]:
    """Whoever does not answer now need not answer then."""
    silent = [node.host for node in view_of(situation).nodes if node.ssh is not True]
    return tuple(h + FENCED if h in silent else h for h in situation.hosts)


def _asked_first(situation: Situation) -> str:
    reached = [node.host for node in view_of(situation).reached]
    return next(host for host in situation.hosts if host in reached)
