"""Is the audit whole? Exit code 1 when an entry was changed, removed or put in another order."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from clusterpanel import audit_log
from clusterpanel.models import AuditEntry


class Command(BaseCommand):
    help = "Verify the audit: every entry follows from the one before it, and none is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        about = "a digest that an earlier call printed: it must still be there"
        parser.add_argument("--expect", action="append", default=[], metavar="DIGEST", help=about)
        parser.add_argument("--export", choices=("jsonl", "csv"), help="print every entry instead")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["export"]:
            for line in audit_log.exported(by=None, as_csv=options["export"] == "csv"):
                self.stdout.write(line, ending="")
            return
        found = audit_log.verified(by=None)
        wrong = [*_wrong(found), *_gone(options["expect"])]
        if wrong:
            raise CommandError(" ".join(wrong))
        self.stdout.write(f"{found.count} entries, whole. The newest: {found.newest}")
        if not found.anchored:
            self.stdout.write(
                "The anchor file is not there: entries removed from the end would not be noticed."
            )


def _wrong(found: audit_log.Verified) -> list[str]:
    said = []
    if found.broken_at is not None:
        said.append(
            f"Entry {found.broken_at} does not follow from the one before it: it was changed, or"
            " entries before it were removed or put in another order."
        )
    if found.lost is not None:
        said.append(f"The newest entries are missing: nothing has the digest {found.lost}.")
    return said


def _gone(expected: list[str]) -> list[str]:
    known = set(AuditEntry.objects.filter(digest__in=expected).values_list("digest", flat=True))
    return [f"No entry has the digest {digest}." for digest in expected if digest not in known]
