"""The small vocabulary that every page is written in: sentences, icons, states."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.defaultfilters import date
from django.templatetags.static import static
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as word_of

from clusterpanel.people.roles import Role, missing
from clusterpanel.words import translated
from nodes.domain.text import Text

register = template.Library()

_TYPED = re.compile("`([^`]+)`")

# Each name of a state in the product -> the tone it is shown in, and its word.
_STATES = {
    "ok": ("ok", word_of("OK")),
    "warning": ("attention", word_of("Warning")),
    "failed": ("failed", word_of("Failed")),
    "unknown": ("unknown", word_of("Unknown")),
    "waiting": ("waiting", word_of("Waiting")),
    "pending": ("waiting", word_of("Waiting")),
    "running": ("working", word_of("Running")),
    "verifying": ("working", word_of("Verifying")),
    "succeeded": ("ok", word_of("Succeeded")),
    "cancelled": ("cancelled", word_of("Cancelled")),
    "skipped": ("skipped", word_of("Already done")),
    "interrupted": ("attention", word_of("Interrupted")),
    "healthy": ("ok", word_of("Healthy")),
    "busy": ("working", word_of("Busy")),
    "degraded": ("attention", word_of("Degraded")),
    "flow_controlled": ("attention", word_of("Slowed down")),
    "non_primary": ("failed", word_of("No quorum")),
    "split_brain": ("failed", word_of("Split brain")),
    "full_stop": ("failed", word_of("Full stop")),
    "down": ("failed", word_of("Down")),
    "recovering": ("working", word_of("Recovering")),
    "not_installed": ("waiting", word_of("Not installed")),
    "new": ("needs", word_of("New")),
    "trusted": ("ok", word_of("Trusted")),
    "changed": ("failed", word_of("Changed")),
    "unreachable": ("unknown", word_of("No answer")),
    "done": ("ok", word_of("Done")),
    "needs": ("needs", word_of("Needs you")),
    "working": ("working", word_of("Working")),
    "attention": ("attention", word_of("Attention")),
}


def _name(state: object) -> str:
    return str(state).replace(" ", "_").replace("-", "_")


@register.filter
def say(text: Text | Mapping[str, Any] | str | None) -> str:
    """A domain sentence in the reader's language; also from the JSON that is stored of it."""
    return text if isinstance(text, str) else translated(text) or ""


@register.filter
def commands(text: Text | None) -> list[str]:
    """The parts of a sentence that are to be typed: what stands between backquotes."""
    return _TYPED.findall(say(text))


@register.filter
def marked(text: Text | None) -> SafeString:
    """A sentence whose backquoted parts are shown as code."""
    return mark_safe(_TYPED.sub(r"<code>\1</code>", escape(say(text))))


@register.filter
def when(moment: datetime | None) -> str:
    """Date and time as an admin writes them in any language: no a.m., no month as a number."""
    return date(localtime(moment), "j M Y, H:i") if moment else ""


@register.filter
def get(mapping: Mapping[str, Any] | None, key: str) -> Any:
    """`{{ problems|get:"name" }}`: a value by its key, nothing when it is absent."""
    return mapping.get(key) if mapping else None


@register.filter
def tone(state: object) -> str:
    """`is-<tone>` is the CSS class, `<tone>` the icon; an unheard-of state is unknown, never OK."""
    return _STATES.get(_name(state), ("unknown", ""))[0]


@register.filter
def word(state: object) -> str:
    """The word that stands beside the icon of a state."""
    known = _STATES.get(_name(state))
    return gettext(known[1]) if known else str(state)


@register.inclusion_tag("components/simulated.html")
def simulated_notice() -> dict[str, bool]:
    """A tag, not a context: the page for a mistake of the panel has no context."""
    return {"simulated": bool(settings.SIMULATED_NODES)}


@register.simple_tag
@lru_cache(maxsize=256)  # a dashboard has sixty
def icon(name: str, css: str = "") -> SafeString:
    """One symbol of `img/icons.svg`; decoration only, so the words must stand beside it."""
    return format_html(
        '<svg class="icon icon-{} {}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        name,
        css,
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def state(name: object, label: str = "") -> SafeString:
    """Icon and word: `{% state "ok" _("Synced") %}` or `{% state run.state %}`."""
    return _shown("state", name, label)


@register.simple_tag
def pill(name: object, label: str = "") -> SafeString:
    """The same as a pill with the state's colour behind it."""
    return _shown("pill", name, label)


@register.simple_tag(takes_context=True)
def only(context: template.Context, role: str) -> SafeString:
    """Attributes of a button that needs a role: switched off, with the reason, when it is missing."""
    if reason := _missing_role(context, role):
        return format_html('disabled data-blocked title="{}"', reason)
    return mark_safe("")


@register.simple_tag(takes_context=True)
def only_reason(context: template.Context, role: str) -> SafeString:
    """The same reason in words, to stand beside the button."""
    if reason := _missing_role(context, role):
        return format_html(
            '<span class="state small">{}<span>{}</span></span>', icon("lock"), reason
        )
    return mark_safe("")


def _missing_role(context: template.Context, role: str) -> str:
    # A part that is drawn for everybody has no such button.
    have: Role = getattr(context.get("request"), "panel_role", Role.ADMINISTRATOR)
    return "" if have.may_as(Role(role)) else translated(missing(have, Role(role)).why) or ""


def _shown(css: str, name: object, label: str) -> SafeString:
    return format_html(
        '<span class="{} is-{}">{}<span class="state-word">{}</span></span>',
        css,
        tone(name),
        icon(tone(name)),
        label or word(name),
    )
