"""Figures for Prometheus, in its text format. For whoever is signed in or has a token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.contrib.auth.decorators import login_not_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from clusterpanel.api import signed_in
from clusterpanel.people.rules import Forbidden
from nodes.models import Observation
from operations.domain.machine import RunState
from operations.models import Backup, Run

Sample = tuple[Mapping[str, str], float]


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    try:
        known = signed_in(request)
    except Forbidden as error:  # a token for one cluster, and the figures are of all
        return HttpResponse(f"{error}\n", status=403, content_type="text/plain; charset=utf-8")
    if known is None:
        return HttpResponse(
            "a token is needed\n", status=401, content_type="text/plain; charset=utf-8"
        )
    parts = [
        _metric("clusterpanel_runs", "Runs by state.", _runs()),
        _metric("clusterpanel_observation_age_seconds", "Since the node answered.", _ages()),
        _metric("clusterpanel_backup_age_seconds", "Since the newest was verified.", _backups()),
    ]
    return HttpResponse("".join(parts), content_type="text/plain; version=0.0.4; charset=utf-8")


def _metric(name: str, help_text: str, samples: Iterable[Sample]) -> str:
    lines = [f"# HELP {name} {help_text}", f"# TYPE {name} gauge"]
    lines += [f"{name}{{{_labels(labels)}}} {value:g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _runs() -> list[Sample]:
    rows = Run.objects.order_by().values_list("state").annotate(count=Count("pk"))
    counts = {str(state): count for state, count in rows}
    return [({"state": str(state)}, counts.get(str(state), 0)) for state in RunState]


def _ages() -> list[Sample]:
    now = timezone.now()
    rows = Observation.objects.select_related("cluster").defer("facts")
    return [
        ({"cluster": row.cluster.name, "node": row.host}, (now - row.taken_at).total_seconds())
        for row in rows
    ]


def _backups() -> list[Sample]:
    now, newest = timezone.now(), {}
    for backup in Backup.objects.select_related("cluster").order_by("verified_at"):
        newest[backup.cluster.name, backup.kind] = (now - backup.verified_at).total_seconds()
    return [({"cluster": name, "kind": kind}, age) for (name, kind), age in newest.items()]
