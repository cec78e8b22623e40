"""New keys for what is stored, without a stop: the old ones are accepted until they are dropped."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from clusterpanel import audit, keys, stored_secrets


class Command(BaseCommand):
    help = (
        "Make a new key, encrypt every stored secret with it, keep the old keys for reading;"
        " --drop-old removes those that nothing needs any more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--drop-old", action="store_true")

    def handle(self, *_: Any, **options: Any) -> None:
        if lost := stored_secrets.unreadable():
            raise CommandError(f"No key opens {', '.join(lost)}. Put the old key back first.")
        given = bool(settings.FIELD_KEYS)
        if options["drop_old"]:
            self._drop_old(given)
            return
        if not given:
            _add(settings.FIELD_KEYS_FILE, fernet=True)
        count = stored_secrets.reencrypt()
        audit.record(who="console", action="keys.rotate", detail={"values": count})
        self.stdout.write(f"{count} stored secrets are encrypted with the newest key.")
        if given:
            self.stdout.write(
                "The keys come from PANEL_FIELD_KEYS: the new one must stand first there. Remove the"
                " old ones from it now, and start the panel again."
            )
        else:
            self.stdout.write("Back up PANEL_HOME/keys, then: manage.py rotate_keys --drop-old")

    def _drop_old(self, given: bool) -> None:
        if given:
            raise CommandError("The keys come from PANEL_FIELD_KEYS: remove the old ones there.")
        if count := stored_secrets.under_older_keys():
            raise CommandError(
                f"{count} secrets still need an old key: manage.py rotate_keys first."
            )
        newest, *old = keys.read(settings.FIELD_KEYS_FILE)
        keys.replace(settings.FIELD_KEYS_FILE, [newest])
        audit.record(who="console", action="keys.drop_old", detail={"keys": len(old)})
        self.stdout.write(f"{len(old)} old keys are dropped.")


def _add(path: Any, *, fernet: bool) -> None:
    keys.replace(path, [keys.new(fernet=fernet), *keys.read(path)])
