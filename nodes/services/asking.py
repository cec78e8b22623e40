"""One server's raw answers, on request: what every fact of it is read from."""

from __future__ import annotations

import time
from dataclasses import dataclass
from secrets import token_hex

from django.contrib.auth.models import User

from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs
from nodes.domain.page_url import of_host
from nodes.domain.parse_sections import Section, sections
from nodes.domain.refusal import Refusal, Refused
from nodes.models import Cluster
from nodes.probes.gluster_script import GLUSTER_OWN
from nodes.probes.script import BEAT, MARK
from nodes.services.clusters import target_for
from nodes.transport import pool
from nodes.transport.base import Command, TransportError, script

_TIMEOUT_S = 8.0
_LONGEST = 100_000  # characters of one answer that a page can show


@dataclass(frozen=True)
class RawAnswer:
    """One question's output as it came. `exit_code` None: the answer ended before it."""

    name: str
    text: str
    exit_code: int | None
    left_out: int = 0  # characters at the end that are not in `text`


@dataclass(frozen=True)
class RawAnswers:
    asked_at: float  # seconds since the epoch
    took_s: float
    answers: tuple[RawAnswer, ...]


@needs(Role.OPERATOR)
def raw_answers(*, cluster: Cluster, host: str, by: User | None = None) -> RawAnswers:
    """Ask now. glusterd is asked only for what takes no lock. Raises Refused when the server cannot
    be asked."""
    transport = pool.transport_for(target_for(cluster, host))
    began = time.time()
    found: dict[str, Section] = {}
    try:
        for command in (_beat(cluster, host), script(GLUSTER_OWN, timeout_s=_TIMEOUT_S)):
            found |= sections(transport.run(command).text, MARK)
    except TransportError as error:
        raise Refused(Refusal(error.code, error.why, error.fix)) from None
    answers = tuple(_shown(name, part) for name, part in found.items())
    return RawAnswers(began, time.time() - began, answers)


def _shown(name: str, part: Section) -> RawAnswer:
    left_out = max(0, len(part.text) - _LONGEST)
    return RawAnswer(name, part.text[:_LONGEST], part.exit_code, left_out)


def _beat(cluster: Cluster, host: str) -> Command:
    page_url = of_host(cluster.page_url, host)
    return script(
        BEAT, cluster.app_dir, token_hex(8), "", "all", "", page_url, timeout_s=_TIMEOUT_S
    )
