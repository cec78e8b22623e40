"""Removes old output now, as the panel does by itself every ten minutes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from operations import retention


class Command(BaseCommand):
    help = "Remove the output of old runs (setting JOURNAL_KEEP_D) and say what was done."

    def handle(self, *args: Any, **options: Any) -> None:
        done = retention.tidy()
        for run, size in done.removed.items():
            self.stdout.write(f"run {run}: output removed ({_mb(size)})")
        self.stdout.write(
            f"{len(done.removed)} runs older than {settings.JOURNAL_KEEP_D:g} days removed,"
            f" the database file is {_mb(done.freed_bytes)} smaller."
        )


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
