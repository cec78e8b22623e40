"""How times and steps of a run are written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from clusterpanel.templatetags.panel import say, word
from operations import fences
from operations.domain.plan import Plan
from operations.plain_text import strip_escapes

register = template.Library()


@register.filter
def duration(seconds: float | None) -> str:
    """0:07, 3:12, 1:03:12; nothing for None. `static/js/run/time.js` writes the same."""
    if seconds is None:
        return ""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


@register.filter
def moment(iso: str | datetime | None) -> datetime | None:
    """The time of a snapshot's string, in the zone of the panel."""
    parsed = iso if isinstance(iso, datetime) else parse_datetime(iso or "")
    return timezone.localtime(parsed) if parsed else None


@register.filter
def took(step: Mapping[str, Any]) -> str:
    """How long a step that ended took."""
    start, end = moment(step["started_at"]), moment(step["ended_at"])
    return duration((end - start).total_seconds()) if start and end else ""


@register.filter
def lasted(run: Any) -> str:
    """The same of a run's row."""
    if not (run.started_at and run.ended_at):
        return ""
    return duration((run.ended_at - run.started_at).total_seconds())


@register.filter
def so_far(run: Any, now: datetime) -> str:
    """How long a run has been going on; a script makes it tick."""
    return duration((now - run.started_at).total_seconds())


@register.filter
def short_word(state: str) -> str:
    """The word of a state where there is little room: in a cell of the matrix."""
    words = {
        "succeeded": gettext("Done"),
        "verifying": gettext("Checking"),
        "skipped": gettext("Was done"),
    }
    return words.get(state) or word(state)


@register.filter
def named(step: Mapping[str, Any]) -> str:
    """The step's title, which always says on which node."""
    if step["node"] in step["title"]:
        return str(step["title"])
    return gettext("%(step)s on %(node)s") % {"step": step["title"], "node": step["node"]}


@register.filter
def step_title(plan: Plan, key: str) -> str:
    """The title of a step of a stored plan, in the reader's language."""
    return say(plan.step(key).title)


@register.filter
def plain(line: str) -> str:
    """A line of output without colours and other escapes, for places that only show text."""
    return strip_escapes(line)


@register.inclusion_tag("operations/fences.html")
def pending_fences() -> dict[str, Any]:
    """Open fences of every cluster: whoever uses the panel is to see them. There is hardly ever one,
    so what belongs to it is read when it is told."""
    return {"fences": fences.open_fences().select_related(None)}
