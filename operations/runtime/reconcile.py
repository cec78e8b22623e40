"""Runs that nobody drives: their worker died, or the message that should have started them is lost."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from operations.domain.machine import ACTIVE, RunState
from operations.models import Run

MESSAGE_S = 3.0  # a message to a worker may take so long


def abandoned() -> list[str]:
    """Ids of active runs to be offered to a worker again. Offering one too often does no harm."""
    expired = Q(lease_until__lt=Now())
    lost = Q(lease_until=None, created_at__lt=Now() - timedelta(seconds=MESSAGE_S))
    running = Q(state=RunState.RUNNING, lease_until=None)
    runs = Run.objects.filter(expired | lost | running, state__in=ACTIVE)
    return list(runs.values_list("pk", flat=True))
