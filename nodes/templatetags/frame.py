"""The header strip."""

from __future__ import annotations

import time
from typing import Any

from django import template

from nodes.models import Cluster

try:  # TEMPORARY until the parts being written now exist
    from nodes import selectors, summary
except ImportError:
    selectors = summary = None  # type: ignore[assignment]

register = template.Library()


@register.simple_tag
def clusters() -> list[Cluster]:
    return list(selectors.clusters() if selectors else Cluster.objects.all())


@register.inclusion_tag("components/strip.html")
def strip(cluster: Cluster) -> dict[str, Any]:
    return {"cluster": cluster, "summary": summary.of(cluster, time.time()) if summary else None}
