"""The audit as a page, and as a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_POST, require_safe

from clusterpanel import audit_log
from clusterpanel.audit_log import Wanted
from clusterpanel.models import AuditEntry
from clusterpanel.typed import number_in

PAGE = 50


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    by, wanted = _person(request), _wanted(request.GET)
    number = number_in(request.GET.get("before", ""))
    found = list(audit_log.entries(by=by, wanted=wanted, before=number)[: PAGE + 1])
    context = {
        "entries": [_shown(entry) for entry in found[:PAGE]],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "newest_page": number is None,
        "wanted": wanted,
        "query": _query(request.GET),
        "choices": audit_log.choices(by=by),
        "verified": audit_log.verified(by=by) if "verify" in request.GET else None,
    }
    return render(request, "audit.html", context)


@require_POST
def export(request: HttpRequest) -> HttpResponse:
    """POST: it is an act, and is in the audit itself."""
    as_csv = request.POST.get("format") == "csv"
    lines = audit_log.exported(by=_person(request), wanted=_wanted(request.POST), as_csv=as_csv)
    kind, end = ("text/csv", "csv") if as_csv else ("application/jsonl", "jsonl")
    answer = HttpResponse("".join(lines), content_type=f"{kind}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="audit-{date.today():%F}.{end}"'
    return answer


def _wanted(data: QueryDict) -> Wanted:
    words = {name: data.get(name, "").strip()[:200] for name in ("who", "action", "text")}
    return Wanted(**words, since=_day(data, "since"), until=_day(data, "until"))


def _day(data: Mapping[str, Any], name: str) -> date | None:
    """What is no date is no filter."""
    try:
        return parse_date(str(data.get(name, "")))
    except ValueError:
        return None


def _query(data: QueryDict) -> str:
    kept = data.copy()
    for name in ("before", "verify"):
        kept.pop(name, None)
    return kept.urlencode()


def _shown(entry: AuditEntry) -> dict[str, Any]:
    told = dict(entry.detail)
    origin = told.pop("from", {})
    detail = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) if told else ""
    return {"entry": entry, "detail": detail, "origin": origin}
