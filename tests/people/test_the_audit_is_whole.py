"""`verify_audit` finds every edited, removed and reordered entry, at the end too; export and page."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db.models import QuerySet
from django.test import Client

from clusterpanel import audit, audit_anchor
from clusterpanel.models import AuditEntry
from tests.people.made import person

pytestmark = pytest.mark.django_db(transaction=True)
BY_SQL: QuerySet[AuditEntry] = QuerySet(AuditEntry)


@pytest.fixture
def ids() -> list[int]:
    return [audit.record(who="ann", action="act", subject=f"s{n}").pk for n in range(6)]


def verify(*arguments: str) -> str:
    out = io.StringIO()
    call_command("verify_audit", *arguments, stdout=out)
    return out.getvalue()


def test_a_whole_one_says_how_many_and_the_newest(ids: list[int]) -> None:
    newest = AuditEntry.objects.get(pk=ids[-1]).digest
    assert verify() == f"6 entries, whole. The newest: {newest}\n"


def swap(ids: list[int]) -> None:
    """Two entries change places."""
    one, two = (AuditEntry.objects.get(pk=pk) for pk in ids[1:3])
    BY_SQL.filter(pk=one.pk).update(id=10_000)
    BY_SQL.filter(pk=two.pk).update(id=one.pk)
    BY_SQL.filter(pk=10_000).update(id=two.pk)


def rewrite(ids: list[int]) -> None:
    """All of it anew, with digests that follow from one another."""
    told = list(AuditEntry.objects.order_by("id").values("who", "action", "subject"))
    BY_SQL.all().delete()
    for entry in told:
        audit._append("bob", entry["action"], entry["subject"], {})


CRIMES: dict[str, Callable[[list[int]], object]] = {
    "edited": lambda ids: BY_SQL.filter(pk=ids[2]).update(who="bob"),
    "edited at the end": lambda ids: BY_SQL.filter(pk=ids[-1]).update(detail={"x": 1}),
    "removed in the middle": lambda ids: BY_SQL.filter(pk=ids[2]).delete(),
    "removed at the beginning": lambda ids: BY_SQL.filter(pk=ids[0]).delete(),
    "newest removed": lambda ids: BY_SQL.filter(pk=ids[-1]).delete(),
    "newest three removed": lambda ids: BY_SQL.filter(pk__in=ids[3:]).delete(),
    "all removed": lambda ids: BY_SQL.all().delete(),
    "reordered": swap,
    "written anew": rewrite,
}


@pytest.mark.parametrize("crime", CRIMES)
def test_it_is_found(crime: str, ids: list[int]) -> None:
    CRIMES[crime](ids)
    with pytest.raises(CommandError):
        verify()


@pytest.mark.parametrize("crime", CRIMES)
def test_it_is_still_found_after_new_entries(crime: str, ids: list[int]) -> None:
    CRIMES[crime](ids)
    for _ in range(3):
        audit.record(who="ann", action="act")
    with pytest.raises(CommandError):
        verify()


def test_a_digest_that_somebody_noted_elsewhere_is_looked_for(ids: list[int]) -> None:
    noted = AuditEntry.objects.get(pk=ids[3]).digest
    assert "whole" in verify("--expect", noted)
    with pytest.raises(CommandError, match="No entry has the digest"):
        verify("--expect", "0" * 64)


def test_a_missing_anchor_is_said_and_is_not_called_whole_at_the_end(ids: list[int]) -> None:
    audit_anchor.path().unlink()
    assert "would not be noticed" in verify()


@pytest.mark.parametrize(
    "act",
    [
        lambda: AuditEntry.objects.update(who="bob"),
        lambda: AuditEntry.objects.all().delete(),
        lambda: AuditEntry.objects.earliest("id").delete(),
        lambda: AuditEntry.objects.earliest("id").save(),
    ],
)
def test_the_product_itself_cannot_change_an_entry(
    ids: list[int], act: Callable[[], object]
) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011  whatever stops it
        act()
    assert "6 entries, whole" in verify()


def test_what_is_exported_can_be_verified_elsewhere(ids: list[int]) -> None:
    rows = [json.loads(line) for line in verify("--export", "jsonl").splitlines()]
    assert [row["id"] for row in rows[:-1]] == ids
    assert all(row["previous"] == before["digest"] for before, row in itertools.pairwise(rows))
    assert rows[-1]["action"] == "audit.export"  # which is an act as well
    table = list(csv.DictReader(io.StringIO(verify("--export", "csv"))))
    assert [row["digest"] for row in table[:-1]] == [row["digest"] for row in rows]


def test_the_page_filters_verifies_and_exports(ids: list[int]) -> None:
    client = Client()
    client.force_login(person("chief", "administrator"))
    audit.record(who="<script>", action="act", subject="=cmd()", detail={"note": "needle"})
    page = client.get("/audit/?text=needle").content.decode()
    assert "&lt;script&gt;" in page
    assert ">s3<" not in page
    assert "follow from one another" in client.get("/audit/?verify=1").content.decode()
    BY_SQL.filter(pk=ids[-1]).update(who="bob")
    assert "does not follow" in client.get("/audit/?verify=1").content.decode()
    told = client.post("/audit/export/", {"format": "csv", "text": "needle"}).content.decode()
    assert "'=cmd()" in told


@pytest.mark.parametrize("query", ["since=x", "until=2026-13-45", "before=abc", "before=9" * 3])
def test_a_senseless_filter_is_no_error(query: str) -> None:
    client = Client()
    client.force_login(person("chief", "administrator"))
    assert client.get(f"/audit/?{query}").status_code == 200
