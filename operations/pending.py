"""Settings that wait for a node: it gets them as soon as it answers (docs/adr/0015).

Who said so is the person who started the run that had to leave the node out: he confirmed the exact
lines in a gate of that plan. The later run is his, and the audit tells both.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from clusterpanel.audit import record
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import Forbidden, needs
from nodes import selectors
from nodes.domain import tally
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import Text, say
from nodes.models import Cluster
from operations import services
from operations.domain.pending import Fate, fate
from operations.holder import active_run
from operations.models import PendingSettings

log = logging.getLogger(__name__)


def clusters_that_wait() -> list[int]:
    waiting = PendingSettings.objects.filter(ended_at=None)
    return list(waiting.values_list("cluster_id", flat=True).distinct())


def deliver(cluster: Cluster) -> None:
    """Judge what waits by the newest facts. Starts at most one run: there is one at a time (law 1)."""
    facts, newest = selectors.latest_facts(cluster), cluster.revision
    for row in cluster.pending_settings.filter(ended_at=None).select_related("by"):
        found = fate(
            shown=(row.revision, row.apply_command),
            now=(newest.number, cluster.apply_command),
            settings=newest.peers,
            node=tally.node_of(facts, row.host),
            may_run=row.by is not None and row.by.is_active,
            busy=active_run(cluster) is not None,
            tried_s_ago=_age_s(row),
        )
        if found is Fate.START:
            _start(row)
        elif found is not Fate.WAIT:
            _end(row, _WORDS[found])


_WORDS = {
    Fate.DONE: say("The .env of the node reads as it should."),
    Fate.SUPERSEDED: say("The settings are others than those that were shown."),
    Fate.ORPHANED: say("The account of the person who asked for it is no longer active."),
}


def _age_s(row: PendingSettings) -> float | None:
    passed = timezone.now() - row.tried_at if row.tried_at else None
    return passed / timedelta(seconds=1) if passed is not None else None


def _start(row: PendingSettings) -> None:
    """The same doors as for a person: the plan, its hash, the start. A refusal is kept to be shown."""
    cluster, params = row.cluster, {"nodes": [row.host]}
    PendingSettings.objects.filter(pk=row.pk).update(tried_at=timezone.now())
    try:
        plan = services.plan_preview(cluster=cluster, procedure="apply_settings", params=params)
        run = services.run_start(
            cluster=cluster,
            procedure="apply_settings",
            params=params,
            plan_hash=plan.hash,
            confirmations={},
            by=row.by,
        )
    except (Refused, Forbidden) as refused:
        first = refused.refusal if isinstance(refused, Forbidden) else refused.first
        said = first.why.to_json()
        PendingSettings.objects.filter(pk=row.pk).update(said=said)
        log.info("settings for %s wait on: %s", row.host, refused)
        return
    detail = {"node": row.host, "revision": row.revision, "asked_in": row.run_id, "run": run.pk}
    record(who=_who(row.by), action="settings.delivered", subject=cluster.name, detail=detail)


def _end(row: PendingSettings, why: Text) -> None:
    now = timezone.now()
    PendingSettings.objects.filter(pk=row.pk, ended_at=None).update(
        ended_at=now, said=why.to_json()
    )


@needs(Role.OPERATOR)
def forget(*, cluster: Cluster, host: str, by: Any) -> None:
    """The node is not written to when it comes back. Raises Refused `nothing_waits`."""
    said = say("%(who)s took it back.", who=by.get_username())
    with transaction.atomic():
        rows = cluster.pending_settings.filter(host=host, ended_at=None)
        if not rows.update(ended_at=timezone.now(), said=said.to_json()):
            why = say("No settings wait for %(host)s.", host=host[:253])
            raise Refused(Refusal("nothing_waits", why, say("Nothing has to be taken back.")))
        detail = {"node": host}
        record(who=_who(by), action="settings.forgotten", subject=cluster.name, detail=detail)


def _who(by: Any) -> str:
    return str(by.get_username()) if by else "panel"
