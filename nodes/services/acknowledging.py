"""Findings that somebody knows of. They stay on the page, quieter, with who said so and why."""

from __future__ import annotations

import time

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from clusterpanel import audit
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs, of_the_panel
from nodes import summary
from nodes.announcing import SEEN
from nodes.domain.observation import ClusterFacts
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import say
from nodes.domain.verdict import Finding
from nodes.models import Acknowledgement, Cluster
from nodes.services.clusters import who

NOTE_MAX = 1000


@needs(Role.OPERATOR)
def finding_acknowledge(*, cluster: Cluster, finding: str, note: str, by: User) -> Acknowledgement:
    """Raises Refused: `finding_gone` when it is not there now, `note_too_long`,
    `already_acknowledged`."""
    found = _finding_now(cluster, finding)
    if len(note) > NOTE_MAX:
        raise Refused(_too_long())
    told = {"finding": found.id, "what": str(found.what), "note": note.strip()}
    try:
        with transaction.atomic():
            made = cluster.acknowledgements.create(
                finding=found.id, node=found.node, note=note.strip(), who=who(by)
            )
            _record(by, "finding_acknowledge", cluster, told)
    except IntegrityError:  # somebody else did it in this very moment
        raise Refused(_already()) from None
    SEEN.announce(str(cluster.pk))
    return made


@needs(Role.OPERATOR)
def acknowledgement_take_back(*, cluster: Cluster, finding: str, by: User) -> None:
    """Nothing happens when it ended meanwhile."""
    with transaction.atomic():
        if cluster.acknowledgements.filter(finding=finding, ended_at=None).update(
            ended_at=timezone.now()
        ):
            _record(by, "acknowledgement_take_back", cluster, {"finding": finding})
    SEEN.announce(str(cluster.pk))


@of_the_panel
def acknowledgements_settle(*, cluster: Cluster) -> None:
    """End those whose finding is certainly gone: it is not found in an answer of its server, or of
    all servers when it concerns the cluster. A server that is silent ends nothing."""
    open_ones = list(cluster.acknowledgements.filter(ended_at=None))
    if not open_ones:
        return
    seen = summary.of(cluster, time.time())
    if seen.facts is None or seen.verdict.stale:
        return
    there = {finding.id for finding in seen.verdict.findings}
    gone = [a.pk for a in open_ones if a.finding not in there and _answered(seen.facts, a.node)]
    cluster.acknowledgements.filter(pk__in=gone).update(ended_at=timezone.now())


def _answered(facts: ClusterFacts, host: str) -> bool:
    asked = [node for node in facts.nodes if host in ("", node.host)]
    return all(node.ssh is True for node in asked)


def _finding_now(cluster: Cluster, id: str) -> Finding:
    findings = summary.of(cluster, time.time()).verdict.findings
    found = next((finding for finding in findings if finding.id == id), None)
    if found is None:
        raise Refused(
            Refusal(
                "finding_gone",
                say("This is not found any more."),
                say("Look at the dashboard again; there may be nothing left to acknowledge."),
            )
        )
    return found


def _too_long() -> Refusal:
    return Refusal(
        "note_too_long",
        say("The note has more than %(limit)s characters.", limit=NOTE_MAX),
        say("Shorten it, or keep the long story elsewhere and name the place."),
    )


def _already() -> Refusal:
    return Refusal(
        "already_acknowledged",
        say("Somebody has acknowledged this already."),
        say("Look at the dashboard: who and when stands there."),
    )


def _record(by: User, action: str, cluster: Cluster, detail: dict[str, str]) -> None:
    audit.record(who=who(by), action=action, subject=cluster.name, detail=detail)
