"""The audit: a chain that shows where somebody touched it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from clusterpanel import audit
from clusterpanel.models import AuditEntry

# The product has no way to change an entry; whoever has the database has.
BY_SQL: QuerySet[AuditEntry] = QuerySet(AuditEntry)

pytestmark = pytest.mark.django_db


def fill(count: int = 4) -> list[int]:
    return [
        audit.record(who="ann", action="run_start", subject=f"c{n}", detail={"n": n, "é": [1.5]}).pk
        for n in range(count)
    ]


def test_an_untouched_chain_verifies() -> None:
    assert audit.verify() is None
    fill()
    assert audit.verify() is None


@pytest.mark.parametrize(
    "change",
    [
        {"who": "bob"},
        {"detail": {"n": 9}},
        {"subject": ""},
        {"action": "x"},
        {"at": "2020-01-01T00:00Z"},
    ],
)
def test_a_changed_entry_is_named(change: dict[str, Any]) -> None:
    ids = fill()
    BY_SQL.filter(pk=ids[1]).update(**change)
    assert audit.verify() == ids[1]


def test_a_removed_entry_is_noticed_at_the_next() -> None:
    ids = fill()
    BY_SQL.filter(pk=ids[1]).delete()
    assert audit.verify() == ids[2]


def test_what_was_rolled_back_is_not_told() -> None:
    fill(1)
    with transaction.atomic():
        audit.record(who="ann", action="settings_save")
        transaction.set_rollback(True)
    assert AuditEntry.objects.count() == 1
    assert audit.verify() is None


def test_what_json_cannot_hold_is_written_as_text() -> None:
    entry = audit.record(who="ann", action="a", detail={"path": pytest})
    entry.refresh_from_db()
    assert "pytest" in entry.detail["path"]
    assert audit.verify() is None


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_make_one_chain() -> None:
    def write() -> None:
        fill(5)
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert AuditEntry.objects.count() == 20
    assert audit.verify() is None
