"""The texts that shells on the servers read are the product's own: settings only ever stand behind
them, as arguments; what belongs to the panel's books is told to nobody."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from nodes import services
from nodes.domain.refusal import Refused
from nodes.models import Cluster, SettingsRevision
from operations.domain.plan import Plan
from operations.domain.planners import PLANNERS
from operations.models import ShownPlan
from operations.services import plan_preview
from tests.api.premises import Premises
from tests.fakes.recorded import HOSTS
from tests.hostile.conftest import Asked

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(900)]

CANARY = "canary'\"`$(id)`"


def test_settings_are_in_no_script_and_books_in_nothing(premises: Premises, asked: Asked) -> None:
    SettingsRevision.objects.filter(cluster=premises.site).update(why=CANARY)
    found = []
    for place in ("/srv/one.place", "/srv/another.place"):
        Cluster.objects.filter(pk=premises.site.pk).update(app_dir=place, name=CANARY)
        ShownPlan.objects.all().delete()
        asked.commands.clear()
        everything(Cluster.objects.get(pk=premises.site.pk))
        words = [*asked.words(), *(word for argv in planned() for word in argv)]
        assert any(place in word for word in words)
        assert [word for word in words if CANARY in word] == []
        scripts = {*asked.scripts(), *(argv[2] for argv in planned() if argv[:2] == ("sh", "-c"))}
        assert [script for script in scripts if place in script or CANARY in script] == []
        found.append(scripts)
    assert found[0] == found[1]
    assert len(found[0]) > 5


def everything(site: Cluster) -> None:
    """All that is asked without a run, and the plan of each procedure that can be planned now."""
    services.observe(cluster=site)
    services.raw_answers(cluster=site, host=HOSTS[0], by=None)
    services.checks_run(cluster=site, by=None)
    some: list[dict[str, Any]] = [{}, {"node": HOSTS[1]}, {"primary": HOSTS[1]}, {"force": True}]
    some.append({"kind": "database", "node": HOSTS[0], "path": "/a.gz"})
    for procedure in PLANNERS:
        for params in some:
            with suppress(Refused):
                plan_preview(cluster=site, procedure=procedure, params=params)


def planned() -> list[tuple[str, ...]]:
    plans = [Plan.from_json(row.plan_json) for row in ShownPlan.objects.all()]
    return [step.argv for plan in plans for step in plan.steps]
