"""Runs the checks: the whole table, a row, a column or one cell."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs
from nodes.domain.check_judges import judge
from nodes.domain.checks import IDS, CheckAnswer, CheckFacts, Evidence
from nodes.domain.observation import Unknown
from nodes.domain.parse_checks import check_facts
from nodes.domain.parse_sections import sections
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import say
from nodes.models import CheckResult, Cluster
from nodes.probes.check_script import CHECK
from nodes.probes.script import MARK
from nodes.services.clusters import targets_for
from nodes.services.observing import observe
from nodes.transport import pool
from nodes.transport.base import Target, TransportError, script

TIMEOUT_S = 8.0


@needs(Role.OPERATOR)
def checks_run(
    *, cluster: Cluster, host: str = "", check_id: str = "", by: User | None = None
) -> list[CheckResult]:
    """Ask all servers now, and store the answers that were asked for, which are returned.

    `host` names a row, `check_id` a column; both together one cell, none the whole table. All
    servers are asked in any case, because most answers compare one with the others.
    """
    settings = cluster.revision.peers
    _known(host, settings.hosts, "host")
    _known(check_id, IDS, "check_id")
    targets = targets_for(cluster)
    with ThreadPoolExecutor(len(targets), "check") as workers:
        asked = {t.host: workers.submit(_ask, t, settings.hosts) for t in targets}
        facts = observe(cluster=cluster)
        checks = {name: future.result() for name, future in asked.items()}
    pinned = {target.host for target in targets if target.pinned_keys}
    answers = {
        (name, check): judge(
            check, Evidence(name, settings, facts, checks, cluster.app_dir, name in pinned)
        )
        for name in ([host] if host else settings.hosts)
        for check in ([check_id] if check_id else IDS)
    }
    return _store(cluster, answers)


def _known(value: str, known: Sequence[str], field: str) -> None:
    if value and value not in known:
        why = say("“%(value)s” is not in this table.", value=value[:100])
        raise Refused(Refusal("check_unknown", why, say("Load the page again."), field=field))


def _ask(target: Target, hosts: Sequence[str]) -> CheckFacts | Unknown:
    others = [host for host in hosts if host != target.host]
    command = script(CHECK, *others, "--", *hosts, timeout_s=TIMEOUT_S)
    try:
        output = pool.transport_for(target).run(command)
    except TransportError as error:
        return Unknown(error.why, fix=error.fix, code=error.code)
    return check_facts(sections(output.text, MARK))


def _store(cluster: Cluster, answers: dict[tuple[str, str], CheckAnswer]) -> list[CheckResult]:
    now = timezone.now()
    with transaction.atomic():
        return [
            CheckResult.objects.update_or_create(
                cluster=cluster, host=host, check_id=check_id, defaults=_values(answer, now)
            )[0]
            for (host, check_id), answer in answers.items()
        ]


def _values(answer: CheckAnswer, now: datetime) -> dict[str, Any]:
    return {
        "state": answer.state,
        "detail": answer.detail.to_json(),
        "fix": answer.fix.to_json() if answer.fix else None,
        "checked_at": now,
    }
