"""What the pages of runs share."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from clusterpanel.templatetags.panel import say, tone
from nodes.domain.refusal import Refused
from operations.domain.machine import ACTIVE, RunState, StepState
from operations.models import Run
from operations.templatetags.runs import short_word


def person(request: HttpRequest) -> User:
    """Who asks; every page here needs a signed-in person, so there always is one."""
    assert isinstance(request.user, User)
    return request.user


def run_or_404(run_id: str) -> Run:
    return get_object_or_404(Run.objects.select_related("cluster", "started_by"), pk=run_id)


def is_active(state: str) -> bool:
    return state in ACTIVE


def tell_refusals(request: HttpRequest, refused: Refused) -> None:
    """Refusals of a small action (cancel, continue) as messages above the page."""
    for refusal in refused.refusals:
        messages.error(request, f"{say(refusal.why)} {say(refusal.fix)}".strip())


def state_words() -> dict[str, tuple[str, str]]:
    """For the scripts: each state's tone and its word in the reader's language."""
    return {str(s): (tone(s), short_word(str(s))) for s in (*StepState, *RunState)}


def plural_forms(sentence: Callable[[int], str]) -> dict[str, str]:
    """The forms that Intl.PluralRules names, for a sentence that a script fills in later."""
    one, few, many = (sentence(n) for n in (1, 2, 5))
    return {"one": one, "few": few, "many": many, "other": many}
