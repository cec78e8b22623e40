"""The header strip, and what only the pages of `nodes` need."""

from __future__ import annotations

import time
from typing import Any

from django import template
from django.utils.translation import gettext

from nodes import selectors, summary
from nodes.models import Cluster

register = template.Library()


@register.simple_tag
def clusters() -> list[Cluster]:
    return list(selectors.clusters())


@register.inclusion_tag("components/strip.html")
def strip(cluster: Cluster) -> dict[str, Any]:
    return {"cluster": cluster, "summary": summary.of(cluster, time.time())}


@register.filter
def lasting(seconds: float | None) -> str:
    """A stretch of time in its largest unit: it changes seldom, so a live part does not either."""
    if seconds is None:
        return ""
    if seconds < 60:
        return gettext("less than a minute")
    if seconds < 2 * 3600:
        return gettext("%s min") % int(seconds // 60)
    if seconds < 2 * 86400:
        return gettext("%s h") % int(seconds // 3600)
    return gettext("%s d") % int(seconds // 86400)


@register.filter
def add_to(value: float, more: float) -> float:
    """`add`, also for fractions."""
    return round(value + float(more), 1)
