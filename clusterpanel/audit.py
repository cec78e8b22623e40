"""Everything an admin did, in a chain of digests (law 14). Entries are only ever added.

Each digest covers the one before it, so a line that was changed, removed from the middle or
slipped in later breaks the chain at a place that `verify` names. What was removed from its end is
noticed by `audit_anchor`.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from clusterpanel import audit_anchor
from clusterpanel.models import AuditEntry

log = logging.getLogger(__name__)

GENESIS = "0" * 64
_ATTEMPTS = 20

# From where the person of this request asks, and with which token; empty for the panel itself.
_origin: ContextVar[dict[str, str] | None] = ContextVar("audit_origin", default=None)


def origin() -> dict[str, str]:
    return _origin.get() or {}


def begin(**words: str) -> None:
    """A door says who knocks: `address`, and `token` by its name."""
    _origin.set({**origin(), **words})


def end() -> None:
    _origin.set(None)


def record(
    *, who: str, action: str, subject: str = "", detail: Mapping[str, Any] | None = None
) -> AuditEntry:
    """Append one entry; part of the caller's transaction, so what failed is not said to have happened."""
    told = {**(detail or {}), **({"from": origin()} if origin() else {})}
    plain = json.loads(json.dumps(told, default=str))
    for _ in range(_ATTEMPTS - 1):
        try:
            return _append(who, action, subject, plain)
        except IntegrityError:  # another process added the same next link first
            continue
    return _append(who, action, subject, plain)


def verify() -> int | None:
    """The id of the first entry that does not follow from the one before it; None when all do."""
    previous = GENESIS
    for entry in AuditEntry.objects.order_by("id").iterator():
        if entry.previous != previous or entry.digest != _digest(entry):
            return int(entry.pk)
        previous = entry.digest
    return None


def _append(who: str, action: str, subject: str, detail: dict[str, Any]) -> AuditEntry:
    with transaction.atomic():
        last = AuditEntry.objects.select_for_update().order_by("-id").first()
        entry = AuditEntry(
            at=timezone.now(),
            who=who[:150],
            action=action[:60],
            subject=subject[:200],
            detail=detail,
            previous=last.digest if last else GENESIS,
        )
        entry.digest = _digest(entry)
        entry.save()
        transaction.on_commit(lambda: _committed(entry))
    return entry


def _committed(entry: AuditEntry) -> None:
    """A line for whoever collects logs on another machine, and the anchor beside the database."""
    log.info("audit %s %s %s %s %s", entry.pk, entry.who, entry.action, entry.subject, entry.digest)
    audit_anchor.advance(entry)


def _digest(entry: AuditEntry) -> str:
    content = {
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "who": entry.who,
        "action": entry.action,
        "subject": entry.subject,
        "detail": entry.detail,
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256((entry.previous + canonical).encode()).hexdigest()
