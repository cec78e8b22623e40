"""Old output is removed after JOURNAL_KEEP_D days; what was done stays.

A run that goes on, or that may be gone on with, keeps everything. All in small pieces: SQLite has one writer, and a run must not wait for us.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Length
from django.utils import timezone

from nodes.domain.text import say
from operations.domain.machine import ACTIVE, RESUMABLE
from operations.models import JournalChunk, Run
from operations.runtime import journal
from operations.runtime.journal import OUTPUT

log = logging.getLogger(__name__)
_PIECE_BYTES, _PIECE_ROWS = 4 * 1024 * 1024, 500
_PIECE_PAGES = 1000
_TURN_S = 0.02  # between two pieces: SQLite keeps no queue, a waiting writer needs a gap


@dataclass
class Tidied:
    """What was done. `removed`: run -> bytes it took in the database."""

    removed: dict[str, int] = field(default_factory=dict)
    freed_bytes: int = 0  # given back to the file system
    done: bool = True  # False: the time was over, the rest is for the next call


def tidy(*, seconds: float = math.inf) -> Tidied:
    """Do what is due, for about so long."""
    until = time.monotonic() + seconds
    report = Tidied()
    for pieces in (_remove_due(report), _shrink(report)):
        for _ in pieces:
            if time.monotonic() > until:
                report.done = False
                return report
            time.sleep(_TURN_S)
    return report


def _ended_before(days: float) -> QuerySet[Run]:
    """Runs that are over for longer than that and cannot go on."""
    if days <= 0:
        return Run.objects.none()
    later = Run.objects.filter(cluster=OuterRef("cluster")).order_by("-created_at")
    may_go_on = Q(state__in=RESUMABLE, pk=Subquery(later.values("pk")[:1]))
    ended = Run.objects.exclude(state__in=ACTIVE).exclude(may_go_on)
    return ended.filter(ended_at__lt=timezone.now() - timedelta(days=days)).order_by("ended_at")


def _output(run_id: Any) -> QuerySet[JournalChunk]:
    return JournalChunk.objects.filter(run=run_id, kind=OUTPUT).order_by("first_line")


# Removing


def _remove_due(report: Tidied) -> Iterator[None]:
    days = settings.JOURNAL_KEEP_D
    for run in _ended_before(days).filter(Exists(_output(OuterRef("pk")))):
        yield from _remove(run, days, report.removed)


def _remove(run: Run, days: float, removed: dict[str, int]) -> Iterator[None]:
    """First it is said, then it is done: whoever looks meanwhile learns why lines are missing."""
    sentence = say(
        "The output of this run was removed on %(date)s after %(days)s days (setting"
        " JOURNAL_KEEP_D); its steps and results are kept.",
        date=f"{timezone.now():%Y-%m-%d}",
        days=f"{days:g}",
    ).to_json()
    same = Run.objects.filter(pk=run.pk, state=run.state)
    same.filter(log_removed__isnull=True).update(log_removed=sentence)
    while _remove_piece(run.pk, removed):
        yield
    log.info("run %s: its output was removed after %g days", run.pk, days)


def _remove_piece(run_id: str, removed: dict[str, int]) -> bool:
    """Remove some rows; with the last of them the events move together. False when it is done."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run_id)
        if run.state in ACTIVE or run.log_removed is None:
            return False
        piece = _piece(run_id)
        JournalChunk.objects.filter(pk__in=piece).delete()
        removed[run_id] = removed.get(run_id, 0) + sum(piece.values())
        if _output(run_id).exists():
            return True
        _close_ranks(run)
    return False


def _piece(run_id: str) -> dict[int, int]:
    """Rows of output to remove next, with their sizes."""
    sizes = _output(run_id).annotate(size=Length("body")).values_list("pk", "size")
    found: dict[int, int] = {}
    for key, size in sizes[:_PIECE_ROWS]:
        found[key] = size
        if sum(found.values()) >= _PIECE_BYTES:
            break
    return found


def _close_ranks(run: Run) -> None:
    """Numbers have no gap, whoever reads a journal counts on it: the events are numbered anew."""
    events = JournalChunk.objects.filter(run=run).order_by("first_line")
    keys = list(events.values_list("pk", flat=True))
    for number, key in enumerate(keys, 1):
        JournalChunk.objects.filter(pk=key).update(first_line=number)
    Run.objects.filter(pk=run.pk).update(next_line=len(keys) + 1)
    said: Mapping[str, object] = {"type": "removed", "text": run.log_removed}
    journal.append_event(run_id=run.pk, fence=None, event=said)


# Giving space back


def _shrink(report: Tidied) -> Iterator[None]:
    """SQLite keeps freed pages for itself until it is told; other databases see to it themselves."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    page_bytes, free = _pragma("page_size"), _pragma("freelist_count")
    while free:
        with connection.cursor() as cursor:  # as a script: `execute` would free a single page
            cursor.executescript(f"PRAGMA incremental_vacuum({_PIECE_PAGES})")
        before, free = free, _pragma("freelist_count")
        if (
            free >= before
        ):  # the file was made before it could shrink: its free pages are used again
            return
        report.freed_bytes += page_bytes * (before - free)
        yield


def _pragma(what: str) -> int:
    with connection.cursor() as cursor:
        row = cursor.execute(f"PRAGMA {what}").fetchall()
    return row[0][0] if row else 0
