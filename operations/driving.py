"""What the executor of a real run is connected to."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from clusterpanel.audit import record
from nodes.domain.text import Text
from nodes.services import target_for
from nodes.transport.base import Transport
from nodes.transport.pool import transport_for
from operations import gates, inputs, services
from operations.domain.proofs import PROOFS
from operations.models import Run
from operations.runtime import hub
from operations.runtime.ports import Ports


def ports_for(run: Run) -> Ports:
    """How to reach the nodes is read once: settings that change meanwhile do not touch a run."""
    hosts = _hosts(run)
    targets = {host: target_for(run.cluster, host) for host in (*hosts, *run.plan.nodes)}

    def transport(host: str) -> Transport:
        return transport_for(targets[host])

    return Ports(
        panel=settings.PANEL_NAME or socket.gethostname(),
        hosts=hosts,
        transport=transport,
        proof=lambda proof: PROOFS[proof.name],
        gate=gates.check_step,
        record=services.record_effect,
        stdin=inputs.provide,
        notify=hub.notify,
        patience_s=settings.NODE_PATIENCE_S,
        took_over=_record_takeover,
        ended=_record_end,
        abandoned_after_s=_abandoned_after_s(),
    )


def _abandoned_after_s() -> int:
    """Longer than we ourselves wait for a silent node: until then the run may go on."""
    return int(max(900, 1.5 * settings.NODE_PATIENCE_S))


def _hosts(run: Run) -> tuple[str, ...]:
    """All hosts of the settings that the plan was made from."""
    revisions = run.cluster.revisions.filter(number=run.plan.settings_revision)
    return next((revision.peers.hosts for revision in revisions), run.plan.nodes)


def _record_takeover(run: Run, node: str, words: Mapping[str, Any]) -> None:
    """A lock that another panel left on `node` is ours now (law 14)."""
    who = run.started_by.get_username() if run.started_by else ""
    detail = {"run": run.pk, "node": node, **words}
    record(who=who, action="lock.taken_over", subject=f"node {node}", detail=detail)


def _record_end(run: Run, state: str, sentence: Text | None) -> None:
    """How it ended and why, a changed host key for example (laws 12 and 14)."""
    why = {"sentence": str(sentence)} if sentence else {}
    detail = {"cluster": run.cluster.name, "procedure": run.procedure, "state": str(state), **why}
    record(who="panel", action="run.end", subject=f"run {run.pk}", detail=detail)
