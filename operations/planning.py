"""A plan of now: the settings, a look at the nodes at this moment, and the procedure's planner.

An older look would refuse what a person has just put right, or plan what a run has just done.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import Text, say
from nodes.models import Cluster
from nodes.services import observe
from operations.domain import fencing
from operations.domain.difference import differences
from operations.domain.plan import Plan
from operations.domain.planners import DATABASES_ONLY, PLANNERS, TRACED
from operations.models import ShownPlan
from operations.situations import situation_of, with_traces

SHOWN_FOR = timedelta(days=2)


def plan_now(*, cluster: Cluster, procedure: str, params: Mapping[str, Any]) -> Plan:
    """Raises Refused with the planner's refusal, or for a procedure that does not exist."""
    planner = PLANNERS.get(procedure)
    if planner is None:
        why = say("There is no procedure “%(name)s”.", name=procedure)
        fix = say("Known ones: %(names)s.", names=", ".join(sorted(PLANNERS)))
        raise Refused(Refusal("procedure_unknown", why, fix, field="procedure"))
    if cluster.adopting:
        why = say("%(name)s is being adopted; nothing is planned for it yet.", name=cluster.name)
        raise Refused(Refusal("adopting", why, say("Finish the adoption first.")))
    seen = observe(
        cluster=cluster, storage_age_s=_storage_age_s(procedure), quick=procedure in TRACED
    )
    situation = situation_of(cluster, params, seen)
    if procedure in TRACED:
        situation = with_traces(cluster, situation)
    answer = planner(situation)
    if isinstance(answer, Refusal):
        raise Refused(answer)
    here = fencing.answering(situation.facts)
    if refusal := fencing.in_the_way(procedure, answer.nodes, situation.fences, here):
        raise Refused(refusal)
    return answer


def _storage_age_s(procedure: str) -> float:
    """A stopped database does not wait for glusterd, which is slow and waits for others: what its own
    beat heard is young enough to say whether the storage needs steps, and their proofs ask anew."""
    if procedure not in TRACED:
        return 0
    return math.inf if procedure in DATABASES_ONLY else 2 * settings.GLUSTER_EVERY_S


def remember(cluster: Cluster, plan: Plan) -> None:
    """Keep what was shown, so that a later difference can be named."""
    now = timezone.now()
    ShownPlan.objects.filter(shown_at__lt=now - SHOWN_FOR).delete()
    ShownPlan.objects.update_or_create(
        cluster=cluster,
        hash=plan.hash,
        defaults={"plan_json": plan.to_json(), "shown_at": now},
    )


def require_shown(cluster: Cluster, plan: Plan, shown_hash: str) -> None:
    """Raises Refused `plan_changed` with the differences when another plan was shown (law 2)."""
    if plan.hash == shown_hash:
        return
    found = [str(text) for text in _since(cluster, plan, shown_hash)]
    why = say("The plan is no longer the one that was shown: %(what)s", what=" ".join(found))
    fix = say("Read the new plan and start that one.")
    evidence = {"differences": found, "shown": shown_hash, "now": plan.hash}
    raise Refused(Refusal("plan_changed", why, fix, evidence, field="plan_hash"))


def _since(cluster: Cluster, plan: Plan, shown_hash: str) -> list[Text]:
    shown = ShownPlan.objects.filter(cluster=cluster, hash=shown_hash).first()
    if shown is None:
        return [say("A plan with this hash was not shown for this cluster.")]
    before = Plan.from_json(shown.plan_json)
    if before.procedure != plan.procedure:
        return [say("It was the plan of another procedure: %(title)s.", title=before.title)]
    return differences(before, plan)
