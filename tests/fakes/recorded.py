"""What real nodes said, state by state: three Debian 12 nodes with MariaDB 10.11 and GlusterFS 10.3.

Each file begins with a line that names the command, the versions and the state; the rest is the
output as it came. A connection to "node1" answers with what node 1 said.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from nodes.domain.observation import ClusterFacts
from nodes.domain.parse_sections import Section, sections
from nodes.domain.peers import PeerSettings
from nodes.domain.text import say
from nodes.probes import gluster
from nodes.probes.check_script import CHECK
from nodes.probes.gluster_script import GLUSTER_OWN, GLUSTER_POOL
from nodes.probes.script import BEAT, MARK
from nodes.probes.sweep import Connect, Sweep
from nodes.transport.base import Target, TransportError, Unreachable
from tests.fakes.scripted import Answer, ScriptedTransport

ROOT = Path(__file__).parent.parent / "fixtures" / "nodes"
HOSTS = ("10.77.2.11", "10.77.2.12", "10.77.2.13")
SETTINGS = PeerSettings(HOSTS, HOSTS, HOSTS[0])
STATES = sorted(path.name for path in ROOT.iterdir())


def text(state: str, host: str, kind: str) -> str:
    """kind: beat, gluster, pool, check."""
    whole = (ROOT / state / f"node{host[-1]}.{kind}.txt").read_text()
    return whole.split("\n", 1)[1]


def parts(state: str, host: str, kind: str) -> dict[str, Section]:
    return sections(text(state, host, kind), MARK)


def away(host: str) -> TransportError:
    return Unreachable(say("%(host)s did not answer.", host=host), say("Switch it on."))


def said(state: str, host: str, kind: str) -> Answer:
    """The record as if it were said now: a clock is the one thing that a record cannot keep."""
    whole = text(state, host, kind)
    return lambda _: re.sub(r"(?m)(-- clock(?:_end)?\n)[0-9.]+", rf"\g<1>{time.time():.6f}", whole)


def transport(state: str, target: Target) -> ScriptedTransport:
    answers: dict[str, Answer] = {}
    for piece, kind in (
        (BEAT, "beat"),
        (GLUSTER_OWN, "gluster"),
        (GLUSTER_POOL, "pool"),
        (CHECK, "check"),
    ):
        there = (ROOT / state / f"node{target.host[-1]}.{kind}.txt").exists()
        answers[piece] = said(state, target.host, kind) if there else away(target.host)
    return ScriptedTransport(target, answers)


def connect(state: str) -> Connect:
    return lambda target: transport(state, target)


def targets() -> tuple[Target, ...]:
    return tuple(Target(host, 22, "root") for host in HOSTS)


def sweep(state: str) -> ClusterFacts:
    facts = Sweep(targets(), "/var/www/html/dpiui2").run(connect(state))
    return gluster.whole(connect(state), facts, targets(), 30)
