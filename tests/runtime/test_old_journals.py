"""Output is compressed and reads as before; old output is removed, and everybody is told."""

from __future__ import annotations

import hashlib
import random
import zlib
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from nodes.models import Cluster
from operations import log_search, retention, selectors
from operations.body import _ZLIB, _ZSTD
from operations.holder import not_resumable
from operations.models import JournalChunk, Run
from operations.runtime import journal, lines
from tests.runtime.conftest import HOLDS, make_run, step
from tests.web.made import made_cluster

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(days=1000)


@pytest.fixture(autouse=True)
def _limits(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.JOURNAL_KEEP_D = 0.0
    monkeypatch.setattr(selectors, "PROOFS", {"holds": HOLDS})


@pytest.fixture
def page() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("maria"))
    return client


def output() -> list[bytes]:
    """Text, long lines, carriage returns, bytes that are no text, and our own mark."""
    noise = random.Random(4).randbytes(5000)
    text = b"".join(b"line %d of rsync: needle %d\n" % (i, i % 7) for i in range(4000))
    buffer = lines.LineBuffer()
    rows = buffer.feed(text + b"x" * 300_000 + b"\r\n" + noise) + buffer.drain()
    return [*rows, _ZSTD + b"not ours\n", _ZLIB + b"nor this\n", b"end"]


def ended(name: str, *, state: str = "succeeded", ago: timedelta = LONG_AGO) -> Run:
    """A run that printed `output()` between two events."""
    made_cluster(name)
    run = make_run(step("one", "node1", "true"), name=name)
    Run.objects.filter(pk=run.pk).update(fence=1, state="running")
    journal.append_event(run_id=run.pk, fence=1, event={"type": "run", "state": "running"})
    journal.append_output(run_id=run.pk, fence=1, step="one", attempt=1, chunks=output())
    journal.append_event(run_id=run.pk, fence=1, event={"type": "run", "state": state})
    run.steps.update(state="succeeded", attempt=1)
    Run.objects.filter(pk=run.pk).update(state=state, ended_at=timezone.now() - ago)
    return Run.objects.get(pk=run.pk)


def stored_bytes(run: Run) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(length(body)) FROM operations_journalchunk WHERE run_id = %s", [run.pk]
        )
        return int(cursor.fetchone()[0])


def sha256(run: Run) -> str:
    return hashlib.sha256(b"".join(journal.log_bytes(run.pk, "one", 1))).hexdigest()


def everything(run: Run) -> tuple[object, ...]:
    return (
        sha256(run),
        journal.read(run.pk, limit=100_000),
        journal.read(run.pk, after=2345, limit=7),
        log_search.containing(Run.objects.get(pk=run.pk), "needle 3"),
    )


def test_compressed_output_reads_searches_and_downloads_as_printed(page: Client) -> None:
    run, whole = ended("site"), b"".join(output())
    assert stored_bytes(run) < len(whole) / 3
    assert sha256(run) == hashlib.sha256(whole).hexdigest()
    read = [line.data for line in journal.read(run.pk, limit=100_000) if line.kind == "output"]
    assert b"".join(read) == whole
    places = [n for n, line in enumerate(read, 2) if b"needle 3" in line]
    assert log_search.containing(run, "needle 3").numbers == places
    assert whole.decode(errors="replace") in _downloaded(page, run)


def _downloaded(page: Client, run: Run) -> str:
    return b"".join(page.get(f"/runs/{run.pk}/log.txt?step=one")).decode(errors="replace")


def test_a_row_that_looks_compressed_and_is_not_comes_back_as_it_was() -> None:
    run = ended("site")
    bodies = {row.body for row in JournalChunk.objects.filter(run=run)}
    assert {_ZSTD + b"not ours\n", _ZLIB + b"nor this\n"} <= bodies


def test_rows_that_an_earlier_version_compressed_are_read() -> None:
    run = ended("site")
    before = sha256(run)
    for row in JournalChunk.objects.filter(run=run):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE operations_journalchunk SET body = %s WHERE id = %s",
                [_ZLIB + zlib.compress(row.body), row.pk],
            )
    assert sha256(run) == before


def test_removed_output_is_gone_and_the_steps_and_events_stay(
    settings: Settings, page: Client
) -> None:
    settings.JOURNAL_KEEP_D = 365.0
    run = ended("old")
    assert list(retention.tidy().removed) == [run.pk]
    left = journal.read(run.pk)
    assert [line.number for line in left] == [1, 2, 3]
    assert [line.event["type"] for line in left] == ["run", "run", "removed"]
    assert journal.last_line(run.pk) == 3
    said = (
        f"The output of this run was removed on {timezone.now():%Y-%m-%d} after 365 days (setting"
        " JOURNAL_KEEP_D); its steps and results are kept."
    )
    run = Run.objects.select_related("cluster").get(pk=run.pk)
    assert selectors.run_snapshot(run)["log_removed"] == said
    assert said in page.get(f"/runs/{run.pk}/").content.decode()
    download = page.get(f"/runs/{run.pk}/log.txt")
    assert (download.status_code, download.content.decode()) == (410, f"{said}\n")
    assert retention.tidy().removed == {}


def test_a_removal_that_was_interrupted_is_gone_on_with(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOURNAL_KEEP_D = 365.0
    monkeypatch.setattr(retention, "_PIECE_ROWS", 1)
    run = ended("old")
    assert not retention.tidy(seconds=0).done
    assert Run.objects.get(pk=run.pk).log_removed
    assert not_resumable(Run.objects.get(pk=run.pk))
    assert JournalChunk.objects.filter(run=run, kind="output").exists()
    assert retention.tidy().done
    assert [line.number for line in journal.read(run.pk)] == [1, 2, 3]


@pytest.mark.parametrize("state", ["running", "waiting", "failed", "interrupted", "cancelled"])
def test_a_run_that_may_go_on_keeps_everything(settings: Settings, state: str) -> None:
    settings.JOURNAL_KEEP_D = 365.0
    run = ended("old", state=state)
    before = everything(run)
    assert not retention.tidy().removed
    assert everything(run) == before


def test_a_failed_run_is_old_once_another_followed_it(settings: Settings) -> None:
    settings.JOURNAL_KEEP_D = 365.0
    failed = ended("old", state="failed")
    Run.objects.create(
        cluster=Cluster.objects.get(name="old"), plan_json=failed.plan_json, plan_hash="-"
    )
    assert list(retention.tidy().removed) == [failed.pk]
    refusal = not_resumable(Run.objects.get(pk=failed.pk))
    assert refusal
    assert "its output was removed" in str(refusal.why)


def test_young_runs_and_the_setting_0_change_nothing(settings: Settings) -> None:
    old = ended("old")
    assert retention.tidy().removed == {}
    settings.JOURNAL_KEEP_D = 365.0
    ended("young", ago=timedelta(days=364))
    assert list(retention.tidy().removed) == [old.pk]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases see to it themselves")
def test_the_file_shrinks_when_output_is_removed(settings: Settings) -> None:
    def size() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            return int(cursor.fetchone()[0])

    settings.JOURNAL_KEEP_D = 365.0
    retention.tidy()
    for number in range(3):
        ended(f"old {number}")
    full = size()
    done = retention.tidy()
    assert done.freed_bytes > 30_000
    assert size() <= full - done.freed_bytes


def test_the_command_does_it_now_and_says_what_it_did(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.JOURNAL_KEEP_D = 365.0
    removed = ended("old")
    call_command("journal_tidy")
    said = capsys.readouterr().out
    assert f"run {removed.pk}: output removed" in said
    assert "1 runs older than 365 days removed" in said
