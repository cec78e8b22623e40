"""Reading the audit: filtered, exported, verified. For administrators."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from clusterpanel import audit, audit_anchor
from clusterpanel.models import AuditEntry
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs
from clusterpanel.plain import one_line

COLUMNS = ("id", "at", "who", "action", "subject", "detail", "previous", "digest")


@dataclass(frozen=True)
class Wanted:
    """A filter; what is empty does not count. `text` is looked for in subject and detail."""

    who: str = ""
    action: str = ""
    text: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Verified:
    """`broken_at`: the id of the first entry that does not follow; `lost`: the digest that the anchor
    names and no entry has; `anchored` False: there is no anchor to compare with."""

    count: int
    newest: str
    broken_at: int | None
    lost: str | None
    anchored: bool

    @property
    def intact(self) -> bool:
        return self.broken_at is None and self.lost is None


@needs(Role.ADMINISTRATOR)
def entries(
    *, by: User | None, wanted: Wanted = Wanted(), before: int | None = None
) -> QuerySet[AuditEntry]:
    """Newest first; `before` is the id of the oldest that is known already."""
    found = AuditEntry.objects.order_by("-id")
    found = found.filter(pk__lt=before) if before is not None else found
    found = found.filter(who=wanted.who) if wanted.who else found
    found = found.filter(action=wanted.action) if wanted.action else found
    found = found.filter(at__date__gte=wanted.since) if wanted.since else found
    found = found.filter(at__date__lte=wanted.until) if wanted.until else found
    if wanted.text:
        found = found.filter(Q(subject__icontains=wanted.text) | Q(detail__icontains=wanted.text))
    return found


@needs(Role.ADMINISTRATOR)
def choices(*, by: User | None) -> dict[str, list[str]]:
    """Everybody and every kind of act that the audit knows."""
    return {
        name: sorted(AuditEntry.objects.order_by().values_list(name, flat=True).distinct())
        for name in ("who", "action")
    }


@needs(Role.ADMINISTRATOR)
def verified(*, by: User | None) -> Verified:
    newest = AuditEntry.objects.order_by("-id").first()
    anchor = audit_anchor.read()
    return Verified(
        count=AuditEntry.objects.count(),
        newest=newest.digest if newest else audit.GENESIS,
        broken_at=audit.verify(),
        lost=anchor.digest if anchor and not anchor.holds else None,
        anchored=anchor is not None or newest is None,
    )


@needs(Role.ADMINISTRATOR)
def exported(*, by: User | None, wanted: Wanted = Wanted(), as_csv: bool = False) -> Iterator[str]:
    """Oldest first, one line each: JSON with all that is needed to verify it elsewhere, or CSV."""
    found = entries(by=by, wanted=wanted).order_by("id")
    who = by.get_username() if by else "console"
    audit.record(who=who, action="audit.export", detail={"csv": as_csv, "filter": str(wanted)})
    rows = (plain(entry) | {"previous": entry.previous} for entry in found.iterator())
    return _csv(rows) if as_csv else (json.dumps(row, default=_text) + "\n" for row in rows)


def plain(entry: AuditEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in COLUMNS if name != "previous"}


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _csv(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield _line(COLUMNS)
    for row in rows:
        told = {
            **row,
            "detail": json.dumps(row["detail"], ensure_ascii=False),
            "at": _text(row["at"]),
        }
        yield _line([_harmless(str(told[name])) for name in COLUMNS])


def _harmless(cell: str) -> str:
    """A spreadsheet must not take a name that somebody typed for a formula, nor a terminal for orders."""
    shown = one_line(cell)
    return f"'{shown}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else shown


def _line(cells: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
