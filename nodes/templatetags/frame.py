"""The header strip."""

from __future__ import annotations

import time
from typing import Any

from django import template

from nodes import selectors, summary
from nodes.models import Cluster

register = template.Library()


@register.simple_tag
def clusters() -> list[Cluster]:
    return list(selectors.clusters())


@register.inclusion_tag("components/strip.html")
def strip(cluster: Cluster) -> dict[str, Any]:
    return {"cluster": cluster, "summary": summary.of(cluster, time.time())}
